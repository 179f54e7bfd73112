//! Takes a request and answers with a response, as the crate `http` has them. The path
//! chooses the answer; elsewhere it tells what the request was.

use lamina::http::{Body, Request, RequestContext, Response, query_pairs};
use lamina::{Context, Error};
use serde_json::json;

#[lamina::handler]
async fn handle(request: Request, ctx: Context) -> Result<Response, Error> {
    let response = Response::builder();
    let response = match request.uri().path() {
        "/bytes" => {
            let bytes: Vec<u8> = request.body().as_bytes().iter().rev().copied().collect();
            response.header("content-type", "application/octet-stream").body(Body::from(bytes))
        }
        "/nothing" => response.status(204).body(Body::Empty),
        "/many" => {
            let response = response.header("set-cookie", "a=1; Path=/").header("set-cookie", "b=2");
            response.header("x-many", "1").header("x-many", "2").body(Body::from("two of each"))
        }
        "/fail" => return Err(Error::new("Request.Failed", "as it was told")),
        _ => response.status(201).header("content-type", "application/json").body(told(&request, &ctx)),
    };
    response.map_err(|error| Error::new("Request.Response", error.to_string()))
}

fn told(request: &Request, ctx: &Context) -> Body {
    let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    let context = request.extensions().get::<RequestContext>().map(|context| &context.0);
    let told = json!({
        "method": request.method().as_str(),
        "host": request.uri().host(),
        "path": request.uri().path(),
        "query": query_pairs(request),
        "cookie": header("cookie"),
        "x-many": header("x-many"),
        "body": request.body().as_text(),
        "address": context.map(|context| &context["http"]["sourceIp"]),
        "function": ctx.function_name,
    });
    Body::from(told.to_string())
}
