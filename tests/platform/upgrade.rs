//! The upgrade drill: a directory that an older format's binary made opens,
//! migrates and serves; and images of another engine are made again.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant, SystemTime};

use harness::{Options, Platform, tiny};
use serde_json::json;

use crate::common::{PROGRAM, platform};
use crate::directory::files;

/// Made by the binary of format 1: the functions `greeting` (versions 1 and 2, a
/// URL, an environment) and `plain`, and one trusted key. Its images and packages
/// were removed, as they are derived.
const FORMAT_1: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/format-1.tar.gz");
/// A value in `greeting`'s environment.
const SECRET: &str = "kept-in-format-1";
const PATIENCE: Duration = Duration::from_secs(60);

fn unpack(data: &Path) {
    fs::create_dir(data).unwrap();
    let status = Command::new("tar").arg("-xzf").arg(FORMAT_1).arg("-C").arg(data).status().unwrap();
    assert!(status.success(), "tar ended with {status}");
}

/// Waits until it is so; the test fails when that takes too long.
pub(crate) async fn until(what: &str, is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < PATIENCE, "{what}: not after {PATIENCE:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_of_format_1_migrates_and_serves() {
    let mut platform = Platform::on(Options::new(PROGRAM), unpack);
    assert_eq!(fs::read_to_string(platform.data().join("format")).unwrap(), "lamina-kv 2\n");
    check_fixture(&platform).await;
    // Plain in format 1: sealed now, and nowhere plain.
    let is_plain = |path: &Path| {
        let bytes = fs::read(path).unwrap_or_default();
        bytes.windows(SECRET.len()).any(|window| window == SECRET.as_bytes())
    };
    let data = platform.data();
    let plain: Vec<_> = files(data).into_iter().filter(|path| is_plain(path)).collect();
    assert!(plain.is_empty(), "{plain:?}");
    platform.stop();
    platform.start_again();
    check_fixture(&platform).await;
    platform.trust(&platform.key().public()).await;
    platform.deploy("new", &tiny::echo()).await;
    assert_eq!(platform.invoke("new", &json!(1)).await.expect(200).text(), "1");
}

async fn check_fixture(platform: &Platform) {
    let hello = r#"{"message":"Hello, world!"}"#;
    for name in ["greeting", "greeting%3A1", "greeting%3A2", "plain"] {
        assert_eq!(platform.invoke(name, &json!({})).await.expect(200).text(), hello, "{name}");
    }
    let variables = async |path: &str| platform.client.get(path).await.expect(200).json()["Environment"].clone();
    let latest = variables("/2015-03-31/functions/greeting/configuration").await;
    assert_eq!(latest, json!({"Variables": {"GREETING": "Moin", "SECRET": SECRET}}));
    let first = variables("/2015-03-31/functions/greeting/configuration?Qualifier=1").await;
    assert_eq!(first, json!({"Variables": {"GREETING": "Hallo", "SECRET": SECRET}}));
    let url = platform.client.get("/2021-10-31/functions/greeting/url").await.expect(200).json();
    let id = url["FunctionUrl"].as_str().unwrap().trim_start_matches("http://").split('.').next().unwrap().to_owned();
    assert_eq!(platform.client.get(&format!("/_url/{id}/")).await.expect(200).text(), hello);
}

#[tokio::test(flavor = "multi_thread")]
async fn images_of_another_engine_are_made_again_in_the_background() {
    let mut platform = platform().await;
    let names: Vec<String> = (0..4).map(|number| format!("f{number}")).collect();
    for (number, name) in names.iter().enumerate() {
        platform.deploy(name, &tiny::constant(&number.to_string())).await;
    }
    platform.stop();
    let images = platform.data().join("artifacts/derived/images");
    let other = |path: &Path| path.to_string_lossy().contains("-0000000000000000");
    for path in files(images.clone()) {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        fs::rename(&path, images.join(format!("{}-0000000000000000.image", &name[..64]))).unwrap();
    }
    platform.start_again();
    // A first caller need not wait for its turn among the others.
    assert_eq!(platform.invoke("f0", &json!(null)).await.expect(200).text(), "0");
    let renewed = || {
        let files = files(images.clone());
        files.len() == names.len() && !files.iter().any(|path| other(path))
    };
    until("every image is there, and none of the other engine", renewed).await;
    for (number, name) in names.iter().enumerate() {
        assert_eq!(platform.invoke(name, &json!(null)).await.expect(200).text(), number.to_string());
    }
    assert!(platform.stderr().contains("made again"), "{}", platform.stderr());
}

#[tokio::test(flavor = "multi_thread")]
async fn images_are_made_again_in_the_order_in_which_they_were_used() {
    let mut platform = platform().await;
    for number in 0..6 {
        platform.deploy(&format!("f{number}"), &tiny::constant(&number.to_string())).await;
    }
    platform.stop();
    let images = platform.data().join("artifacts/derived/images");
    let component = |path: &Path| path.file_name().unwrap().to_string_lossy()[..64].to_owned();
    // Used so many seconds ago, in an order that neither names nor makes.
    let now = SystemTime::now();
    let mut used = Vec::new();
    for (path, ago) in files(images.clone()).into_iter().zip([30, 10, 50, 20, 60, 40]) {
        let old = images.join(format!("{}-0000000000000000.image", component(&path)));
        fs::rename(&path, &old).unwrap();
        fs::File::options().write(true).open(&old).unwrap().set_modified(now - Duration::from_secs(ago)).unwrap();
        used.push((ago, component(&path)));
    }
    used.sort_unstable();
    platform.start_again();
    let made = || -> Vec<(SystemTime, String)> {
        let new =
            files(images.clone()).into_iter().filter(|path| !path.to_string_lossy().contains("-0000000000000000"));
        new.filter_map(|path| Some((fs::metadata(&path).ok()?.modified().ok()?, component(&path)))).collect()
    };
    until("every image is made again", || made().len() == used.len()).await;
    let mut made = made();
    made.sort_unstable();
    let order = |names: Vec<String>| names.iter().map(|name| name[..8].to_owned()).collect::<Vec<_>>();
    let expect = order(used.into_iter().map(|(_, name)| name).collect());
    assert_eq!(order(made.into_iter().map(|(_, name)| name).collect()), expect);
}
