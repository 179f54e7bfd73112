//! What a case expects, compared with what was seen.

use serde_json::{Value, json};

use super::call::Seen;

/// Stands for anything, inside a text of an expectation that was filled in.
pub(super) const ANY: char = '\0';

/// What the cases' texts stand for in one call.
#[derive(Debug)]
pub(super) struct Known<'a> {
    pub(super) name: &'a str,
    pub(super) arn: &'a str,
    pub(super) seen: &'a Seen,
}

/// Every text of `value`, changed by `fill`.
pub(super) fn filled(value: &Value, fill: &impl Fn(&str) -> String) -> Value {
    match value {
        Value::String(text) => fill(text).into(),
        Value::Array(items) => items.iter().map(|item| filled(item, fill)).collect(),
        Value::Object(members) => {
            Value::Object(members.iter().map(|(name, value)| (name.clone(), filled(value, fill))).collect())
        }
        other => other.clone(),
    }
}

/// Whether a text is one that the pattern, with [`ANY`] in it, stands for.
pub(super) fn fits(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split(ANY);
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

/// Whether a value is the one expected; `some` members of objects may be left out.
pub(super) fn is(expected: &Value, found: &Value, some: bool) -> bool {
    match (expected, found) {
        (Value::String(pattern), Value::String(text)) => fits(pattern, text),
        (Value::Array(expected), Value::Array(found)) => {
            expected.len() == found.len()
                && expected.iter().zip(found).all(|(expected, found)| is(expected, found, some))
        }
        (Value::Object(expected), Value::Object(found)) => {
            let fit = found.iter().all(|(name, value)| expected.get(name).is_some_and(|one| is(one, value, some)));
            fit && (some || expected.len() == found.len())
        }
        (expected, found) => expected == found,
    }
}

/// The first thing that is not as the case says; its texts are filled in.
pub(super) fn differs(case: &Value, seen: &Seen) -> Result<(), String> {
    if let Some(refused) = case.get("refused") {
        let found = json!([seen.status, seen.refused]);
        return same("the refusal", refused, &found, false);
    }
    if seen.status != 200 {
        return Err(format!("refused: {} {} {}", seen.status, seen.refused, shown(&seen.body)));
    }
    answer(case, seen)?;
    stream(case, seen)?;
    log(case, seen)
}

fn same(what: &str, expected: &Value, found: &Value, some: bool) -> Result<(), String> {
    match is(expected, found, some) {
        true => Ok(()),
        false => Err(format!("{what} is {found}, not {expected}")),
    }
}

fn shown(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).chars().take(400).collect()
}

fn answer(case: &Value, seen: &Seen) -> Result<(), String> {
    let failed = ["initError", "error", "exact"].iter().find_map(|name| case.get(*name).map(|error| (*name, error)));
    match (failed, &seen.error) {
        (Some((kind, expected)), Some(found)) => return error(kind, expected, found, seen),
        (Some((_, expected)), None) => return Err(format!("it answers `{}`, not {expected}", shown(&seen.body))),
        (None, Some(found)) => {
            let exit = case.get("exit").and_then(Value::as_u64).ok_or_else(|| format!("it fails: {found}"))?;
            let how = match exit {
                0 => "Runtime exited without providing a reason".to_owned(),
                status => format!("Runtime exited with error: exit status {status}"),
            };
            let message = format!("RequestId: {} Error: {how}", seen.request_id);
            let expected = json!({ "errorType": "Runtime.ExitError", "errorMessage": message });
            return same("the failure", &expected, found, false);
        }
        (None, None) => {}
    }
    if let Some(expected) = case.get("exit") {
        return Err(format!("it answers `{}` and does not exit with {expected}", shown(&seen.body)));
    }
    if let Some(expected) = case.get("answer") {
        let found: Value =
            serde_json::from_slice(&seen.body).map_err(|error| format!("{error}: `{}`", shown(&seen.body)))?;
        same("the answer", expected, &found, case.get("subset").is_some())?;
    }
    let text = case.get("answerText").map(|text| text.as_str().unwrap().as_bytes().to_vec());
    let latin = case.get("answerLatin1").map(|text| text.as_str().unwrap().chars().map(|c| c as u8).collect());
    if let Some(expected) = text.or(latin)
        && seen.body != expected
    {
        return Err(format!("the answer is `{}`, not `{}`", shown(&seen.body), shown(&expected)));
    }
    match case.get("answerBytes").and_then(Value::as_u64) {
        Some(length) if seen.body.len() as u64 != length => {
            Err(format!("the answer has {} bytes, not {length}", seen.body.len()))
        }
        _ => Ok(()),
    }
}

