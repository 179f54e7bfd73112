use super::*;

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

fn find(args: &TargetArgs, variables: &[(&'static str, &str)]) -> Result<Target, Failure> {
    block_on(Target::find(args, &Environment::of(variables)))
}

/// A data directory with a platform at this port.
fn data(port: u16) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("endpoint"), format!("http://127.0.0.1:{port}\neu-west-3\n")).unwrap();
    let credentials = r#"{"Version":1,"AccessKeyId":"OURS","SecretAccessKey":"s"}"#;
    std::fs::write(dir.path().join("credentials.json"), credentials).unwrap();
    dir
}

fn of_data(dir: &tempfile::TempDir) -> TargetArgs {
    TargetArgs { data: Some(dir.path().to_owned()), ..TargetArgs::default() }
}

#[test]
fn a_data_directory_brings_everything() {
    let dir = data(4701);
    let target = find(&of_data(&dir), &[("AWS_REGION", "us-west-2"), ("AWS_ACCESS_KEY_ID", "THEIRS")]).unwrap();
    assert_eq!(target.endpoint.to_string(), "http://127.0.0.1:4701");
    assert_eq!((target.region.as_str(), target.credentials.access_key_id()), ("eu-west-3", "OURS"));

    let args = TargetArgs { endpoint: Some("http://proxy:80".into()), region: Some("x-1".into()), ..of_data(&dir) };
    let target = find(&args, &[]).unwrap();
    assert_eq!(target.endpoint.to_string(), "http://proxy:80");
    assert_eq!((target.region.as_str(), target.credentials.access_key_id()), ("x-1", "OURS"));
}

#[test]
fn a_platform_with_a_certificate_is_known_by_it() {
    let dir = data(4701);
    assert_eq!(find(&of_data(&dir), &[]).unwrap().trust, Trust::System);
    std::fs::write(dir.path().join("endpoint"), "https://127.0.0.1:1\nus-east-1\n/a/cert.pem\n").unwrap();
    let target = find(&of_data(&dir), &[]).unwrap();
    assert_eq!((target.endpoint.to_string().as_str(), target.endpoint.is_tls()), ("https://127.0.0.1:1", true));
    assert_eq!(target.trust, Trust::Certificate("/a/cert.pem".into()));
    let variable = [("LAMINA_CA_CERT", "/v.pem")];
    assert_eq!(find(&of_data(&dir), &variable).unwrap().trust, Trust::Authorities("/v.pem".into()));
    let flagged = TargetArgs { ca_cert: Some("/f.pem".into()), ..of_data(&dir) };
    assert_eq!(find(&flagged, &variable).unwrap().trust, Trust::Authorities("/f.pem".into()));
}

