//! Function URL configs (reference 4.8).

use lamina_types::records::{Cors, InvokeMode, UrlConfig};
use serde::Serialize;

use crate::error::Invalid;
use crate::object::Object;
use crate::violation::Violations;

/// The model's AuthTypes; only NONE works yet.
pub const AUTH_TYPES: &[&str] = &["NONE", "AWS_IAM"];

const INVOKE_MODES: &[&str] = &["BUFFERED", "RESPONSE_STREAM"];

/// The body of CreateFunctionUrlConfig and UpdateFunctionUrlConfig. What is
/// `None` was not given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UrlRequest {
    /// What the URL does with the answer.
    pub invoke_mode: Option<InvokeMode>,
    /// Cross-origin rules.
    pub cors: Option<Cors>,
}

impl UrlRequest {
    /// Reads CreateFunctionUrlConfig's body: AuthType must be there.
    pub fn parse_create(body: &[u8]) -> Result<Self, Invalid> {
        Self::parse(body, true, "CreateFunctionUrlConfig")
    }

    /// Reads UpdateFunctionUrlConfig's body.
    pub fn parse_update(body: &[u8]) -> Result<Self, Invalid> {
        Self::parse(body, false, "UpdateFunctionUrlConfig")
    }

    fn parse(body: &[u8], create: bool, operation: &str) -> Result<Self, Invalid> {
        let mut body = Object::parse(body)?;
        let mut violations = Violations::new();
        let auth = body.text("AuthType")?;
        if create {
            violations.required("authType", auth.as_ref());
        }
        violations.one_of("authType", auth.as_ref(), AUTH_TYPES);
        let mode = body.text("InvokeMode")?;
        violations.one_of("invokeMode", mode.as_ref(), INVOKE_MODES);
        let cors = body.object("Cors")?.map(|cors| read_cors(cors, &mut violations, operation));
        violations.finish()?;
        let cors = cors.transpose()?;
        body.finish(operation)?;
        if auth.as_deref() == Some("AWS_IAM") {
            return Err(Invalid::not_yet("AuthType AWS_IAM", "a function URL is open (NONE) or not there"));
        }
        let invoke_mode = mode.map(|mode| match mode.as_str() {
            "RESPONSE_STREAM" => InvokeMode::ResponseStream,
            _ => InvokeMode::Buffered,
        });
        Ok(Self { invoke_mode, cors })
    }
}

fn read_cors(mut cors: Object<'_>, violations: &mut Violations, operation: &str) -> Result<Cors, Invalid> {
    let at_most = |most: usize| move |value: &str| value.chars().count() <= most;
    let longer = |most: usize| format!("Member must have length less than or equal to {most}");
    let allow_headers = cors.texts("AllowHeaders")?;
    violations.count("cors.allowHeaders", allow_headers.as_ref(), 100);
    violations.each("cors.allowHeaders", allow_headers.as_ref(), at_most(1024), &longer(1024));
    let allow_methods = cors.texts("AllowMethods")?;
    violations.count("cors.allowMethods", allow_methods.as_ref(), 6);
    violations.each("cors.allowMethods", allow_methods.as_ref(), at_most(6), &longer(6));
    let allow_origins = cors.texts("AllowOrigins")?;
    violations.count("cors.allowOrigins", allow_origins.as_ref(), 100);
    violations.each("cors.allowOrigins", allow_origins.as_ref(), at_most(253), &longer(253));
    let expose_headers = cors.texts("ExposeHeaders")?;
    violations.count("cors.exposeHeaders", expose_headers.as_ref(), 100);
    violations.each("cors.exposeHeaders", expose_headers.as_ref(), at_most(1024), &longer(1024));
    let max_age = cors.integer("MaxAge")?;
    violations.range("cors.maxAge", max_age, 0..=86_400);
    let allow_credentials = cors.boolean("AllowCredentials")?;
    cors.finish(operation)?;
    let cors = Cors {
        allow_credentials: allow_credentials.unwrap_or(false),
        allow_headers: allow_headers.unwrap_or_default(),
        allow_methods: allow_methods.unwrap_or_default(),
        allow_origins: allow_origins.unwrap_or_default(),
        expose_headers: expose_headers.unwrap_or_default(),
        max_age_s: max_age.and_then(|age| u32::try_from(age).ok()),
    };
    sendable(&cors)?;
    Ok(cors)
}

