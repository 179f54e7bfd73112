//! Managed runtimes: which one a version of a function runs on, and when that changes.

use std::collections::BTreeMap;
use std::sync::Arc;

use lamina_registry::{Error, NewFunction, NoRuntime, ResolveError, RuntimeChoice};
use lamina_types::records::{Code, CodeKind, ConfigurationChange};
use lamina_types::{
    Digest, FunctionRef, InstalledRuntime, Language, Package, ResolvedFunction, RuntimeManagement, Timestamp,
    UpdateRuntimeOn, Version, World,
};

use crate::{Fixture, new};

fn component(number: u8) -> Digest {
    Digest::of(&[b'r', number])
}

impl Fixture {
    async fn install(&self, number: u8, language: Language) -> Result<bool, Error> {
        let version = InstalledRuntime {
            component: component(number),
            bytes: 1_000,
            language,
            description: format!("runtime {number}"),
            versions: BTreeMap::new(),
            installed: Timestamp(0),
            signers: vec!["abc".into()],
        };
        self.registry.install_runtime(version).await
    }

    /// A function of this runtime, with a package of files.
    async fn packaged(&self, name: &str, runtime: &str) {
        let mut new = new(name, 1);
        new.configuration.runtime = runtime.to_owned();
        let kind = CodeKind::Package { unpacked_bytes: 10 };
        let code = Code { kind, ..new.code.clone() };
        let change = self.registry.create_function(NewFunction { code, ..new }).await.unwrap();
        self.complete(&change, Ok(())).await;
    }

    /// The number of the runtime that a version runs on.
    fn on(&self, name: &str, version: Version) -> Option<u8> {
        let catalog = self.registry.catalog();
        let (_, runtime) = catalog.function(&name.parse().unwrap())?.runtime_management(version)?;
        (0..=u8::MAX).find(|number| Some(component(*number)) == runtime)
    }

    async fn choose(
        &self,
        name: &str,
        version: Version,
        update: UpdateRuntimeOn,
        runtime: Option<u8>,
    ) -> Result<RuntimeManagement, Error> {
        let (name, runtime) = (name.parse().unwrap(), runtime.map(component));
        self.registry.put_runtime_management(RuntimeChoice { name, version, update, runtime }).await
    }

    fn resolved(&self, name: &str) -> Result<Arc<ResolvedFunction>, ResolveError> {
        let function = FunctionRef { name: name.parse().unwrap(), qualifier: None };
        self.registry.resolve(&function)
    }

    async fn touch(&self, name: &str, runtime: Option<&str>) {
        let runtime = runtime.map(str::to_owned);
        let change = self.configure(name, ConfigurationChange { runtime, ..Default::default() }).await.unwrap();
        self.complete(&change, Ok(())).await;
    }
}

#[tokio::test]
async fn a_function_runs_on_its_languages_runtime() {
    let fixture = Fixture::new();
    fixture.packaged("f", "python3.13").await;
    fixture.packaged("j", "java21").await;
    let why = |name: &str| match fixture.resolved(name) {
        Err(ResolveError::NoRuntime { why, .. }) => Some(why),
        _ => None,
    };
    assert_eq!(why("f"), Some(NoRuntime::NotInstalled(Language::Python)));
    assert_eq!(why("j"), Some(NoRuntime::Foreign));
    assert!(fixture.install(1, Language::Python).await.unwrap());
    let resolved = fixture.resolved("f").unwrap();
    assert_eq!((resolved.component, resolved.world), (component(1), World::ManagedRuntime));
    let managed = resolved.managed.as_ref().unwrap();
    assert_eq!(&*managed.execution_env, "AWS_Lambda_python3.13");
    assert_eq!(managed.package, Package { digest: new("f", 1).code.package, is_zip: true });
    assert_eq!(fixture.view("f", Version::Latest).runtime, Some(component(1)));
    assert!(fixture.registry.referenced().contains(&component(1)));
    // Between languages, to a component's runtime, and back.
    fixture.touch("f", Some("nodejs22.x")).await;
    assert_eq!(why("f"), Some(NoRuntime::NotInstalled(Language::JavaScript)));
    fixture.touch("f", Some("provided.al2023")).await;
    assert_eq!(why("f"), Some(NoRuntime::NoComponent));
    fixture.touch("f", Some("python3.9")).await;
    assert_eq!(fixture.on("f", Version::Latest), Some(1));
    // A component is a file of its package like any other.
    fixture.created("c").await;
    fixture.touch("c", Some("python3.14")).await;
    let resolved = fixture.resolved("c").unwrap();
    assert_eq!(resolved.component, component(1));
    assert!(!resolved.managed.as_ref().unwrap().package.is_zip);
    let fixture = fixture.reopen().await;
    assert_eq!((fixture.on("f", Version::Latest), fixture.on("c", Version::Latest)), (Some(1), Some(1)));
}

