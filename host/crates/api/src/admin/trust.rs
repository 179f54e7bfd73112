//! `/lamina/v1/trust`: the keys whose signatures admit code.

use http::StatusCode;
use lamina_registry::public_key_pem;
use lamina_types::records::TrustedKey;
use lamina_wire::Invalid;
use lamina_wire::object::Object;
use lamina_wire::violation::Violations;
use serde::Serialize;

use crate::answer::{Answer, json, no_content};
use crate::error::ApiError;
use crate::request::Call;

/// A key's name, in characters.
const NAME_CHARS_MAX: usize = 256;

/// One key, as answers show it.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct KeyAnswer<'a> {
    key_id: &'a str,
    name: &'a str,
    public_key: String,
    added: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct KeyList<'a> {
    keys: Vec<KeyAnswer<'a>>,
}

pub(crate) fn list(call: &Call<'_>) -> Result<Answer, ApiError> {
    call.query().finish("ListTrust")?;
    let catalog = call.shared.deps.registry.catalog();
    let keys = catalog.trusted().iter().map(|key| shown(key, call)).collect::<Result<_, _>>()?;
    json(StatusCode::OK, &KeyList { keys })
}

/// 201 for a new key, 200 for one that is trusted already.
pub(crate) async fn add(call: Call<'_>) -> Result<Answer, ApiError> {
    call.query().finish("AddTrust")?;
    let AddTrust { public_key, name } = AddTrust::parse(&call.body.bytes)?;
    let trusted = call.registry().trust(&public_key, &name).await;
    let trusted = trusted.map_err(|error| ApiError::registry(error, call.owner()))?;
    let status = if trusted.is_new { StatusCode::CREATED } else { StatusCode::OK };
    json(status, &shown(&trusted.key, &call)?)
}

pub(crate) async fn revoke(call: Call<'_>) -> Result<Answer, ApiError> {
    call.query().finish("RevokeTrust")?;
    let revoked = call.deployer().revoke(call.segment(0)).await;
    revoked.map_err(|error| ApiError::deploy(error, call.owner()))?;
    Ok(no_content())
}

fn shown<'a>(key: &'a TrustedKey, call: &Call<'_>) -> Result<KeyAnswer<'a>, ApiError> {
    let public_key = public_key_pem(key).map_err(|error| ApiError::registry(error, call.owner()))?;
    Ok(KeyAnswer { key_id: &key.id, name: &key.name, public_key, added: key.added.to_iso_millis() })
}

/// The body of `POST /lamina/v1/trust`.
#[derive(Debug, PartialEq, Eq)]
struct AddTrust {
    public_key: String,
    name: String,
}

impl AddTrust {
    fn parse(body: &[u8]) -> Result<Self, Invalid> {
        let mut body = Object::parse(body)?;
        let mut violations = Violations::new();
        let public_key = body.text("PublicKey")?;
        violations.required("publicKey", public_key.as_ref());
        let name = body.text("Name")?;
        violations.length("name", name.as_ref(), 0..=NAME_CHARS_MAX);
        violations.finish()?;
        body.finish("AddTrust")?;
        Ok(Self { public_key: public_key.unwrap_or_default(), name: name.unwrap_or_default() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_to_trust() {
        let parsed = AddTrust::parse(br#"{"PublicKey":"PEM"}"#).unwrap();
        assert_eq!(parsed, AddTrust { public_key: "PEM".into(), name: String::new() });
        let parsed = AddTrust::parse(br#"{"PublicKey":"PEM","Name":"ci"}"#).unwrap();
        assert_eq!(parsed.name, "ci");
        assert!(matches!(AddTrust::parse(b"{}"), Err(Invalid::Validation(_))));
        assert!(matches!(AddTrust::parse(br#"{"PublicKey":"PEM","Other":1}"#), Err(Invalid::Parameter(_))));
        let long = format!(r#"{{"PublicKey":"PEM","Name":"{}"}}"#, "x".repeat(257));
        assert!(matches!(AddTrust::parse(long.as_bytes()), Err(Invalid::Validation(_))));
    }
}