/// Everything in the lists ends up in answers' headers: what cannot stand in
/// one is refused here, so that no answer has to be.
fn sendable(cors: &Cors) -> Result<(), Invalid> {
    let lists = [&cors.allow_headers, &cors.allow_methods, &cors.allow_origins, &cors.expose_headers];
    let bad = lists.into_iter().flatten().find(|value| !value.bytes().all(|b| (0x21..0x7f).contains(&b)));
    match bad {
        Some(_) => Err(Invalid::Parameter("Cors may hold printable ASCII characters only".into())),
        None => Ok(()),
    }
}

/// A function URL config as answers show it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct UrlAnswer {
    function_url: String,
    function_arn: String,
    auth_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    cors: Option<CorsAnswer>,
    creation_time: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_modified_time: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    invoke_mode: Option<&'static str>,
}

/// Members appear when they hold something: what was never given is absent.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct CorsAnswer {
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    allow_credentials: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    allow_headers: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    allow_methods: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    allow_origins: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    expose_headers: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_age: Option<u32>,
}

impl From<&Cors> for CorsAnswer {
    fn from(cors: &Cors) -> Self {
        Self {
            allow_credentials: cors.allow_credentials,
            allow_headers: cors.allow_headers.clone(),
            allow_methods: cors.allow_methods.clone(),
            allow_origins: cors.allow_origins.clone(),
            expose_headers: cors.expose_headers.clone(),
            max_age: cors.max_age_s,
        }
    }
}

impl UrlAnswer {
    /// The answer of CreateFunctionUrlConfig: InvokeMode only if it was given.
    pub fn created(config: &UrlConfig, url: String, arn: String) -> Self {
        let mode = config.invoke_mode.map(mode_name);
        Self { last_modified_time: None, invoke_mode: mode, ..Self::shown(config, url, arn) }
    }

    /// The answer of the other calls.
    pub fn shown(config: &UrlConfig, url: String, arn: String) -> Self {
        Self {
            function_url: url,
            function_arn: arn,
            auth_type: "NONE",
            cors: config.cors.as_ref().map(CorsAnswer::from),
            creation_time: config.created.to_iso_micros(),
            last_modified_time: Some(config.last_modified.to_iso_micros()),
            invoke_mode: Some(mode_name(config.invoke_mode.unwrap_or(InvokeMode::Buffered))),
        }
    }
}

fn mode_name(mode: InvokeMode) -> &'static str {
    match mode {
        InvokeMode::Buffered => "BUFFERED",
        InvokeMode::ResponseStream => "RESPONSE_STREAM",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests() {
        let url = UrlRequest::parse_create(br#"{"AuthType":"NONE","Cors":{"AllowOrigins":["*"],"MaxAge":5}}"#).unwrap();
        assert_eq!(url.invoke_mode, None);
        assert_eq!(url.cors.unwrap().max_age_s, Some(5));
        let url = UrlRequest::parse_update(br#"{"InvokeMode":"RESPONSE_STREAM"}"#).unwrap();
        assert_eq!(url.invoke_mode, Some(InvokeMode::ResponseStream));
        assert!(matches!(UrlRequest::parse_create(b"{}"), Err(Invalid::Validation(_))));
        let iam = UrlRequest::parse_create(br#"{"AuthType":"AWS_IAM"}"#).unwrap_err();
        assert!(iam.to_string().starts_with("AuthType AWS_IAM is not supported yet"), "{iam}");
        for bad in [r#"{"MaxAge":86401}"#, r#"{"AllowMethods":["OPTIONSX"]}"#] {
            let body = format!(r#"{{"AuthType":"NONE","Cors":{bad}}}"#);
            assert!(matches!(UrlRequest::parse_create(body.as_bytes()), Err(Invalid::Validation(_))), "{bad}");
        }
        let split = br#"{"AuthType":"NONE","Cors":{"AllowOrigins":["a\r\nb: c"]}}"#;
        assert!(matches!(UrlRequest::parse_create(split), Err(Invalid::Parameter(_))));
    }
}