#[tokio::test]
async fn each_mode_acts_when_a_new_runtime_comes() {
    use UpdateRuntimeOn::{Auto, FunctionUpdate, Manual};
    let fixture = Fixture::new();
    fixture.install(1, Language::Python).await.unwrap();
    for name in ["auto", "update", "manual"] {
        fixture.packaged(name, "python3.12").await;
    }
    let latest = Version::Latest;
    let chosen = fixture.choose("update", latest, FunctionUpdate, None).await.unwrap();
    assert_eq!(chosen, RuntimeManagement { update: FunctionUpdate, version: Some(component(1)) });
    fixture.choose("manual", latest, Manual, Some(1)).await.unwrap();
    fixture.publish("manual", None).await.unwrap();
    fixture.install(2, Language::Python).await.unwrap();
    let on = |fixture: &Fixture| ["auto", "update", "manual"].map(|name| fixture.on(name, latest).unwrap());
    assert_eq!(on(&fixture), [2, 1, 1]);
    assert_eq!(fixture.on("manual", Version::Number(1)), Some(1), "a version takes over what $LATEST has");
    for name in ["auto", "update", "manual"] {
        fixture.touch(name, None).await;
    }
    assert_eq!(on(&fixture), [2, 2, 1]);
    // Back to an earlier one: for all that are Auto, and for one alone.
    fixture.registry.make_runtime_current(&component(1)).await.unwrap();
    assert_eq!(on(&fixture), [1, 2, 1]);
    fixture.choose("update", latest, Manual, Some(1)).await.unwrap();
    fixture.choose("manual", latest, Manual, Some(2)).await.unwrap();
    fixture.choose("manual", Version::Number(1), Auto, None).await.unwrap();
    assert_eq!(on(&fixture), [1, 1, 2]);
    let fixture = fixture.reopen().await;
    assert_eq!(on(&fixture), [1, 1, 2]);
    // One that stays on a version of another language is Auto again.
    fixture.install(3, Language::JavaScript).await.unwrap();
    fixture.touch("manual", Some("nodejs20.x")).await;
    assert_eq!(fixture.on("manual", latest), Some(3));
    let management =
        fixture.registry.catalog().function(&"manual".parse().unwrap()).unwrap().runtime_management(latest);
    assert_eq!(management.unwrap().0, RuntimeManagement::AUTO);
}

#[tokio::test]
async fn what_cannot_be_is_refused() {
    use UpdateRuntimeOn::Manual;
    let fixture = Fixture::new();
    fixture.packaged("f", "python3.12").await;
    fixture.install(1, Language::Python).await.unwrap();
    assert!(!fixture.install(1, Language::Python).await.unwrap(), "again");
    assert!(matches!(fixture.install(1, Language::JavaScript).await, Err(Error::RuntimeLanguage { .. })));
    fixture.install(2, Language::JavaScript).await.unwrap();
    let latest = Version::Latest;
    assert!(matches!(fixture.choose("f", latest, Manual, Some(9)).await, Err(Error::RuntimeUnknown(_))));
    assert!(matches!(fixture.choose("f", latest, Manual, Some(2)).await, Err(Error::RuntimeLanguage { .. })));
    let missing = fixture.choose("f", Version::Number(7), Manual, None).await;
    assert!(matches!(missing, Err(Error::VersionNotFound { .. })));
    assert!(matches!(fixture.registry.make_runtime_current(&component(9)).await, Err(Error::RuntimeUnknown(_))));
    // Current, or stayed on: it is kept.
    assert!(matches!(fixture.registry.remove_runtime(&component(1)).await, Err(Error::RuntimeInUse(_))));
    fixture.choose("f", latest, Manual, Some(1)).await.unwrap();
    fixture.install(3, Language::Python).await.unwrap();
    assert!(matches!(fixture.registry.remove_runtime(&component(1)).await, Err(Error::RuntimeInUse(_))));
    fixture.registry.delete(&"f".parse().unwrap(), None).await.unwrap();
    fixture.registry.remove_runtime(&component(1)).await.unwrap();
    assert!(fixture.reopen().await.registry.catalog().runtimes().get(&component(1)).is_none());
}
