//! The first bytes of a connection say which HTTP it speaks.

use std::io;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt as _};

use super::paced::Paced;

/// What a client of HTTP/2 sends first (RFC 9113, section 3.4). No method of
/// HTTP/1.1 begins so.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// What is read at once: a usual request's head.
const READ_BYTES: usize = 2 << 10;

/// Which HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Protocol {
    /// 1.1 or 1.0, or none at all.
    Http1,
    /// 2, with prior knowledge or by ALPN.
    Http2,
}

/// Reads until it is clear, and puts back what was read. Nothing more is looked
/// at once the first byte is another.
pub(super) async fn protocol<S: AsyncRead + Unpin>(stream: &mut Paced<S>) -> io::Result<Protocol> {
    let mut read = BytesMut::with_capacity(READ_BYTES);
    let protocol = loop {
        // At its end as well: what there is to say about that is hyper's to say.
        if stream.read_buf(&mut read).await? == 0 {
            break Protocol::Http1;
        }
        let compared = read.len().min(PREFACE.len());
        if read.get(..compared) != PREFACE.get(..compared) {
            break Protocol::Http1;
        }
        if compared == PREFACE.len() {
            break Protocol::Http2;
        }
    };
    stream.put_back(Bytes::from(read));
    Ok(protocol)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::io::AsyncWriteExt as _;

    use super::super::gauge::Gauge;
    use super::*;
    use crate::limits::Limits;

    #[tokio::test]
    async fn first_bytes_say_it_in_whatever_pieces_they_come() {
        let check = async |pieces: &[&str], expect: Protocol| {
            let (mut client, server) = tokio::io::duplex(1 << 10);
            let mut stream = Paced::new(server, Limits::DEFAULT, Arc::new(Gauge::new(0)));
            let send = async {
                for piece in pieces {
                    client.write_all(piece.as_bytes()).await.unwrap();
                    tokio::task::yield_now().await;
                }
                drop(client);
            };
            let (found, ()) = tokio::join!(protocol(&mut stream), send);
            assert_eq!(found.unwrap(), expect, "{pieces:?}");
            let mut all = String::new();
            stream.read_to_string(&mut all).await.unwrap();
            assert_eq!(all, pieces.concat());
        };
        check(&["GET / HTTP/1.1\r\n"], Protocol::Http1).await;
        check(&["PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "more"], Protocol::Http2).await;
        check(&["P", "RI * HTTP/2.0\r\n\r\nS", "M\r\n\r\nmore"], Protocol::Http2).await;
        check(&["P", "OST /"], Protocol::Http1).await;
        check(&["PRI * HTTP/2.0\r\n\r\nSM\r\n\r"], Protocol::Http1).await;
        check(&[], Protocol::Http1).await;
    }
}
