//! AWS's own vectors: they ship in the source of the `aws-sigv4` package, which
//! is a dev-dependency for that reason alone.

use std::path::{Path, PathBuf};
use std::process::Command;

use http::{HeaderName, HeaderValue};
use serde_json::Value;

use super::*;

/// One signed request of a vector.
struct Signed {
    name: String,
    method: String,
    path: String,
    query: String,
    headers: HeaderMap,
    body: Vec<u8>,
}

struct Vector {
    folder: PathBuf,
    region: String,
    service: String,
    path: PathMode,
    secret: String,
    now_s: u64,
}

/// The folder of the vectors, from cargo's own knowledge of where packages are.
fn vectors() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
    let version = Command::new(env!("CARGO")).arg("-vV").output().unwrap();
    let version = String::from_utf8(version.stdout).unwrap();
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
    // For this host alone: on a new machine what only others need was not fetched.
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--offline", "--format-version", "1", "--filter-platform", host, "--manifest-path"])
        .arg(manifest)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let package = packages.iter().find(|package| package["name"] == "aws-sigv4").unwrap();
    let manifest = PathBuf::from(package["manifest_path"].as_str().unwrap());
    manifest.parent().unwrap().join("aws-signing-test-suite/v4")
}

impl Vector {
    fn read(folder: PathBuf) -> Self {
        let context = std::fs::read_to_string(folder.join("context.json"));
        // Two vectors come without a context; it is in their signed requests, and
        // the secrets are those of the suite and of its package's own tests.
        let context: Value = context.map_or(Value::Null, |text| serde_json::from_str(&text).unwrap());
        let name = folder.file_name().unwrap().to_str().unwrap();
        let text = |value: &Value, other: &str| value.as_str().unwrap_or(other).to_owned();
        let lambda = name == "double-url-encode";
        let other_secret =
            if lambda { "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY" } else { "notrealrnrELgWzOk3IfjzDKtFBhDby" };
        let time = context["timestamp"].as_str().map(|time| time.replace(['-', ':'], ""));
        let other_time = if lambda { "20210511T154045Z" } else { "20150830T123600Z" };
        Self {
            region: text(&context["region"], if lambda { "us-east-2" } else { "us-east-1" }),
            service: text(&context["service"], if lambda { "lambda" } else { "service" }),
            path: match context["normalize"] {
                Value::Bool(false) => PathMode::AsSent,
                _ => PathMode::Normalised,
            },
            secret: text(&context["credentials"]["secret_access_key"], other_secret),
            now_s: moment::parse(time.as_deref().unwrap_or(other_time)).unwrap(),
            folder,
        }
    }

    fn signed(&self, form: &str) -> Option<Signed> {
        let text = std::fs::read_to_string(self.folder.join(format!("{form}-signed-request.txt"))).ok()?;
        let (head, body) = text.split_once("\n\n").unwrap_or((&text, ""));
        // A header's value may go on in lines that begin with spaces.
        let head = head.replace("\n ", " ");
        let mut lines = head.lines();
        let first = lines.next().unwrap();
        let (method, target) = first.split_once(' ').unwrap();
        let target = target.strip_suffix(" HTTP/1.1").unwrap_or(target);
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut headers = HeaderMap::new();
        for (name, value) in lines.filter_map(|line| line.split_once(':')) {
            headers.append(HeaderName::try_from(name).unwrap(), HeaderValue::try_from(value.trim()).unwrap());
        }
        let name = format!("{} ({form})", self.folder.file_name().unwrap().to_str().unwrap());
        let body = body.trim_end_matches('\n').as_bytes().to_vec();
        Some(Signed { name, method: method.into(), path: path.into(), query: query.into(), headers, body })
    }

    fn verify(&self, signed: &Signed) -> Result<(), AuthError> {
        let verifier = Verifier { region: &self.region, service: &self.service, path: self.path };
        let parts =
            SignedParts { method: &signed.method, path: &signed.path, query: &signed.query, headers: &signed.headers };
        let claim = verifier.claim(&parts, self.now_s)?;
        claim.verify(&parts, &self.secret, lamina_types::Digest::of(&signed.body).as_bytes())
    }
}

/// Both forms of every vector; two have only the first.
fn each(check: impl Fn(&Vector, Signed)) -> usize {
    let mut count = 0;
    for entry in std::fs::read_dir(vectors()).unwrap() {
        let vector = Vector::read(entry.unwrap().path());
        for signed in ["header", "query"].iter().filter_map(|form| vector.signed(form)) {
            check(&vector, signed);
            count += 1;
        }
    }
    count
}

#[test]
fn every_vector_is_accepted() {
    let count = each(|vector, signed| assert_eq!(vector.verify(&signed), Ok(()), "{}", signed.name));
    assert_eq!(count, 2 * 38 + 2);
}