#[test]
fn what_is_nearer_wins() {
    let dir = data(4701);
    let path = dir.path().to_str().unwrap();
    let keys = [("AWS_ACCESS_KEY_ID", "THEIRS"), ("AWS_SECRET_ACCESS_KEY", "s")];
    let check = |args: &TargetArgs, variables: &[(&'static str, &str)], expect: &str| {
        let all: Vec<_> = keys.iter().chain(variables).copied().collect();
        assert_eq!(find(args, &all).unwrap().endpoint.to_string(), expect, "{variables:?}");
    };
    let none = TargetArgs::default();
    let flag = TargetArgs { endpoint: Some("http://flag:1".into()), ..TargetArgs::default() };
    check(&flag, &[("LAMINA_ENDPOINT", "http://env:1"), ("LAMINA_DATA", path)], "http://flag:1");
    check(&of_data(&dir), &[("LAMINA_ENDPOINT", "http://env:1")], "http://127.0.0.1:4701");
    check(&none, &[("LAMINA_ENDPOINT", "http://env:1"), ("LAMINA_DATA", path)], "http://env:1");
    check(&none, &[("LAMINA_DATA", path), ("AWS_ENDPOINT_URL", "http://aws:1")], "http://127.0.0.1:4701");
    let both = [("AWS_ENDPOINT_URL_LAMBDA", "http://lambda:1"), ("AWS_ENDPOINT_URL", "http://aws:1")];
    check(&none, &both, "http://lambda:1");
}

#[test]
fn profiles() {
    let home = tempfile::tempdir().unwrap();
    let aws = home.path().join(".aws");
    std::fs::create_dir(&aws).unwrap();
    let config = "# mine\n[default]\nregion = us-west-1\n\n[profile \"far\"]\nregion=eu-north-1\n\
                  endpoint_url = http://far:1/\ns3 =\n  region = wrong\n[profile run]\nendpoint_url = http://run:1\n\
                  credential_process = printf '{\"Version\":1,\"AccessKeyId\":\"RUN\",\"SecretAccessKey\":\"s\"}'\n\
                  [profile sso]\nendpoint_url = http://sso:1\nsso_session = x\n\
                  [profile served]\nservices = mine\nendpoint_url = http://all:1\nregion = eu-1\n\
                  aws_access_key_id = SERVED\naws_secret_access_key = s\n\
                  [services mine]\ns3 =\n  endpoint_url = http://s3:1\nlambda =\n  endpoint_url = http://lambda:1\n\
                  [profile lost]\nservices = nowhere\n[profile silent]\nregion = eu-1\n\
                  [profile role]\nendpoint_url = http://h:1\nrole_arn = arn:aws:iam::000000000000:role/r\n\
                  source_profile = far\n";
    std::fs::write(aws.join("config"), config).unwrap();
    std::fs::write(aws.join("credentials"), "[far]\naws_access_key_id = FAR\naws_secret_access_key = a=b\n").unwrap();
    let home = home.path().to_str().unwrap();

    let check = |profile: &str, expect: (&str, &str, &str)| {
        let target = find(&TargetArgs::default(), &[("HOME", home), ("AWS_PROFILE", profile)]).unwrap();
        let found = (target.endpoint.to_string(), target.region, target.credentials.access_key_id().to_owned());
        assert_eq!((found.0.as_str(), found.1.as_str(), found.2.as_str()), expect);
    };
    check("far", ("http://far:1", "eu-north-1", "FAR"));
    check("run", ("http://run:1", "us-east-1", "RUN"));
    check("served", ("http://lambda:1", "eu-1", "SERVED"));

    let asked = TargetArgs { profile: Some("far".into()), ..TargetArgs::default() };
    let theirs = [("HOME", home), ("AWS_ACCESS_KEY_ID", "ENV"), ("AWS_SECRET_ACCESS_KEY", "s")];
    assert_eq!(find(&asked, &theirs).unwrap().credentials.access_key_id(), "FAR");

    let refused =
        |profile: &str| find(&TargetArgs::default(), &[("HOME", home), ("AWS_PROFILE", profile)]).unwrap_err();
    assert!(refused("sso").text().contains("has no credentials"));
    assert!(refused("nobody").text().contains("there is no AWS profile `nobody`"));
    assert!(refused("lost").text().contains("there is no section [services nowhere]"));
    assert_eq!(refused("role").text(), "AWS profile `role` has role_arn: this command does not assume roles");
    assert_eq!(refused("silent").text(), "AWS profile `silent` names no endpoint for Lambda");
    let flagged = TargetArgs { profile: Some("silent".into()), ..TargetArgs::default() };
    assert!(find(&flagged, &[("HOME", home)]).unwrap_err().text().contains("`silent` names no endpoint"));
    let ignored = [("HOME", home), ("AWS_PROFILE", "far"), ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true")];
    assert!(find(&TargetArgs::default(), &ignored).unwrap_err().text().contains("AWS_IGNORE_CONFIGURED"));
}

#[test]
fn what_is_missing_is_told_with_a_next_step() {
    let dir = tempfile::tempdir().unwrap();
    let failure = find(&of_data(&dir), &[]).unwrap_err();
    assert!(failure.text().starts_with("no platform has been started on"), "{}", failure.text());
    assert!(failure.next_step().unwrap().starts_with("start the platform: lamina serve --data "));

    std::fs::write(dir.path().join("endpoint"), "http://127.0.0.1:1\n").unwrap();
    let failure = find(&of_data(&dir), &[]).unwrap_err();
    assert!(failure.text().contains("credentials.json"), "{}", failure.text());

    let url = |url: &str| TargetArgs { endpoint: Some(url.into()), ..TargetArgs::default() };
    assert!(find(&url("http://h:1"), &[]).unwrap_err().next_step().unwrap().contains("AWS_ACCESS_KEY_ID"));
    assert!(find(&url("http://h:1"), &[("AWS_ACCESS_KEY_ID", "A")]).unwrap_err().text().contains("SECRET"));
    for bad in ["h:1", "ftp://h", "http://h/path", "http://u@h", "http://", "http://h?q"] {
        assert!(find(&url(bad), &[]).unwrap_err().text().contains("is not an endpoint"), "{bad}");
    }
}

#[test]
fn odd_keys_are_refused_and_not_quoted() {
    for odd in ["", "a b", "line\nbreak"] {
        let keys = [("AWS_ACCESS_KEY_ID", "A"), ("AWS_SECRET_ACCESS_KEY", "s"), ("AWS_SESSION_TOKEN", odd)];
        let args = TargetArgs { endpoint: Some("http://h:1".into()), ..TargetArgs::default() };
        match find(&args, &keys) {
            Ok(target) => assert_eq!((odd, target.credentials.session_token()), ("", None)),
            Err(failure) => assert!(!failure.text().contains(odd), "{}", failure.text()),
        }
    }
}
