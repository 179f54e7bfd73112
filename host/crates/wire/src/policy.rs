//! Permissions: AddPermission's body, and the policy document that GetPolicy
//! and AddPermission answer as a JSON string (reference 4.7).

use lamina_types::records::Statement;
use serde_json::{Map, Value, json};

use crate::error::Invalid;
use crate::object::Object;
use crate::pattern;
use crate::violation::Violations;

/// AddPermission's body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddPermission {
    /// What is added.
    pub statement: Statement,
    /// The policy's revision, if the caller guards it.
    pub revision: Option<String>,
}

impl AddPermission {
    /// Reads and checks a body.
    pub fn parse(body: &[u8]) -> Result<Self, Invalid> {
        const OPERATION: &str = "AddPermission";
        let mut body = Object::parse(body)?;
        let mut violations = Violations::new();
        let sid = body.text("StatementId")?;
        violations.required("statementId", sid.as_ref());
        violations.length("statementId", sid.as_ref(), 1..=100);
        violations.pattern("statementId", sid.as_ref(), &pattern::STATEMENT_ID);
        let action = body.text("Action")?;
        violations.required("action", action.as_ref());
        violations.pattern("action", action.as_ref(), &pattern::ACTION);
        let principal = body.text("Principal")?;
        violations.required("principal", principal.as_ref());
        violations.pattern("principal", principal.as_ref(), &pattern::PRINCIPAL);
        let source_arn = body.text("SourceArn")?;
        violations.pattern("sourceArn", source_arn.as_ref(), &pattern::SOURCE_ARN);
        let source_account = body.text("SourceAccount")?;
        violations.pattern("sourceAccount", source_account.as_ref(), &pattern::ACCOUNT);
        let event_source_token = body.text("EventSourceToken")?;
        violations.length("eventSourceToken", event_source_token.as_ref(), 0..=256);
        violations.pattern("eventSourceToken", event_source_token.as_ref(), &pattern::EVENT_SOURCE_TOKEN);
        let principal_org_id = body.text("PrincipalOrgID")?;
        violations.pattern("principalOrgID", principal_org_id.as_ref(), &pattern::PRINCIPAL_ORG);
        let auth = body.text("FunctionUrlAuthType")?;
        violations.one_of("functionUrlAuthType", auth.as_ref(), crate::url::AUTH_TYPES);
        let by_url = body.boolean("InvokedViaFunctionUrl")?;
        let revision = body.text("RevisionId")?;
        violations.finish()?;
        body.finish(OPERATION)?;
        let statement = Statement {
            sid: sid.unwrap_or_default(),
            action: action.unwrap_or_default(),
            principal: principal.unwrap_or_default(),
            source_arn,
            source_account,
            principal_org_id,
            event_source_token,
            function_url_auth_type: auth,
            invoked_via_function_url: by_url,
        };
        sensible(&statement)?;
        Ok(Self { statement, revision })
    }
}

/// Layer two.
fn sensible(statement: &Statement) -> Result<(), Invalid> {
    if principal(&statement.principal).is_none() {
        return Err(Invalid::Parameter(
            "The provided principal was invalid. Please check the principal and try again.".into(),
        ));
    }
    if statement.function_url_auth_type.is_some() && statement.action != "lambda:InvokeFunctionUrl" {
        return Err(Invalid::Parameter(
            "FunctionUrlAuthType is only supported for lambda:InvokeFunctionUrl action".into(),
        ));
    }
    Ok(())
}

fn principal(text: &str) -> Option<Value> {
    if text == "*" {
        return Some(json!("*"));
    }
    if text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit()) {
        return Some(json!({ "AWS": format!("arn:aws:iam::{text}:root") }));
    }
    if let Some(rest) = text.strip_prefix("arn:") {
        let parts: Vec<&str> = rest.splitn(5, ':').collect();
        let ours = matches!(parts.as_slice(), [partition, "iam" | "sts", "", account, name]
            if partition.starts_with("aws") && account.len() == 12 && !name.is_empty());
        return ours.then(|| json!({ "AWS": text }));
    }
    let host = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'.';
    let service = (text.ends_with(".amazonaws.com") || text.ends_with(".amazon.com")) && text.bytes().all(host);
    service.then(|| json!({ "Service": text }))
}

