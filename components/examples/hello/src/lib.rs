//! Greets whoever the event names: `{"name": "Ada"}`, or `?name=Ada` at the
//! function's URL.

use lamina::{Context, Error};
use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
struct Event {
    name: Option<String>,
    /// There when the call came through a function URL.
    #[serde(rename = "queryStringParameters", default)]
    query: Query,
}

#[derive(Deserialize, Default)]
struct Query {
    name: Option<String>,
}

#[derive(Serialize)]
struct Greeting {
    message: String,
}

#[lamina::handler]
fn handle(event: Event, ctx: Context) -> Result<Greeting, Error> {
    let name = event.name.or(event.query.name).unwrap_or_else(|| "world".to_owned());
    if name.is_empty() {
        return Err(Error::new("Hello.NoName", "the name is empty"));
    }
    log::info!("greeting {name}, {} ms left", ctx.remaining_time().as_millis());
    Ok(Greeting { message: format!("Hello, {name}!") })
}

#[cfg(test)]
mod tests {
    use lamina::testing::invoke;
    use serde_json::json;

    use super::*;

    #[test]
    fn greets_by_event_and_by_url() {
        let check = |event, expect: &str| assert_eq!(invoke(handle, event).unwrap(), json!({ "message": expect }));
        check(json!({"name": "Ada"}), "Hello, Ada!");
        check(json!({"version": "2.0", "queryStringParameters": {"name": "Grace"}}), "Hello, Grace!");
        check(json!({"version": "2.0", "rawPath": "/"}), "Hello, world!");
    }

    #[test]
    fn nobody_is_not_greeted() {
        let error = invoke(handle, json!({"name": ""})).unwrap_err();
        assert_eq!(error.error_type(), "Hello.NoName");
    }
}
