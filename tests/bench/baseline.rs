//! Bare hyper: the same runtime and connection settings as the platform, and an
//! answer of the same size that costs nothing to make.

use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::Response;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;

/// Serves until the process is ended; prints its address on a line first.
pub(crate) fn serve(body: String) -> anyhow::Result<()> {
    let body = Bytes::from(body);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("{}", listener.local_addr()?);
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            let body = body.clone();
            tokio::spawn(async move {
                let service = service_fn(move |_| {
                    let body = body.clone();
                    async move {
                        let mut answer = Response::new(Full::new(body));
                        let json = hyper::header::HeaderValue::from_static("application/json");
                        answer.headers_mut().insert(hyper::header::CONTENT_TYPE, json);
                        Ok::<_, Infallible>(answer)
                    }
                });
                let mut builder = http1::Builder::new();
                builder.timer(TokioTimer::new()).header_read_timeout(Duration::from_secs(60));
                // A client that goes away is the end of its connection.
                let _ = builder.serve_connection(TokioIo::new(stream), service).await;
            });
        }
    })
}
