//! Images are checked each time they are loaded, and made again when they are
//! not this host's own.

use bytes::Bytes;
use lamina_runtime::{CodeError, Config};
use lamina_types::Digest;
use serde_json::json;

use crate::support::{HOST_KEY, Host, open_artifacts};

const IMAGES: &str = "images";

/// A host with artifacts of its own, and another one over the same directory.
struct Fresh {
    folder: tempfile::TempDir,
}

impl Fresh {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn host(&self) -> Host {
        self.host_with_key(HOST_KEY)
    }

    fn host_with_key(&self, key: [u8; 32]) -> Host {
        let config = Config { instances_max: 10, ..Config::default() };
        Host::with_key(open_artifacts(self.folder.path()), config, key)
    }
}

async fn only_image(host: &Host) -> (String, Bytes) {
    let names = host.artifacts.list_derived(IMAGES).await.unwrap();
    assert_eq!(names.len(), 1, "{names:?}");
    let bytes = host.artifacts.get_derived(IMAGES, &names[0]).await.unwrap().unwrap();
    (names[0].clone(), bytes)
}

#[tokio::test]
async fn a_damaged_image_is_made_again() {
    let fresh = Fresh::new();
    let host = fresh.host();
    let function = host.function("hello").await;
    let greeting = json!({"message": "Hello, Ada!"});
    assert_eq!(host.run(&function, json!({"name": "Ada"})).await.answer(), greeting);
    let (name, image) = only_image(&host).await;

    let mut changed = image.to_vec();
    let middle = changed.len() / 2;
    changed[middle] ^= 1;
    for damaged in [changed, image[..image.len() / 2].to_vec(), Vec::new(), b"something else".to_vec()] {
        host.artifacts.put_derived(IMAGES, &name, damaged.clone().into()).await.unwrap();
        let host = fresh.host();
        assert_eq!(host.run(&function, json!({"name": "Ada"})).await.answer(), greeting);
        let (same_name, again) = only_image(&host).await;
        assert_eq!(same_name, name);
        assert!(again.len() > damaged.len() / 2 && again != damaged, "it was made again");
        // And taken as it is by the next host.
        let host = fresh.host();
        assert_eq!(host.run(&function, json!({"name": "Ada"})).await.answer(), greeting);
        assert_eq!(only_image(&host).await.1, again);
    }
}

#[tokio::test]
async fn an_image_of_another_host_is_made_again() {
    let fresh = Fresh::new();
    let host = fresh.host();
    let function = host.function("hello").await;
    host.code(&function).await.unwrap();
    let (name, image) = only_image(&host).await;
    let other = fresh.host_with_key([8; 32]);
    assert!(other.run(&function, json!({})).await.result.is_ok());
    let (same_name, others) = only_image(&other).await;
    assert_eq!(same_name, name);
    assert_ne!(others, image, "sealed with another key");
}

#[tokio::test]
async fn an_image_of_another_component_is_not_taken() {
    let fresh = Fresh::new();
    let host = fresh.host();
    let (hello, other) = (host.function("hello").await, host.function("guest-function").await);
    host.code(&other).await.unwrap();
    let (name, image) = only_image(&host).await;
    let name = name.replace(&other.component.to_string(), &hello.component.to_string());
    host.artifacts.put_derived(IMAGES, &name, image).await.unwrap();
    let answer = host.run(&hello, json!({"name": "Ada"})).await.answer();
    assert_eq!(answer, json!({"message": "Hello, Ada!"}));
}

#[tokio::test]
async fn a_missing_image_directory_costs_a_compilation_only() {
    let fresh = Fresh::new();
    let host = fresh.host();
    let function = host.function("hello").await;
    host.code(&function).await.unwrap();
    let (name, _) = only_image(&host).await;
    host.artifacts.remove_derived(IMAGES, &name).await.unwrap();
    assert!(fresh.host().run(&function, json!({})).await.result.is_ok());
    only_image(&host).await;
}

