//! An HTTP server on `wstd`, which knows nothing of this platform.

use wstd::http::{Body, Error, Request, Response, StatusCode};

#[wstd::http_server]
async fn main(request: Request<Body>) -> Result<Response<Body>, Error> {
    let target = request.uri().path_and_query().map_or("/", |target| target.as_str()).to_owned();
    let answer = Response::builder()
        .header("content-type", "text/plain")
        .header("x-method", request.method().as_str())
        .header("x-target", target.as_str());
    match request.uri().path() {
        // Passed on as it comes.
        "/echo" => Ok(answer.status(StatusCode::CREATED).body(request.into_body())?),
        "/fail" => Err(Error::msg("no answer from here")),
        _ => Ok(answer.body("one\ntwo\nthree\n".to_owned().into())?),
    }
}
