//! What is admitted as a function, and what is refused with which words.

use harness::{Options, Platform, creation, tiny};
use lamina_signing::SecretKey;
use serde_json::json;

use crate::common::{PROGRAM, common};

const FUNCTIONS: &str = "/2015-03-31/functions";

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_function_is_refused_with_the_export_it_lacks() {
    let common = common().await;
    let client = &common.platform.client;
    let check = async |code: &[u8], text: &str| {
        let reply = client.json("POST", FUNCTIONS, &creation("refused", code)).await;
        reply.refused(400, "InvalidParameterValueException", text);
    };
    let other = common.platform.sign(&tiny::other_world());
    for export in [
        "lamina:function/handler@0.1.0",
        "lamina:function/stream-handler@0.1.0",
        "wasi:http/incoming-handler@0.2.x",
        "example:other/thing",
    ] {
        check(&other, export).await;
    }
    check(&tiny::core_module(), "a core WebAssembly module").await;
    check(&tiny::core_module(), "lamina:function/handler").await;
    check(b"garbage", "").await;
    check(&[], "").await;
    check(b"PK\x03\x04 no zip", "Could not unzip uploaded file. Please check your file, then try to upload again.")
        .await;
    let signed = common.platform.sign(&tiny::echo());
    check(&zip("main.wasm", &signed), "bootstrap.wasm").await;
    client.get("/2015-03-31/functions/refused").await.expect(404);
}

