//! Bare hyper: the same runtime and connection settings as the platform, and an
//! answer of the same size that costs nothing to make.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use anyhow::bail;
use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// What is spoken.
#[derive(Clone)]
enum Speech {
    Http1,
    Http2,
    Tls(TlsAcceptor),
}

/// Serves until the process is ended; prints its address on a line first. The
/// arguments are `http1 BODY`, `http2 BODY` or `tls BODY CERT KEY`.
pub(crate) fn serve(arguments: &[String]) -> anyhow::Result<()> {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (speech, body) = match words[..] {
        ["http1", body] => (Speech::Http1, body),
        ["http2", body] => (Speech::Http2, body),
        ["tls", body, cert, key] => (Speech::Tls(acceptor(cert, key)?), body),
        _ => bail!("the baseline does not know how to serve {arguments:?}"),
    };
    let body = Bytes::from(body.to_owned());
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("{}", listener.local_addr()?);
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            let (body, speech) = (body.clone(), speech.clone());
            tokio::spawn(async move {
                match speech {
                    Speech::Http1 => over_http1(stream, body).await,
                    Speech::Http2 => over_http2(stream, body).await,
                    Speech::Tls(acceptor) => {
                        if let Ok(stream) = acceptor.accept(stream).await {
                            over_http1(stream, body).await;
                        }
                    }
                }
            });
        }
    })
}

fn acceptor(cert: &str, key: &str) -> anyhow::Result<TlsAcceptor> {
    let chain = CertificateDer::pem_file_iter(cert)?.collect::<Result<Vec<_>, _>>()?;
    let key = PrivateKeyDer::from_pem_file(key)?;
    Ok(Arc::new(ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key)?).into())
}

async fn greet(body: Bytes) -> Result<Response<Full<Bytes>>, Infallible> {
    let mut answer = Response::new(Full::new(body));
    let json = hyper::header::HeaderValue::from_static("application/json");
    answer.headers_mut().insert(hyper::header::CONTENT_TYPE, json);
    Ok(answer)
}

async fn over_http1(stream: impl AsyncRead + AsyncWrite + Unpin, body: Bytes) {
    let service = service_fn(move |_: Request<Incoming>| greet(body.clone()));
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(Duration::from_secs(60));
    // A client that goes away is the end of its connection.
    let _ = builder.serve_connection(TokioIo::new(stream), service).await;
}

async fn over_http2(stream: impl AsyncRead + AsyncWrite + Unpin, body: Bytes) {
    let service = service_fn(move |_: Request<Incoming>| greet(body.clone()));
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder.timer(TokioTimer::new()).max_concurrent_streams(128).max_send_buf_size(64 << 10);
    builder.keep_alive_interval(Duration::from_secs(30));
    let _ = builder.serve_connection(TokioIo::new(stream), service).await;
}
