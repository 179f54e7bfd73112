use lamina_types::{LogFormat, LogLevel};
use serde_json::{Value, json};

use super::*;
use crate::error::Invalid;
use crate::naming::Owner;

fn create(change: Value) -> Result<CreateFunction, Invalid> {
    let mut body = json!({
        "FunctionName": "f",
        "Runtime": "provided.al2023",
        "Role": "arn:aws:iam::000000000000:role/r",
        "Handler": "bootstrap.wasm",
        "Code": { "ZipFile": "AGFzbQ==" },
    });
    for (name, value) in change.as_object().unwrap() {
        body[name] = value.clone();
    }
    let owner = Owner { region: "us-east-1".parse().unwrap(), account: "000000000000".parse().unwrap() };
    CreateFunction::parse(body.to_string().as_bytes(), &owner)
}

fn update(body: Value) -> Result<UpdateConfiguration, Invalid> {
    UpdateConfiguration::parse(body.to_string().as_bytes())
}

#[test]
fn defaults_are_lambdas() {
    let made = create(json!({})).unwrap();
    assert_eq!(made.code, b"\0asm");
    let configuration = made.configuration;
    assert_eq!((configuration.timeout_s, configuration.memory.0), (3, 128));
    assert_eq!((configuration.description.as_str(), configuration.architecture.as_str()), ("", "x86_64"));
    assert_eq!((configuration.environment, configuration.log_group, made.publish), (None, None, false));
}

#[test]
fn layer_one_names_every_violation() {
    let check = |change: Value, expect: &[&str]| match create(change.clone()) {
        Err(Invalid::Validation(text)) => {
            for part in expect {
                assert!(text.contains(part), "{change}: {text}");
            }
            assert!(text.starts_with(&format!("{} validation error", expect.len())), "{text}");
        }
        other => panic!("{change}: {other:?}"),
    };
    check(json!({"FunctionName": null}), &["Value null at 'functionName'"]);
    check(json!({"FunctionName": "a b", "Role": "r"}), &["Value 'a b' at 'functionName'", "Value 'r' at 'role'"]);
    check(json!({"Code": null, "Role": null}), &["Value null at 'code'", "Value null at 'role'"]);
    check(json!({"MemorySize": 64, "Timeout": 0}), &["'64' at 'memorySize'", "'0' at 'timeout'"]);
    check(json!({"Handler": "a b"}), &["at 'handler'"]);
    check(json!({"Description": "x".repeat(257)}), &["at 'description'"]);
    check(json!({"Architectures": ["mips"]}), &["'[mips]' at 'architectures'"]);
    check(json!({"Environment": {"Variables": {"A": "1"}}}), &["'{A=1}' at 'environment.variables'"]);
    check(json!({"LoggingConfig": {"LogGroup": "a b"}}), &["at 'loggingConfig.logGroup'"]);
    check(json!({"SnapStart": {"ApplyOn": "x"}}), &["at 'snapStart.applyOn'"]);
    check(json!({"EphemeralStorage": {"Size": 1}}), &["at 'ephemeralStorage.size'"]);
    check(json!({"PackageType": "Tar"}), &["at 'packageType'"]);
}

#[test]
fn layer_two_says_one_thing() {
    let check = |change: Value, expect: &str| match create(change.clone()) {
        Err(Invalid::Parameter(text)) => assert!(text.contains(expect), "{change}: {text}"),
        other => panic!("{change}: {other:?}"),
    };
    check(json!({"MemorySize": 20_000}), "less than or equal to 10240");
    check(json!({"Timeout": 901}), "less than or equal to 900");
    check(
        json!({"Runtime": "cobol"}),
        "Value cobol at 'runtime' failed to satisfy constraint: Member must satisfy enum",
    );
    check(json!({"Runtime": "custom"}), "Runtime custom is not supported yet: ");
    check(json!({"Runtime": "python3.7"}), "The runtime parameter of python3.7 is no longer supported");
    check(json!({"Runtime": null}), "Runtime and Handler are mandatory");
    check(json!({"FunctionName": "x".repeat(65)}), "less than or equal to 64");
    check(json!({"Environment": {"Variables": {"AWS_REGION": "x", "_HANDLER": "y"}}}), "AWS_REGION, _HANDLER");
    check(json!({"Code": {"ZipFile": ""}}), "ZipFile is missing or empty");
    check(json!({"Code": {"S3Bucket": "b", "S3Key": "k"}}), "S3Bucket is not supported yet: ");
    check(json!({"Code": {"ImageUri": "i"}}), "ImageUri is not supported yet: ");
    check(json!({"PackageType": "Image"}), "PackageType Image is not supported yet: ");
    check(json!({"LoggingConfig": {"SystemLogLevel": "INFO"}}), "LogLevel is not supported when LogFormat");
    check(json!({"Tags": {"aws:x": "1"}}), "aws: is a reserved prefix");
}