/// One statement over `resource`, with its keys in the order Lambda keeps.
pub fn statement(statement: &Statement, resource: &str) -> String {
    let mut document = String::with_capacity(256);
    let member = |document: &mut String, name: &str, value: &Value| {
        document.push(if document.is_empty() { '{' } else { ',' });
        document.push_str(&format!("\"{name}\":{value}"));
    };
    member(&mut document, "Sid", &json!(statement.sid));
    member(&mut document, "Effect", &json!("Allow"));
    member(&mut document, "Principal", &principal(&statement.principal).unwrap_or(Value::Null));
    member(&mut document, "Action", &json!(statement.action));
    member(&mut document, "Resource", &json!(resource));
    let conditions = conditions(statement);
    if !conditions.is_empty() {
        member(&mut document, "Condition", &Value::Object(conditions));
    }
    document.push('}');
    document
}

fn conditions(statement: &Statement) -> Map<String, Value> {
    let mut equals = Map::new();
    let mut equal = |key: &str, value: Option<&String>| {
        if let Some(value) = value {
            equals.insert(key.to_owned(), json!(value));
        }
    };
    equal("AWS:SourceAccount", statement.source_account.as_ref());
    equal("aws:PrincipalOrgID", statement.principal_org_id.as_ref());
    equal("lambda:EventSourceToken", statement.event_source_token.as_ref());
    equal("lambda:FunctionUrlAuthType", statement.function_url_auth_type.as_ref());
    let mut conditions = Map::new();
    if !equals.is_empty() {
        conditions.insert("StringEquals".into(), Value::Object(equals));
    }
    if let Some(arn) = &statement.source_arn {
        conditions.insert("ArnLike".into(), json!({ "AWS:SourceArn": arn }));
    }
    if let Some(by_url) = statement.invoked_via_function_url {
        conditions.insert("Bool".into(), json!({ "lambda:InvokedViaFunctionUrl": by_url.to_string() }));
    }
    conditions
}

/// The whole policy over `resource`.
pub fn document(statements: &[Statement], resource: &str) -> String {
    let statements: Vec<String> = statements.iter().map(|one| statement(one, resource)).collect();
    format!(r#"{{"Version":"2012-10-17","Id":"default","Statement":[{}]}}"#, statements.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(members: &str, expect: &str) {
        let body = format!(r#"{{"StatementId":"s","Action":"lambda:InvokeFunction",{members}}}"#);
        let add = AddPermission::parse(body.as_bytes()).unwrap();
        let text = statement(&add.statement, "ARN");
        let head = r#"{"Sid":"s","Effect":"Allow","Principal":"#;
        assert_eq!(text, format!("{head}{expect}}}"));
    }

    #[test]
    fn statements_in_lambdas_shape() {
        let tail = r#""Action":"lambda:InvokeFunction","Resource":"ARN""#;
        check(r#""Principal":"*""#, &format!(r#""*",{tail}"#));
        check(r#""Principal":"123456789012""#, &format!(r#"{{"AWS":"arn:aws:iam::123456789012:root"}},{tail}"#));
        check(
            r#""Principal":"s3.amazonaws.com","SourceArn":"arn:aws:s3:::b","SourceAccount":"123456789012""#,
            &format!(
                r#"{{"Service":"s3.amazonaws.com"}},{tail},"Condition":{{"ArnLike":{{"AWS:SourceArn":"arn:aws:s3:::b"}},"StringEquals":{{"AWS:SourceAccount":"123456789012"}}}}"#
            ),
        );
        check(
            r#""Principal":"*","InvokedViaFunctionUrl":true"#,
            &format!(r#""*",{tail},"Condition":{{"Bool":{{"lambda:InvokedViaFunctionUrl":"true"}}}}"#),
        );
    }

    #[test]
    fn refused() {
        let error = |body: &str| AddPermission::parse(body.as_bytes()).unwrap_err();
        assert!(error("{}").to_string().starts_with("3 validation errors detected: "));
        let nobody = r#"{"StatementId":"s","Action":"*","Principal":"nobody"}"#;
        assert!(error(nobody).to_string().starts_with("The provided principal was invalid."));
        let extra = r#"{"StatementId":"s","Action":"*","Principal":"*","X":1}"#;
        assert!(error(extra).to_string().starts_with("X is not supported yet"));
    }
}
