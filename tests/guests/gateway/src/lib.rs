//! Answers a function URL with other people's types for events and answers: method,
//! path, query and body come back, and so do the cookies.

use aws_lambda_events::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use aws_lambda_events::encodings::Body;
use http::HeaderValue;
use lamina::{Context, Error};

#[lamina::handler]
async fn handle(request: ApiGatewayV2httpRequest, _ctx: Context) -> Result<ApiGatewayV2httpResponse, Error> {
    let path = request.raw_path.as_deref().unwrap_or_default();
    let query: Vec<String> =
        request.query_string_parameters.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let body = request.body.as_deref().unwrap_or_default();
    let method = &request.request_context.http.method;
    let mut response = ApiGatewayV2httpResponse::default();
    response.status_code = 202;
    response.headers.insert("x-from", HeaderValue::from_static("gateway"));
    response.cookies = request.cookies.unwrap_or_default();
    response.body = Some(Body::Text(format!("{method} {path} [{}] {body}", query.join(" "))));
    Ok(response)
}
