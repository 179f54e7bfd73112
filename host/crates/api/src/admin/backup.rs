//! `POST /lamina/v1/backup`: everything the platform keeps, as it is now.

use std::collections::HashSet;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{HeaderName, StatusCode};
use http_body::{Body, Frame};
use http_body_util::BodyExt as _;
use lamina_registry::Event;
use lamina_runtime::HttpError;
use lamina_types::Digest;
use lamina_upkeep::{Backup, Error};
use lamina_wire::Invalid;
use lamina_wire::object::Object;
use lamina_wire::violation::Violations;

use crate::answer::{Answer, AnswerBody};
use crate::error::{ApiError, exception};
use crate::request::Call;

/// How long it is if nothing fails: then it ends earlier and says why, which a
/// Content-Length would forbid.
const BYTES: HeaderName = HeaderName::from_static("x-lamina-bytes");

pub(crate) async fn perform(call: Call<'_>) -> Result<Answer, ApiError> {
    call.query().finish("Backup")?;
    let Asked { since, have } = Asked::parse(&call.body.bytes)?;
    // Whoever has it has every secret.
    let event = call.registry().audit(Event::new("BackupMade").with("since", since)).await;
    event.map_err(|error| ApiError::registry(error, call.owner()))?;
    let backup = call.shared.deps.upkeep.backup(since, have).await.map_err(refused)?;
    let bytes = backup.bytes;
    let mut answer = Answer::new(AnswerBody::Stream(BackupBody(backup).boxed_unsync()));
    *answer.status_mut() = StatusCode::OK;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/x-tar"));
    answer.headers_mut().insert(BYTES, bytes.into());
    Ok(answer)
}

/// Why no backup is made. Who may ask for one may know what is wrong with the
/// platform's files.
fn refused(error: Error) -> ApiError {
    let text = error.to_string();
    match error {
        Error::Ahead { .. } => ApiError::new(exception::INVALID_PARAMETER, text),
        Error::Artifacts(_) | Error::Artifact { .. } => ApiError::new(exception::SERVICE, text.clone()).with_log(text),
        _ => ApiError::internal(format!("making a backup: {text}")),
    }
}

/// What is asked for.
#[derive(Debug, PartialEq, Eq)]
struct Asked {
    since: u64,
    have: HashSet<Digest>,
}

impl Asked {
    fn parse(body: &[u8]) -> Result<Self, Invalid> {
        let mut body = Object::parse(body)?;
        let mut violations = Violations::new();
        let since = body.integer("Since")?;
        violations.range("since", since, 0..=i64::MAX);
        violations.finish()?;
        let have = body.texts("Have")?.unwrap_or_default();
        body.finish("Backup")?;
        let digest = |text: String| text.parse().map_err(|error| Invalid::Serialization(format!("Have: {error}")));
        let have = have.into_iter().map(digest).collect::<Result<_, _>>()?;
        Ok(Self { since: u64::try_from(since.unwrap_or(0)).unwrap_or_default(), have })
    }
}

/// A backup on its way.
struct BackupBody(Backup);

impl Body for BackupBody {
    type Data = Bytes;
    type Error = HttpError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, HttpError>>> {
        Poll::Ready(match ready!(self.0.poll_next(cx)) {
            Some(Ok(bytes)) => Some(Ok(Frame::data(bytes))),
            Some(Err(error)) => {
                // What was sent says so, too.
                tracing::error!(%error, "a backup broke off");
                None
            }
            None => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for() {
        let digest = Digest::of(b"x");
        assert_eq!(Asked::parse(b"").unwrap(), Asked { since: 0, have: HashSet::new() });
        let body = format!(r#"{{"Since":7,"Have":["{digest}"]}}"#);
        assert_eq!(Asked::parse(body.as_bytes()).unwrap(), Asked { since: 7, have: HashSet::from([digest]) });
        assert!(matches!(Asked::parse(br#"{"Since":-1}"#), Err(Invalid::Validation(_))));
        for bad in [r#"{"Since":"7"}"#, r#"{"Have":["x"]}"#, r#"{"Have":"x"}"#] {
            assert!(matches!(Asked::parse(bad.as_bytes()), Err(Invalid::Serialization(_))), "{bad}");
        }
        assert!(matches!(Asked::parse(br#"{"Other":1}"#), Err(Invalid::Parameter(_))));
    }
}