/// The members that the case names, or all; and INIT_REPORT, which those have whose handler
/// could not be loaded.
fn error(kind: &str, expected: &Value, found: &Value, seen: &Seen) -> Result<(), String> {
    if kind == "exact" {
        return same("the failure", expected, found, false);
    }
    for (name, expected) in expected.as_object().unwrap() {
        let member = found.get(name).unwrap_or(&Value::Null);
        same(&format!("{name} of the failure {found}"), expected, member, false)?;
    }
    let type_ = found["errorType"].as_str().unwrap_or_default();
    let reported = seen.told.iter().any(|line| {
        line.starts_with("INIT_REPORT") && line.contains(&format!("Error Type: {type_}"))
            || line.contains("\"platform.initReport\"") && line.contains(&format!("\"{type_}\""))
    });
    match (kind, reported) {
        ("initError", false) => Err(format!("the log has no INIT_REPORT with {type_}: {:?}", seen.told)),
        ("error", true) => Err(format!("the log has an INIT_REPORT: {:?}", seen.told)),
        _ => Ok(()),
    }
}

fn stream(case: &Value, seen: &Seen) -> Result<(), String> {
    let Some(expected) = case.get("stream").filter(|_| case.get("closeAfter").is_none()) else { return Ok(()) };
    let body = String::from_utf8_lossy(&seen.body);
    if !fits(expected["body"].as_str().unwrap(), &body) {
        return Err(format!("the stream is `{}`, not {}", shown(&seen.body), expected["body"]));
    }
    match (&expected["head"]["http"], &seen.prelude) {
        (Value::Null, None) => {}
        (http, Some(prelude)) if !http.is_null() => {
            let mut headers = json!({});
            for header in http["headers"].as_array().unwrap() {
                let (name, value) = (header[0].as_str().unwrap(), header[1].as_str().unwrap());
                let joined = headers[name].as_str().map_or(value.to_owned(), |first| format!("{first},{value}"));
                headers[name] = joined.into();
            }
            let cookies = http.get("cookies").cloned().unwrap_or_else(|| json!([]));
            let http = json!({ "statusCode": http["statusCode"], "headers": headers, "cookies": cookies });
            same("the prelude", &http, prelude, false)?;
        }
        (http, prelude) => return Err(format!("the prelude is {prelude:?}, not {http}")),
    }
    // Only a stream that was collected shows it to who invokes.
    match expected["head"]["contentType"].as_str() {
        Some(own) if seen.content_type != own => Err(format!("Content-Type is {}, not {own}", seen.content_type)),
        _ => Ok(()),
    }
}

fn log(case: &Value, seen: &Seen) -> Result<(), String> {
    let Some(expected) = case.get("log").and_then(Value::as_array) else { return Ok(()) };
    let fit = |expected: &Value, line: &str| match expected.get("json") {
        Some(json) => serde_json::from_str(line).is_ok_and(|found| is(json, &found, false)),
        None => fits(expected.as_str().unwrap(), line.strip_suffix('\n').unwrap_or(line)),
    };
    // What was written by hand may stand anywhere between the events.
    let mut written: Vec<&str> =
        case.get("written").and_then(Value::as_str).map_or(Vec::new(), |text| text.lines().collect());
    let mut next = 0;
    for line in &seen.log {
        match expected.get(next) {
            Some(one) if fit(one, line) => next += 1,
            _ if written.first().is_some_and(|text| text == line) => drop(written.remove(0)),
            Some(one) => return Err(format!("the log has {line:?} where {one} is expected, in {:#?}", seen.log)),
            None => return Err(format!("the log has {line:?} besides: {:#?}", seen.log)),
        }
    }
    match (expected.get(next), written.first()) {
        (None, None) => Ok(()),
        (Some(one), _) => Err(format!("the log lacks {one}: {:#?}", seen.log)),
        (_, Some(text)) => Err(format!("the log lacks {text:?}: {:#?}", seen.log)),
    }
}

/// Whether two lists have nothing in common, place by place.
pub(super) fn distinct(one: &Seen, other: &Seen) -> Result<(), String> {
    let read = |seen: &Seen| serde_json::from_slice::<Vec<Value>>(&seen.body).map_err(|error| error.to_string());
    let (one, other) = (read(one)?, read(other)?);
    let same = one.iter().zip(&other).filter(|(one, other)| one == other).count();
    match same == 0 && one.len() == other.len() && !one.is_empty() {
        true => Ok(()),
        false => Err(format!("{one:?} and {other:?} are not distinct")),
    }
}
