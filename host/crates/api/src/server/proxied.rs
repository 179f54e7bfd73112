//! The PROXY protocol, versions 1 and 2: where a connection comes from that a
//! trusted proxy hands on (haproxy's `proxy-protocol.txt`).
//!
//! Exactly the header is read, so that what follows is as if it had come alone.

use std::io;
use std::net::SocketAddr;

use ppp::{HeaderResult, v1, v2};
use tokio::io::{AsyncRead, AsyncReadExt as _};

/// Bytes by which both versions are told: no header is shorter.
const SIGNATURE_BYTES: usize = 12;
/// Bytes of version 2 before its addresses.
const FIXED_BYTES: usize = 16;
/// Bytes of a header of version 1, its end of line included.
const V1_BYTES_MAX: usize = 107;
/// Bytes of a header of version 2 with all that a proxy may add.
const V2_BYTES_MAX: usize = 4 << 10;

/// Both ends of a connection, as its proxy had it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ends {
    pub(super) client: SocketAddr,
    pub(super) server: SocketAddr,
}

/// Reads the header; `None` when the connection is the proxy's own, or it does not
/// say whose. Anything else is an error of the kind `InvalidData`.
pub(super) async fn read(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<Ends>> {
    let mut header = vec![0; SIGNATURE_BYTES];
    stream.read_exact(&mut header).await?;
    if header == v2::PROTOCOL_PREFIX {
        header.resize(FIXED_BYTES, 0);
        stream.read_exact(header.get_mut(SIGNATURE_BYTES..).unwrap_or_default()).await?;
        let length = header.last_chunk::<2>().map_or(0, |length| usize::from(u16::from_be_bytes(*length)));
        if FIXED_BYTES + length > V2_BYTES_MAX {
            return Err(invalid("its header is too long"));
        }
        header.resize(FIXED_BYTES + length, 0);
        stream.read_exact(header.get_mut(FIXED_BYTES..).unwrap_or_default()).await?;
    } else if header.starts_with(v1::PROTOCOL_PREFIX.as_bytes()) {
        // Byte by byte: where it ends is not known before.
        while !header.ends_with(b"\r\n") {
            if header.len() == V1_BYTES_MAX {
                return Err(invalid("its header is too long"));
            }
            header.push(stream.read_u8().await?);
        }
    } else {
        return Err(invalid("there is no header"));
    }
    ends(&header)
}

fn ends(header: &[u8]) -> io::Result<Option<Ends>> {
    let both = |client: SocketAddr, server: SocketAddr| Ok(Some(Ends { client, server }));
    match HeaderResult::parse(header) {
        HeaderResult::V1(Ok(header)) => match header.addresses {
            v1::Addresses::Unknown => Ok(None),
            v1::Addresses::Tcp4(ip) => {
                both((ip.source_address, ip.source_port).into(), (ip.destination_address, ip.destination_port).into())
            }
            v1::Addresses::Tcp6(ip) => {
                both((ip.source_address, ip.source_port).into(), (ip.destination_address, ip.destination_port).into())
            }
        },
        HeaderResult::V1(Err(error)) => Err(invalid(&error.to_string())),
        HeaderResult::V2(Ok(header)) => match (header.command, header.addresses) {
            // The proxy asks whether we are well.
            (v2::Command::Local, _) | (_, v2::Addresses::Unspecified | v2::Addresses::Unix(_)) => Ok(None),
            (v2::Command::Proxy, v2::Addresses::IPv4(ip)) => {
                both((ip.source_address, ip.source_port).into(), (ip.destination_address, ip.destination_port).into())
            }
            (v2::Command::Proxy, v2::Addresses::IPv6(ip)) => {
                both((ip.source_address, ip.source_port).into(), (ip.destination_address, ip.destination_port).into())
            }
        },
        HeaderResult::V2(Err(error)) => Err(invalid(&error.to_string())),
    }
}

fn invalid(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("a trusted proxy does not speak the PROXY protocol: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const V2: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";

    async fn check(header: &[u8], expect: Result<Option<(&str, &str)>, io::ErrorKind>) {
        let bytes = [header, b"rest"].concat();
        let mut stream = bytes.as_slice();
        let found = read(&mut stream).await.map_err(|error| error.kind());
        let expect = expect.map(|ends| {
            ends.map(|(client, server)| Ends { client: client.parse().unwrap(), server: server.parse().unwrap() })
        });
        assert_eq!(found, expect, "{}", header.escape_ascii());
        if expect.is_ok() {
            assert_eq!(stream, b"rest", "{}", header.escape_ascii());
        }
    }

    #[tokio::test]
    async fn version_1() {
        let four = Some(("192.0.2.1:56324", "192.0.2.2:443"));
        check(b"PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n", Ok(four)).await;
        let six = Some(("[2001:db8::1]:1", "[2001:db8::2]:2"));
        check(b"PROXY TCP6 2001:db8::1 2001:db8::2 1 2\r\n", Ok(six)).await;
        check(b"PROXY UNKNOWN\r\n", Ok(None)).await;
        check(b"PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n", Ok(None)).await;
        for broken in
            ["PROXY TCP4 192.0.2.1\r\n", "PROXY TCP4 a b 1 2\r\n", "PROXY TCP4 192.0.2.1 192.0.2.2 1 99999\r\n"]
        {
            check(broken.as_bytes(), Err(io::ErrorKind::InvalidData)).await;
        }
        check(&[b"PROXY TCP4 ".as_slice(), &[b'1'; 200]].concat(), Err(io::ErrorKind::InvalidData)).await;
        check(b"GET / HTTP/1.1\r\n\r\n", Err(io::ErrorKind::InvalidData)).await;
    }

    #[tokio::test]
    async fn version_2() {
        let header = |command: u8, family: u8, rest: &[u8]| {
            let length = u16::try_from(rest.len()).unwrap().to_be_bytes();
            [V2, &[command, family], &length, rest].concat()
        };
        let four = [192, 0, 2, 1, 192, 0, 2, 2, 0xdc, 4, 1, 187];
        check(&header(0x21, 0x11, &four), Ok(Some(("192.0.2.1:56324", "192.0.2.2:443")))).await;
        // With what a proxy adds.
        let more = [&four[..], &[4, 0, 1, 0]].concat();
        check(&header(0x21, 0x11, &more), Ok(Some(("192.0.2.1:56324", "192.0.2.2:443")))).await;
        let mut six = [0; 36];
        (six[15], six[31], six[33], six[35]) = (1, 2, 3, 4);
        check(&header(0x21, 0x21, &six), Ok(Some(("[::1]:3", "[::2]:4")))).await;
        check(&header(0x20, 0x00, &[]), Ok(None)).await;
        check(&header(0x21, 0x11, &four[..8]), Err(io::ErrorKind::InvalidData)).await;
        check(&header(0x41, 0x11, &four), Err(io::ErrorKind::InvalidData)).await;
        check(&header(0x21, 0x11, &[0; 5_000]), Err(io::ErrorKind::InvalidData)).await;
        check(&V2[..8], Err(io::ErrorKind::InvalidData)).await;
    }
}
