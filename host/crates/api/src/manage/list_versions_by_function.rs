//! ListVersionsByFunction: `$LATEST` first, then the numbers, ascending.

use http::StatusCode;
use lamina_types::records::FunctionView;
use lamina_types::{FunctionRef, Qualifier, Version};
use lamina_wire::Invalid;
use lamina_wire::query::{Page, mark};
use lamina_wire::view::{FunctionConfiguration, VersionPage};

use super::{secrets_read, whole};
use crate::answer::{Answer, json};
use crate::error::ApiError;
use crate::request::Call;

/// Versions on one page, whatever is asked (AWS API reference, "MaxItems").
const PAGE_MAX: usize = 50;

pub(crate) async fn perform(call: &Call<'_>) -> Result<Answer, ApiError> {
    let mut query = call.query();
    let page = Page::take(&mut query, PAGE_MAX)?;
    query.finish("ListVersionsByFunction")?;
    let name = whole(call, "ListVersionsByFunction")?;
    let after = page.after.as_deref().map(marked).transpose()?;
    let catalog = call.shared.deps.registry.catalog();
    let Some(entry) = catalog.function(&name) else {
        return Err(ApiError::function_not_found(&FunctionRef { name, qualifier: None }, call.owner()));
    };
    let mut rest = entry.versions().filter(|version| after.is_none_or(|after| *version > after)).peekable();
    let views: Vec<_> = rest.by_ref().take(page.limit).filter_map(|version| entry.view(version)).collect();
    let more = rest.peek().is_some();
    drop(rest);
    secrets_read(call, &views).await?;
    let listed = |view: &FunctionView| {
        FunctionConfiguration::listed(view, call.owner(), Some(&Qualifier::Version(view.version)))
    };
    let versions = views.iter().map(listed).collect();
    let next_marker = views.last().filter(|_| more).map(|view| mark(&view.version.to_string()));
    json(StatusCode::OK, &VersionPage { versions, next_marker })
}

fn marked(text: &str) -> Result<Version, Invalid> {
    match text.parse() {
        Ok(Qualifier::Version(version)) => Ok(version),
        Ok(Qualifier::Alias(_)) | Err(_) => {
            Err(Invalid::Parameter("Marker is not one that ListVersionsByFunction has answered".into()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markers() {
        assert_eq!(marked("$LATEST"), Ok(Version::Latest));
        assert_eq!(marked("7"), Ok(Version::Number(7)));
        assert!(marked("live").is_err() && marked("").is_err());
    }
}
