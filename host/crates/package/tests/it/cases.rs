//! The table of what becomes of packages (`cases.json`). The platform's tests take the
//! same table through `lamina verify` and through the server.

use lamina_package::{Package, VerifyError, sign, verify};
use lamina_signing::SecretKey;
use serde_json::Value;

use crate::build::{Made, file, zip};

/// The package of every case, its files by name, content and mode.
const FILES: &[(&str, &str)] = &[
    ("lambda_function.py", "def lambda_handler(event, context):\n    return event\n"),
    ("lib/helper.py", "answer = 42\n"),
];

fn key(name: &str) -> SecretKey {
    SecretKey::from_random(&[name.as_bytes()[0]; 32])
}

/// The files of a zip, as they can be changed.
fn unpacked(zip: &[u8]) -> Vec<Made> {
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(zip)).unwrap();
    let mut files = Vec::new();
    for at in 0..archive.len() {
        let mut entry = archive.by_index(at).unwrap();
        let mut content = Vec::new();
        std::io::copy(&mut entry, &mut content).unwrap();
        let mut made = file(&entry.name().unwrap(), &content);
        made.mode = entry.unix_mode().unwrap() as u16;
        files.push(made);
    }
    files
}

/// What was done to a package after it was signed.
fn change(files: &mut Vec<Made>, then: &Value) {
    let Some((what, arguments)) = then.as_object().and_then(|then| then.iter().next()) else { return };
    let argument = |at: usize| arguments[at].as_str().unwrap();
    let at = |files: &[Made], name: &str| files.iter().position(|file| file.name == name.as_bytes()).unwrap();
    match what.as_str() {
        "Add" => files.push(file(argument(0), argument(1).as_bytes())),
        "Change" => {
            let at = at(files, argument(0));
            files[at] = Made { mode: files[at].mode, ..file(argument(0), argument(1).as_bytes()) };
        }
        "Rename" => {
            let at = at(files, argument(0));
            files[at].name = argument(1).as_bytes().to_vec();
        }
        "Remove" => {
            let at = at(files, argument(0));
            files.remove(at);
        }
        "Mode" => {
            let at = at(files, argument(0));
            files[at].mode = 0o100_000 | u16::from_str_radix(argument(1), 8).unwrap();
        }
        "Swap" => {
            let (one, other) = (at(files, argument(0)), at(files, argument(1)));
            let name = files[one].name.clone();
            files[one].name = std::mem::replace(&mut files[other].name, name);
        }
        "Repack" => files.reverse(),
        "Signature" => {
            let at = at(files, "META-INF/lamina.sig");
            let place: isize = argument(0).parse().unwrap();
            let place = place.rem_euclid(files[at].data.len() as isize) as usize;
            let mut content = files[at].data.clone();
            content[place] ^= 1;
            files[at] = file("META-INF/lamina.sig", &content);
        }
        other => panic!("no such change: {other}"),
    }
}

/// The package of a case, `a` being the trusted key.
fn made(case: &Value) -> Vec<u8> {
    let plain: Vec<Made> = FILES.iter().map(|(name, text)| file(name, text.as_bytes())).collect();
    let signers = case["Sign"].as_array().unwrap().iter().map(|name| key(name.as_str().unwrap()));
    let signed = signers.fold(zip(&plain), |zip, key| sign(&zip, &key).unwrap().bytes);
    let mut files = unpacked(&signed);
    change(&mut files, &case["Then"]);
    if case["Then"].is_null() { signed } else { zip(&files) }
}

#[test]
fn every_case_ends_as_the_table_says() {
    let cases: Vec<Value> = serde_json::from_str(include_str!("../cases.json")).unwrap();
    assert!(cases.len() > 15);
    for case in &cases {
        let zip = made(case);
        let verdict = Package::read(&zip)
            .map_err(VerifyError::from)
            .and_then(|package| verify(&package, None, &[key("a").public(), key("c").public()]));
        let name = match &verdict {
            Ok(_) => "Verified",
            Err(VerifyError::Zip(_)) => "Zip",
            Err(VerifyError::NotSigned) => "NotSigned",
            Err(VerifyError::Malformed(_)) => "Malformed",
            Err(VerifyError::OtherSigners { .. }) => "OtherSigners",
            Err(VerifyError::Forged { .. }) => "Forged",
            Err(VerifyError::Changed { .. }) => "Changed",
        };
        assert_eq!(name, case["Verdict"], "{}: {verdict:?}", case["What"]);
        if let (Err(error), Some(says)) = (&verdict, case["Says"].as_str()) {
            assert!(error.to_string().contains(says), "{}: {error}", case["What"]);
        }
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
    let mut files = unpacked(&two.bytes);
    files.push(file("c", b"3"));
    let again = sign(&zip(&files), &key("b")).unwrap();
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