#[tokio::test(flavor = "multi_thread")]
async fn code_that_nobody_trusted_has_signed_is_refused() {
    let common = common().await;
    let client = &common.platform.client;
    let echo = tiny::echo();
    let check = async |code: &[u8], error: &str, text: &str| {
        client.json("POST", FUNCTIONS, &creation("refused", code)).await.refused(400, error, text);
    };
    check(&echo, "CodeVerificationFailedException", "").await;
    let stranger = SecretKey::from_random(&[9; 32]);
    let foreign = lamina_signing::sign(&echo, &stranger).unwrap();
    check(&foreign, "CodeVerificationFailedException", stranger.public().id().as_str()).await;
    // One byte of the signed content, and one of the signature.
    let signed = common.platform.sign(&echo);
    for at in [signed.len() - 1, 100] {
        let mut tampered = signed.clone();
        tampered[at] ^= 1;
        check(&tampered, "InvalidCodeSignatureException", "").await;
    }
    // Update is no way around it: the function stays what it was.
    let body = json!({ "ZipFile": creation("f", &echo)["Code"]["ZipFile"] });
    let reply = client.json("PUT", "/2015-03-31/functions/hello/code", &body).await;
    reply.refused(400, "CodeVerificationFailedException", "");
    let reply = common.platform.invoke("hello", &json!({"name": "Ada"})).await.expect(200);
    assert_eq!(reply.text(), r#"{"message":"Hello, Ada!"}"#);
    // One trusted signer among others is enough.
    let both = common.platform.sign(&foreign);
    common.platform.create(&creation("signed-by-two", &both)).await;
    client.call("DELETE", "/2015-03-31/functions/signed-by-two", "").await.expect(204);
}

#[tokio::test(flavor = "multi_thread")]
async fn zips_hold_a_component_as_bootstrap_wasm() {
    let common = common().await;
    let signed = common.platform.sign(&tiny::constant("\"zipped\""));
    common.platform.create(&creation("zipped", &zip("bootstrap.wasm", &signed))).await;
    let reply = common.platform.invoke("zipped", &json!({})).await.expect(200);
    assert_eq!(reply.text(), "\"zipped\"");
    common.platform.client.call("DELETE", "/2015-03-31/functions/zipped", "").await.expect(204);
}

/// `warn` runs unsigned code and says so; what is signed wrongly stays refused.
#[tokio::test(flavor = "multi_thread")]
async fn warn_admits_unsigned_code_loudly() {
    let platform = Platform::start(Options::new(PROGRAM).signing("warn")).await;
    let started = platform.stderr();
    assert!(started.to_lowercase().contains("warn"), "nothing is said about signatures:\n{started}");
    platform.create(&creation("unsigned", &tiny::echo())).await;
    assert_eq!(platform.invoke("unsigned", &json!(1)).await.expect(200).text(), "1");
    let said = platform.stderr();
    let said = said.strip_prefix(&started).unwrap();
    assert!(said.contains("WARN") && said.contains("not signed"), "nothing is said about the function: {said}");
    let mut tampered = platform.sign(&tiny::echo());
    *tampered.last_mut().unwrap() ^= 1;
    let reply = platform.client.json("POST", FUNCTIONS, &creation("tampered", &tampered)).await;
    reply.refused(400, "InvalidCodeSignatureException", "");
}

#[tokio::test(flavor = "multi_thread")]
async fn off_asks_nobody_and_says_so_at_the_start() {
    let platform = Platform::start(Options::new(PROGRAM).signing("off")).await;
    let said = platform.stderr().to_lowercase();
    assert!(said.contains("signature") && said.contains("off"), "nothing is said: {said}");
    let foreign = lamina_signing::sign(&tiny::echo(), &SecretKey::from_random(&[9; 32])).unwrap();
    platform.create(&creation("unsigned", &tiny::echo())).await;
    platform.create(&creation("foreign", &foreign)).await;
    for name in ["unsigned", "foreign"] {
        assert_eq!(platform.invoke(name, &json!(1)).await.expect(200).text(), "1");
    }
    let status = platform.client.get("/lamina/v1/status").await.expect(200).json();
    assert_eq!(status["Signing"], "off");
}

/// While an update compiles, and when it fails, the code before it serves.
#[tokio::test(flavor = "multi_thread")]
async fn the_previous_code_serves_until_the_new_one_is_ready() {
    let common = common().await;
    let platform = &common.platform;
    platform.deploy("changing", &tiny::constant("1")).await;
    let large = platform.sign(&harness::javascript::server());
    let body = json!({ "ZipFile": creation("f", &large)["Code"]["ZipFile"] });
    let update = platform.client.json("PUT", "/2015-03-31/functions/changing/code", &body).await.expect(200).json();
    assert_eq!(update["LastUpdateStatus"], "InProgress");
    assert_eq!(platform.invoke("changing", &json!({})).await.expect(200).text(), "1");
    let conflict = platform.client.json("PUT", "/2015-03-31/functions/changing/code", &body).await;
    conflict.refused(
        409,
        "ResourceConflictException",
        "An update is in progress for resource: arn:aws:lambda:us-east-1:000000000000:function:changing",
    );
    assert_eq!(platform.active("changing").await["LastUpdateStatus"], "Successful");
    let served = platform.invoke("changing", &json!({})).await;
    assert!(served.text().contains("function-http"), "the new code is a server: {served:?}");
    platform.client.call("DELETE", "/2015-03-31/functions/changing", "").await.expect(204);
}

/// A zip of one entry, stored: local header, central directory, end record.
fn zip(name: &str, content: &[u8]) -> Vec<u8> {
    let half = |value: usize| u16::try_from(value).unwrap().to_le_bytes();
    let word = |value: usize| u32::try_from(value).unwrap().to_le_bytes();
    let crc = crc32(content).to_le_bytes();
    // Version 2.0, no flags, stored, no time.
    let mut common = vec![20, 0, 0, 0, 0, 0, 0, 0, 0x21, 0];
    common.extend([crc, word(content.len()), word(content.len())].concat());
    common.extend([half(name.len()), half(0)].concat());
    let local = [b"PK\x03\x04".as_slice(), &common, name.as_bytes(), content].concat();
    let central = [b"PK\x01\x02\x14\x00".as_slice(), &common, &[0; 14], name.as_bytes()].concat();
    let end =
        [b"PK\x05\x06\0\0\0\0\x01\0\x01\0".as_slice(), &word(central.len()), &word(local.len()), &[0; 2]].concat();
    [local, central, end].concat()
}

fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, _| if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
    !bytes.iter().fold(u32::MAX, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), step))
}