#[test]
fn logging_is_json_with_levels_or_text() {
    let check = |change: Value, expect: LogFormat| {
        let made = create(json!({ "LoggingConfig": change })).unwrap();
        assert_eq!(made.configuration.log_format, expect, "{change}");
    };
    let json = |application, system| LogFormat::Json { application, system };
    check(json!({"LogFormat": "Text"}), LogFormat::Text);
    check(json!({"LogFormat": "JSON"}), json(LogLevel::Info, LogLevel::Info));
    check(
        json!({"LogFormat": "JSON", "ApplicationLogLevel": "TRACE", "SystemLogLevel": "WARN"}),
        json(LogLevel::Trace, LogLevel::Warn),
    );
}

#[test]
fn snap_start_is_on_or_off() {
    for (given, expect) in [("PublishedVersions", true), ("None", false)] {
        let change = json!({"SnapStart": {"ApplyOn": given}});
        assert_eq!(create(change.clone()).unwrap().configuration.snap_start, expect);
        let update = UpdateConfiguration::parse(change.to_string().as_bytes()).unwrap();
        assert_eq!(update.change.snap_start, Some(expect));
    }
    assert!(!create(json!({})).unwrap().configuration.snap_start);
    assert_eq!(UpdateConfiguration::parse(b"{}").unwrap().change.snap_start, None);
}

#[test]
fn members_that_do_nothing_yet_are_refused_by_name() {
    let cases = [
        ("TracingConfig", json!({"Mode": "Active"}), json!({"Mode": "PassThrough"})),
        ("EphemeralStorage", json!({"Size": 513}), json!({"Size": 512})),
        ("Layers", json!(["arn"]), json!([])),
        ("VpcConfig", json!({"SubnetIds": ["s"]}), json!({"SubnetIds": [], "SecurityGroupIds": []})),
        ("DeadLetterConfig", json!({"TargetArn": "arn"}), json!({"TargetArn": ""})),
        ("KMSKeyArn", json!("arn"), json!("")),
        ("FileSystemConfigs", json!([{"Arn": "a"}]), json!([])),
        ("ImageConfig", json!({"Command": ["c"]}), json!({})),
        ("DurableConfig", json!({"ExecutionTimeout": 1}), Value::Null),
        ("CapacityProviderConfig", json!({}), Value::Null),
        ("TenancyConfig", json!({"TenantIsolationMode": "PER_TENANT"}), Value::Null),
        ("PublishTo", json!("LATEST_PUBLISHED"), Value::Null),
        ("CodeSigningConfigArn", json!("arn"), Value::Null),
        ("NoSuchMember", json!(1), Value::Null),
    ];
    for (name, refused, passes) in cases {
        match create(json!({ name: refused })) {
            Err(Invalid::Parameter(text)) => {
                assert!(text.starts_with(&format!("{name} is not supported yet: ")), "{text}");
            }
            other => panic!("{name}: {other:?}"),
        }
        assert!(create(json!({ name: passes })).is_ok(), "{name}");
    }
}

#[test]
fn the_environment_has_4096_bytes() {
    let with = |bytes: usize| create(json!({"Environment": {"Variables": {"AB": "x".repeat(bytes - 9)}}}));
    assert!(with(4096).is_ok());
    match with(4097) {
        Err(Invalid::Parameter(text)) => assert!(text.contains("exceeded the 4KB limit. String measured: {\"AB\"")),
        other => panic!("{other:?}"),
    }
    let empty = create(json!({"Environment": {"Variables": {}}})).unwrap();
    assert_eq!(empty.configuration.environment.map(|variables| variables.len()), Some(0));
}

#[test]
fn updates_keep_what_is_left_out() {
    let change = update(json!({"Timeout": 5, "RevisionId": "r"})).unwrap();
    assert_eq!(change.change.timeout_s, Some(5));
    assert_eq!(change.change.memory, None);
    assert_eq!(change.revision.as_deref(), Some("r"));
    assert!(matches!(update(json!({"Timeout": "5"})), Err(Invalid::Serialization(_))));
    assert!(matches!(update(json!({"Tags": {}})), Err(Invalid::Parameter(_))));
}

#[test]
fn code_and_versions() {
    let body = br#"{"ZipFile":"AGFzbQ==","Publish":true,"DryRun":true,"Architectures":["arm64"]}"#;
    let code = UpdateCode::parse(body).unwrap();
    assert_eq!((code.publish, code.dry_run, code.architecture.as_deref()), (true, true, Some("arm64")));
    assert!(UpdateCode::parse(b"{}").is_err());
    assert_eq!(PublishVersion::parse(b"").unwrap(), PublishVersion::default());
    assert!(PublishVersion::parse(br#"{"PublishTo":"LATEST_PUBLISHED"}"#).is_err());
}
