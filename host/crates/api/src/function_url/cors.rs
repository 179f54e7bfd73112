//! Cross-origin rules of a function URL (reference 5.3): preflights are
//! answered without invoking, other answers get the headers the config says,
//! in place of the function's own. What a function varies by is kept: a cache
//! would mix its answers up otherwise (RFC 9110, 12.5.5).

use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD,
    ORIGIN, VARY,
};
use http::{HeaderMap, HeaderValue, Method, Response};
use lamina_types::records::Cors;

use crate::answer::{Answer, AnswerBody};

/// The answer to a preflight; `None` when the request is none.
pub(super) fn preflight(cors: &Cors, method: &Method, request: &HeaderMap) -> Option<Answer> {
    let asks = *method == Method::OPTIONS
        && request.contains_key(ORIGIN)
        && request.contains_key(ACCESS_CONTROL_REQUEST_METHOD);
    if !asks {
        return None;
    }
    let mut answer = Response::new(AnswerBody::empty());
    let headers = answer.headers_mut();
    if allow(cors, request.get(ORIGIN), headers) {
        let list = |values: &[String]| HeaderValue::from_str(&values.join(",")).ok();
        if let Some(methods) = list(&cors.allow_methods).filter(|_| !cors.allow_methods.is_empty()) {
            headers.insert(ACCESS_CONTROL_ALLOW_METHODS, methods);
        }
        if let Some(names) = list(&cors.allow_headers).filter(|_| !cors.allow_headers.is_empty()) {
            headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, names);
        }
        if let Some(age) = cors.max_age_s {
            headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from(age));
        }
    }
    Some(answer)
}

/// Sets the config's headers on the answer to a request of this origin.
pub(super) fn apply(cors: &Cors, origin: Option<&HeaderValue>, answer: &mut HeaderMap) {
    for name in [
        ACCESS_CONTROL_ALLOW_ORIGIN,
        ACCESS_CONTROL_ALLOW_CREDENTIALS,
        ACCESS_CONTROL_EXPOSE_HEADERS,
        ACCESS_CONTROL_ALLOW_METHODS,
        ACCESS_CONTROL_ALLOW_HEADERS,
        ACCESS_CONTROL_MAX_AGE,
    ] {
        answer.remove(name);
    }
    if allow(cors, origin, answer)
        && !cors.expose_headers.is_empty()
        && let Ok(names) = HeaderValue::from_str(&cors.expose_headers.join(","))
    {
        answer.insert(ACCESS_CONTROL_EXPOSE_HEADERS, names);
    }
}

/// Sets origin, credentials and vary; answers whether the origin is allowed.
fn allow(cors: &Cors, origin: Option<&HeaderValue>, answer: &mut HeaderMap) -> bool {
    if !varies(answer) {
        answer.append(VARY, HeaderValue::from_static("Origin"));
    }
    let Some(origin) = origin else { return false };
    let listed = |allowed: &String| allowed.as_bytes().eq_ignore_ascii_case(origin.as_bytes());
    let allowed = if cors.allow_origins.iter().any(listed) {
        origin.clone()
    } else if cors.allow_origins.iter().any(|allowed| allowed == "*") {
        HeaderValue::from_static("*")
    } else {
        return false;
    };
    answer.insert(ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
    if cors.allow_credentials {
        answer.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
    }
    true
}

/// Whether the answer says already that it depends on the origin.
fn varies(answer: &HeaderMap) -> bool {
    let names = answer.get_all(VARY).iter().flat_map(|value| value.as_bytes().split(|b| *b == b','));
    names.map(<[u8]>::trim_ascii).any(|name| name == b"*" || name.eq_ignore_ascii_case(b"origin"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cors() -> Cors {
        Cors {
            allow_credentials: true,
            allow_headers: vec!["x-a".into(), "x-b".into()],
            allow_methods: vec!["GET".into(), "PUT".into()],
            allow_origins: vec!["https://a.example".into()],
            expose_headers: vec!["x-c".into()],
            max_age_s: Some(60),
        }
    }

    fn request(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| ((*name).parse().unwrap(), HeaderValue::from_static(value))).collect()
    }

    fn check(answer: &HeaderMap, expect: &[(&str, &str)]) {
        let mut found: Vec<(&str, &str)> = answer.iter().map(|(n, v)| (n.as_str(), v.to_str().unwrap())).collect();
        found.sort_unstable();
        assert_eq!(found, expect);
    }

    #[test]
    fn preflights_are_answered() {
        let asking = request(&[("origin", "https://a.example"), ("access-control-request-method", "PUT")]);
        let answer = preflight(&cors(), &Method::OPTIONS, &asking).unwrap();
        assert_eq!(answer.status(), 200);
        check(
            answer.headers(),
            &[
                ("access-control-allow-credentials", "true"),
                ("access-control-allow-headers", "x-a,x-b"),
                ("access-control-allow-methods", "GET,PUT"),
                ("access-control-allow-origin", "https://a.example"),
                ("access-control-max-age", "60"),
                ("vary", "Origin"),
            ],
        );
        let other = request(&[("origin", "https://b.example"), ("access-control-request-method", "PUT")]);
        check(preflight(&cors(), &Method::OPTIONS, &other).unwrap().headers(), &[("vary", "Origin")]);
        assert!(preflight(&cors(), &Method::GET, &asking).is_none());
        assert!(preflight(&cors(), &Method::OPTIONS, &request(&[("origin", "x")])).is_none());
    }

    #[test]
    fn answers_get_the_configs_headers() {
        let mut answer = request(&[("access-control-allow-origin", "own"), ("vary", "a, ORIGIN"), ("x-c", "1")]);
        apply(&cors(), Some(&HeaderValue::from_static("https://a.example")), &mut answer);
        check(
            &answer,
            &[
                ("access-control-allow-credentials", "true"),
                ("access-control-allow-origin", "https://a.example"),
                ("access-control-expose-headers", "x-c"),
                ("vary", "a, ORIGIN"),
                ("x-c", "1"),
            ],
        );
        let mut answer = request(&[("vary", "own")]);
        apply(&cors(), None, &mut answer);
        check(&answer, &[("vary", "Origin"), ("vary", "own")]);
        let mut answer = request(&[("access-control-allow-origin", "own")]);
        apply(&cors(), Some(&HeaderValue::from_static("https://b.example")), &mut answer);
        check(&answer, &[("vary", "Origin")]);
        let any = Cors { allow_origins: vec!["*".into()], ..Cors::default() };
        let mut answer = HeaderMap::new();
        apply(&any, Some(&HeaderValue::from_static("https://b.example")), &mut answer);
        check(&answer, &[("access-control-allow-origin", "*"), ("vary", "Origin")]);
    }
}
