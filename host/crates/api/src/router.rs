//! Which operation a request asks for (reference 1.3).
//!
//! Every operation of the model is known; the ones that are not there yet are
//! told apart from paths that mean nothing.

mod table;

use http::Method;
use percent_encoding::percent_decode_str;

pub(crate) use table::Operation;
use table::{ROUTES, Row};

/// What a method and path ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Route {
    /// An operation, with the path's variable segments, decoded.
    Operation(Operation, Vec<String>),
    /// An operation of Lambda that is not supported yet.
    NotYet(&'static str),
    /// No operation.
    Unknown,
}

/// Finds the operation. A trailing slash does not matter.
pub(crate) fn route(method: &Method, path: &str, query: &str) -> Route {
    let Some(path) = path.strip_prefix('/') else { return Route::Unknown };
    let path = path.strip_suffix('/').unwrap_or(path);
    for row in ROUTES.iter().filter(|row| *method == row.method) {
        if let Some(segments) = matches(row, path, query) {
            return match row.operation {
                Some(operation) => Route::Operation(operation, segments),
                None => Route::NotYet(row.name),
            };
        }
    }
    Route::Unknown
}

/// The variable segments, if the path has the row's form.
fn matches(row: &Row, path: &str, query: &str) -> Option<Vec<String>> {
    let mut variables = Vec::new();
    let mut given = path.split('/');
    for expected in row.path.split('/') {
        let segment = given.next()?;
        if expected == "*" {
            if segment.is_empty() {
                return None;
            }
            variables.push(percent_decode_str(segment).decode_utf8_lossy().into_owned());
        } else if expected != segment {
            return None;
        }
    }
    let asked = row.query.is_none_or(|wanted| query.split('&').any(|pair| pair == wanted));
    (given.next().is_none() && asked).then_some(variables)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(method: &str, path: &str, expect: Route) {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        assert_eq!(route(&method.parse().unwrap(), path, query), expect, "{method} {path}");
    }

    #[test]
    fn paths_become_operations() {
        let operation = |operation, segments: &[&str]| {
            Route::Operation(operation, segments.iter().map(|segment| (*segment).to_owned()).collect())
        };
        check("POST", "/2015-03-31/functions", operation(Operation::CreateFunction, &[]));
        check("POST", "/2015-03-31/functions/", operation(Operation::CreateFunction, &[]));
        check("GET", "/2015-03-31/functions/f", operation(Operation::GetFunction, &["f"]));
        check("GET", "/2015-03-31/functions/f%3A1/", operation(Operation::GetFunction, &["f:1"]));
        check("POST", "/2015-03-31/functions/f/invocations", operation(Operation::Invoke, &["f"]));
        check("DELETE", "/2015-03-31/functions/f/policy/s", operation(Operation::RemovePermission, &["f", "s"]));
        let arn = "/2017-03-31/tags/arn%3Aaws%3Alambda%3Aus-east-1%3A000000000000%3Afunction%3Af";
        check("GET", arn, operation(Operation::ListTags, &["arn:aws:lambda:us-east-1:000000000000:function:f"]));
        check("DELETE", "/lamina/v1/trust/k", operation(Operation::RevokeTrust, &["k"]));
    }

    #[test]
    fn operations_to_come_are_named() {
        check("PUT", "/2017-10-31/functions/f/concurrency", Route::NotYet("PutFunctionConcurrency"));
        check("GET", "/2018-10-31/layers?find=LayerVersion&Arn=x", Route::NotYet("GetLayerVersionByArn"));
        check("GET", "/2018-10-31/layers", Route::NotYet("ListLayers"));
        check(
            "GET",
            "/2019-09-30/functions/f/provisioned-concurrency?List=ALL",
            Route::NotYet("ListProvisionedConcurrencyConfigs"),
        );
        check(
            "GET",
            "/2019-09-30/functions/f/provisioned-concurrency?Qualifier=1",
            Route::NotYet("GetProvisionedConcurrencyConfig"),
        );
        check("POST", "/2014-11-13/functions/f/invoke-async", Route::NotYet("InvokeAsync"));
    }

    #[test]
    fn the_rest_is_unknown() {
        for (method, path) in [
            ("GET", "/"),
            ("GET", ""),
            ("GET", "/2015-03-31/functions//code"),
            ("PATCH", "/2015-03-31/functions"),
            ("GET", "/2015-03-31/functions/f/"),
            ("GET", "/2014-01-01/functions"),
            ("GET", "/lamina/v2/trust"),
        ] {
            let expect = match path {
                // Only one slash is forgiven, and it is.
                "/2015-03-31/functions/f/" => Route::Operation(Operation::GetFunction, vec!["f".into()]),
                _ => Route::Unknown,
            };
            check(method, path, expect);
        }
    }

    /// The model of November 2026 has this many operations.
    #[test]
    fn every_operation_of_the_model_is_known() {
        let mut names: Vec<&str> =
            ROUTES.iter().filter(|row| !row.path.starts_with("lamina")).map(|row| row.name).collect();
        names.sort_unstable();
        let count = names.len();
        names.dedup();
        assert_eq!((names.len(), count), (91, 91));
    }
}
