//! The table of what becomes of packages (`cases.json`). The platform's tests take the
//! same table through `lamina verify` and through the server.

use lamina_package::{Package, VerifyError, sign, verify};
use lamina_signing::SecretKey;
use serde_json::Value;

use crate::build::{file, zip};
use crate::made::{Case, made};

/// Of no world: only its signature is looked at here.
const COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";

fn key(name: &str) -> SecretKey {
    SecretKey::from_random(&[name.as_bytes()[0]; 32])
}

/// Signs as `lamina sign` does: of a zip that holds nothing else, the component.
fn signed(bytes: &[u8], name: &str) -> Vec<u8> {
    if !bytes.starts_with(b"PK") {
        return lamina_signing::sign(bytes, &key(name)).unwrap();
    }
    match Package::read(bytes).unwrap().component().unwrap() {
        Some(component) => lamina_package::sign_component(&component, &key(name)).unwrap(),
        None => sign(bytes, &key(name)).unwrap().bytes,
    }
}

/// What becomes of a case's signatures, and the reason, when `a` and `c` are trusted.
fn verdict(Case { zip, detached }: &Case) -> (&'static str, String) {
    let keys = [key("a").public(), key("c").public()];
    let package = Package::read(zip);
    if let Ok(Some(component)) = package.as_ref().map_or(Ok(None), Package::component) {
        return match lamina_signing::verify(&component, &keys) {
            Ok(_) => ("Verified", String::new()),
            Err(lamina_signing::VerifyError::NotSigned) => ("NotSigned", "the component is not signed".into()),
            Err(error) => panic!("{error}"),
        };
    }
    let verdict = package.map_err(VerifyError::from);
    let Err(error) = verdict.and_then(|package| verify(&package, detached.as_deref(), &keys)) else {
        return ("Verified", String::new());
    };
    let name = match &error {
        VerifyError::Zip(_) => "Zip",
        VerifyError::NotSigned => "NotSigned",
        VerifyError::Malformed(_) => "Malformed",
        VerifyError::OtherSigners { .. } => "OtherSigners",
        VerifyError::Forged { .. } => "Forged",
        VerifyError::Changed { .. } => "Changed",
    };
    (name, error.to_string())
}

#[test]
fn every_case_ends_as_the_table_says() {
    let cases: Vec<Value> = serde_json::from_str(include_str!("../cases.json")).unwrap();
    assert!(cases.len() > 40);
    for case in &cases {
        let detach = |zip: &[u8], earlier: Option<&[u8]>, name: &str| {
            lamina_package::sign_detached(zip, earlier, &key(name)).unwrap().bytes
        };
        let (name, reason) = verdict(&made(case, COMPONENT, signed, detach));
        assert_eq!(name, case["Verdict"], "{}: {reason}", case["What"]);
        let says = case["Says"].as_str().unwrap_or_default();
        assert!(reason.contains(says), "{}: {reason}", case["What"]);
    }
}

/// Signers in the order in which they signed; those of other files go.
#[test]
fn signing_again_and_others_signing() {
    let plain = zip(&[file("a", b"1"), file("b", b"2")]);
    let one = sign(&plain, &key("a")).unwrap();
    let two = sign(&one.bytes, &key("b")).unwrap();
    assert_eq!(two.signers, [key("a").public().id(), key("b").public().id()]);
    assert_eq!(sign(&two.bytes, &key("a")).unwrap(), two);
    assert_eq!(lamina_package::unsign(&two.bytes).unwrap(), plain);
    let more = serde_json::json!({ "Sign": ["a", "b"], "Then": { "Add": ["c", "3"] } });
    let more = made(&more, COMPONENT, signed, |_, _, _| panic!("nothing is detached"));
    let again = sign(&more.zip, &key("b")).unwrap();
    assert_eq!(again.signers, [key("b").public().id()]);
    assert!(verify(&Package::read(&again.bytes).unwrap(), None, &[key("b").public()]).is_ok());
}

/// The listing and the entry byte by byte, so that neither changes unnoticed.
#[test]
fn the_format_is_as_it_is_drawn() {
    let plain = zip(&[file("b", b""), file("a", b"1")]);
    let listing = lamina_package::Listing::of(&Package::read(&plain).unwrap()).unwrap();
    let expect = "lamina package 1\n\
        644 6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b a\n\
        644 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 b\n";
    assert_eq!(listing.text(), expect);
    let detached = lamina_package::sign_detached(&plain, None, &key("a")).unwrap().bytes;
    let (head, rest) = detached.split_at(5 + 1 + 32 + 1 + 1 + 1 + 16 + 1 + 1 + 64);
    assert_eq!(rest, expect.as_bytes());
    assert_eq!(head.get(..6).unwrap(), [1, 1, 1, 1, 118, 1]);
    assert_eq!(head.get(6..38).unwrap(), listing.digest().as_bytes());
    assert_eq!(head.get(38..41).unwrap(), [1, 83, 16]);
}
