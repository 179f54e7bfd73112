//! ListFunctions: the unqualified functions, or with `FunctionVersion=ALL` every
//! version of every function.

use http::StatusCode;
use lamina_registry::{Catalog, FunctionEntry};
use lamina_types::limits::LIST_FUNCTIONS_PAGE_MAX;
use lamina_types::records::FunctionView;
use lamina_types::{FunctionName, FunctionRef, Qualifier, Version};
use lamina_wire::Invalid;
use lamina_wire::naming::Owner;
use lamina_wire::query::{Page, Query, mark};
use lamina_wire::view::{FunctionConfiguration, FunctionPage};
use lamina_wire::violation::Violations;

use super::secrets_read;
use crate::answer::{Answer, json};
use crate::error::ApiError;
use crate::request::Call;

pub(crate) async fn perform(call: &Call<'_>) -> Result<Answer, ApiError> {
    let mut query = call.query();
    let page = Page::take(&mut query, LIST_FUNCTIONS_PAGE_MAX)?;
    let all = take_version(&mut query)?;
    query.finish("ListFunctions")?;
    let after = page.after.as_deref().map(marked).transpose()?;
    let catalog = call.shared.deps.registry.catalog();
    let (views, more) = {
        let mut rows = rows(&catalog, after.as_ref(), all);
        let views: Vec<FunctionView> = rows.by_ref().take(page.limit).collect();
        (views, rows.next().is_some())
    };
    secrets_read(call, &views).await?;
    let functions = views.iter().map(|view| shown(view, call.owner(), all)).collect();
    let next_marker = views.last().filter(|_| more).map(|view| mark(&format!("{}:{}", view.name, view.version)));
    json(StatusCode::OK, &FunctionPage { functions, next_marker })
}

/// Whether every version is asked for.
fn take_version(query: &mut Query) -> Result<bool, Invalid> {
    let (version, region) = (query.take("FunctionVersion")?, query.take("MasterRegion")?);
    let mut violations = Violations::new();
    violations.one_of("functionVersion", version.as_ref(), &["ALL"]);
    violations.finish()?;
    // Functions of Lambda@Edge are replicas of those of their master region:
    // there are none here, so only the request for all regions has an answer.
    match region {
        Some(region) if region != "ALL" => {
            Err(Invalid::not_yet(&format!("MasterRegion {region}"), "leave it out, or give ALL"))
        }
        _ => Ok(version.is_some()),
    }
}

/// The row that a marker stands for: `NAME:VERSION`.
fn marked(text: &str) -> Result<(FunctionName, Version), Invalid> {
    let unusable = || Invalid::Parameter("Marker is not one that ListFunctions has answered".into());
    let function = text.split_once(':').and_then(|(name, qualifier)| {
        Some(FunctionRef { name: name.parse().ok()?, qualifier: Some(qualifier.parse().ok()?) })
    });
    match function {
        Some(FunctionRef { name, qualifier: Some(Qualifier::Version(version)) }) => Ok((name, version)),
        _ => Err(unusable()),
    }
}

/// The rows after the one given, in the order of names and then of versions.
fn rows<'a>(
    catalog: &'a Catalog,
    after: Option<&'a (FunctionName, Version)>,
    all: bool,
) -> Box<dyn Iterator<Item = FunctionView> + 'a> {
    let versions = move |entry: &'a FunctionEntry| {
        entry.versions().take(if all { usize::MAX } else { 1 }).filter_map(|version| entry.view(version))
    };
    let Some((name, last)) = after else { return Box::new(catalog.functions().flat_map(versions)) };
    let last = *last;
    // The rest of the function that the last page ended in.
    let rest = catalog.function(name).into_iter().flat_map(versions).filter(move |view| view.version > last);
    Box::new(rest.chain(catalog.functions_after(name).flat_map(versions)))
}

fn shown(view: &FunctionView, owner: &Owner, all: bool) -> FunctionConfiguration {
    let qualifier = all.then_some(Qualifier::Version(view.version));
    FunctionConfiguration::listed(view, owner, qualifier.as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_listed() {
        let check = |text: &str| take_version(&mut Query::parse(text));
        assert_eq!(check(""), Ok(false));
        assert_eq!(check("FunctionVersion=ALL&MasterRegion=ALL"), Ok(true));
        assert!(matches!(check("FunctionVersion=1"), Err(Invalid::Validation(_))));
        let refused = check("MasterRegion=us-east-1").unwrap_err();
        assert!(refused.to_string().starts_with("MasterRegion us-east-1 is not supported yet: "), "{refused}");
    }

    #[test]
    fn markers() {
        assert_eq!(marked("f:$LATEST"), Ok(("f".parse().unwrap(), Version::Latest)));
        assert_eq!(marked("f:7"), Ok(("f".parse().unwrap(), Version::Number(7))));
        for bad in ["f", "f:live", ":1", "a b:1"] {
            assert!(matches!(marked(bad), Err(Invalid::Parameter(_))), "{bad}");
        }
    }
}