fn refused(error: &CodeError, component: &Digest, expect: &str) {
    match error {
        CodeError::Refused { component: named, reason } => {
            assert_eq!(named, component);
            assert!(reason.contains(expect), "{reason}");
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_revoked_component_runs_until_the_recheck_and_no_longer() {
    let host = Host::new();
    let function = host.function("hello").await;
    assert!(host.run(&function, json!({})).await.result.is_ok());
    assert_eq!(host.gate.asked(&function.component), 1);
    host.gate.refuse(function.component);
    assert!(host.run(&function, json!({})).await.result.is_ok(), "loaded code is not asked about at each call");
    host.runtime.recheck();
    let error = host.code(&function).await.err().unwrap();
    refused(&error, &function.component, "its key was revoked");
    refused(&host.runtime.prepare(&function.component).await.unwrap_err(), &function.component, "its key was revoked");
}

#[tokio::test]
async fn a_call_under_way_survives_the_recheck() {
    let host = Host::new();
    let function = host.function("guest-function").await;
    host.code(&function).await.unwrap();
    let run = host.run(&function, json!({"do": "sleep", "ms": 100}));
    let revoke = async {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        host.gate.refuse(function.component);
        host.runtime.recheck();
    };
    let (called, ()) = tokio::join!(run, revoke);
    assert_eq!(called.answer(), 100);
}

#[tokio::test]
async fn a_changed_artifact_is_refused() {
    let fresh = Fresh::new();
    let host = fresh.host();
    let function = host.function("hello").await;
    assert!(host.run(&function, json!({})).await.result.is_ok());
    let hex = function.component.to_string();
    let path = fresh.folder.path().join("sha256").join(&hex[..2]).join(&hex[2..]);
    let mut bytes = std::fs::read(&path).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    std::fs::remove_file(&path).unwrap();
    std::fs::write(&path, &bytes).unwrap();
    host.runtime.recheck();
    refused(&host.code(&function).await.err().unwrap(), &function.component, "damaged");
    std::fs::remove_file(&path).unwrap();
    refused(&host.code(&function).await.err().unwrap(), &function.component, "missing");
}

#[tokio::test]
async fn many_callers_load_once() {
    let host = Host::new();
    let function = host.function("hello").await;
    let load = || async { host.code(&function).await.unwrap().init.is_some() };
    let waited = tokio::join!(load(), load(), load(), load());
    assert_eq!(waited, (true, true, true, true));
    assert_eq!(host.gate.asked(&function.component), 1);
    assert!(!load().await, "it is there");
    host.runtime.forget(&function.component);
    assert!(load().await);
    assert_eq!(host.gate.asked(&function.component), 2);
}

#[tokio::test]
async fn a_full_compile_queue_says_so() {
    let fresh = Fresh::new();
    let config = Config { instances_max: 10, compile_queue_max: 0, ..Config::default() };
    let host = Host::on(open_artifacts(fresh.folder.path()), config);
    let function = host.function("hello").await;
    let error = host.runtime.prepare(&function.component).await.unwrap_err();
    assert!(matches!(error, CodeError::QueueFull { max: 0 }), "{error:?}");
}

#[tokio::test]
async fn what_the_platform_cannot_give_is_named() {
    let host = Host::new();
    let component = wat::parse_str(
        r#"(component
            (import "other:package/thing" (instance $i (export "f" (func))))
            (instance $empty)
            (export "wasi:http/incoming-handler@0.2.3" (instance $empty))
        )"#,
    );
    let function = host.function_of(&component.unwrap()).await;
    let error = host.runtime.prepare(&function.component).await.unwrap_err();
    assert!(matches!(error, CodeError::Unusable { .. }), "{error:?}");
    assert!(error.to_string().contains("other:package/thing"), "{error}");
}

#[tokio::test]
async fn a_component_of_too_many_memories_cannot_run() {
    let host = Host::new();
    let modules = |count: usize| {
        let instances = "(core instance (instantiate $extra))".repeat(count);
        let text = format!(
            r#"(component
                (core module $extra (memory 1))
                {instances}
                (instance $empty)
                (export "wasi:http/incoming-handler@0.2.3" (instance $empty))
            )"#
        );
        wat::parse_str(text).unwrap()
    };
    let function = host.function_of(&modules(17)).await;
    let error = host.runtime.prepare(&function.component).await.unwrap_err();
    assert!(error.to_string().contains("memories"), "{error}");
    let function = host.function_of(&modules(257)).await;
    let error = host.runtime.prepare(&function.component).await.unwrap_err();
    assert!(matches!(error, CodeError::Unusable { .. }), "{error:?}");
}