#[test]
fn one_changed_byte_is_refused() {
    let flip = |text: &str| {
        let last = text.len() - 1;
        format!("{}{}", &text[..last], if text.ends_with('0') { '1' } else { '0' })
    };
    each(|vector, signed| {
        let changed = |change: &dyn Fn(&mut Signed)| {
            let mut copy = Signed { headers: signed.headers.clone(), ..vector.signed_again(&signed.name) };
            change(&mut copy);
            assert!(vector.verify(&copy).is_err(), "{} was accepted with a byte changed", signed.name);
        };
        changed(&|copy| copy.method.push('X'));
        changed(&|copy| copy.path.push('x'));
        changed(&|copy| copy.query = format!("x&{}", copy.query));
        changed(&|copy| copy.body.push(b'x'));
        changed(&|copy| {
            let host = copy.headers["host"].to_str().unwrap().to_owned();
            copy.headers.insert("host", HeaderValue::try_from(flip(&host)).unwrap());
        });
        changed(&|copy| match copy.headers.get("authorization") {
            Some(value) => {
                let value = flip(value.to_str().unwrap());
                copy.headers.insert("authorization", HeaderValue::try_from(value).unwrap());
            }
            None => {
                let at = copy.query.find("X-Amz-Signature=").unwrap() + "X-Amz-Signature=".len();
                let byte = if copy.query[at..].starts_with('0') { "1" } else { "0" };
                copy.query.replace_range(at..=at, byte);
            }
        });
    });
}

impl Vector {
    fn signed_again(&self, name: &str) -> Signed {
        self.signed(if name.ends_with("(header)") { "header" } else { "query" }).unwrap()
    }
}

const NOW: u64 = 1_440_938_160;

fn claim(
    authorization: Option<&str>,
    query: &str,
    extra: &[(&'static str, &str)],
    now: u64,
) -> Result<Claim, AuthError> {
    let mut headers = HeaderMap::new();
    headers.insert("host", HeaderValue::from_static("h"));
    if let Some(value) = authorization {
        headers.insert("authorization", HeaderValue::try_from(value).unwrap());
        headers.insert("x-amz-date", HeaderValue::from_static("20150830T123600Z"));
    }
    for (name, value) in extra {
        headers.insert(*name, HeaderValue::try_from(*value).unwrap());
    }
    let verifier = Verifier { region: "us-east-1", service: "lambda", path: PathMode::Normalised };
    verifier.claim(&SignedParts { method: "GET", path: "/", query, headers: &headers }, now)
}

#[test]
fn what_is_refused_before_the_body() {
    let good = "AWS4-HMAC-SHA256 Credential=A/20150830/us-east-1/lambda/aws4_request,SignedHeaders=host;x-amz-date,Signature=0";
    let check = |value: &str, extra: &[(&'static str, &str)], now: u64, expect: &str| {
        let error = claim(Some(value), "", extra, now).unwrap_err().to_string();
        assert!(error.contains(expect), "{error}");
    };
    assert!(claim(Some(good), "", &[], NOW).is_ok());
    assert_eq!(claim(None, "", &[], NOW).unwrap_err(), AuthError::Missing);
    check("Basic x", &[], NOW, "requires the algorithm");
    check(&good.replace(",Signature=0", ""), &[], NOW, "requires 'Signature' parameter.");
    check(&good.replace("us-east-1", "eu-west-1"), &[], NOW, "scoped to a valid region, not 'eu-west-1'");
    check(&good.replace("lambda", "s3"), &[], NOW, "correct service: 'lambda'");
    check(&good.replace("20150830", "20150831"), &[], NOW, "Date in Credential scope");
    check(&good.replace("host;", ""), &[], NOW, "'host' must be a 'SignedHeader'");
    check(good, &[("x-amz-log-type", "Tail")], NOW, "'x-amz-log-type' must be a 'SignedHeader'");
    check(
        good,
        &[],
        NOW + 301,
        "Signature expired: 20150830T123600Z is now earlier than 20150830T123601Z (20150830T124101Z - 5 min.)",
    );
    check(good, &[], NOW - 301, "Signature not yet current: ");
    assert!(claim(Some(good), "", &[("x-amz-security-token", "t")], NOW + 300).is_ok());
    let both = claim(Some(good), "X-Amz-Signature=0", &[], NOW).unwrap_err();
    assert!(both.to_string().contains("only one signature"), "{both}");
}

#[test]
fn presigned_urls_expire() {
    let query = "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=A%2F20150830%2Fus-east-1%2Flambda%2Faws4_request\
                 &X-Amz-Date=20150830T123600Z&X-Amz-Expires=600&X-Amz-SignedHeaders=host&X-Amz-Signature=0";
    assert!(claim(None, query, &[], NOW + 600).is_ok());
    assert!(claim(None, query, &[], NOW + 601).is_err());
    for bad in ["0", "604801", "x", ""] {
        assert!(claim(None, &query.replace("=600", &format!("={bad}")), &[], NOW).is_err(), "{bad}");
    }
}
