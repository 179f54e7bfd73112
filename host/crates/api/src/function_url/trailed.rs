//! Bodies that are all there, and have trailers.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::HeaderMap;
use http::header::TE;
use http::request::Parts;
use http::{Method, Version};
use http_body::{Body, Frame};

/// Its length is not told: one that is would be sent without its trailers.
pub(super) struct Trailed {
    data: Option<Bytes>,
    trailers: Option<Box<HeaderMap>>,
}

impl Trailed {
    /// First these bytes, then these trailers.
    pub(super) fn new(data: Bytes, trailers: Box<HeaderMap>) -> Self {
        Self { data: (!data.is_empty()).then_some(data), trailers: Some(trailers) }
    }
}

impl Body for Trailed {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let data = self.data.take().map(|data| Ok(Frame::data(data)));
        Poll::Ready(data.or_else(|| self.trailers.take().map(|trailers| Ok(Frame::trailers(*trailers)))))
    }

    fn is_end_stream(&self) -> bool {
        self.data.is_none() && self.trailers.is_none()
    }
}

/// Whether who sent this request can take trailers of its answer (RFC 9110, 6.5.1).
pub(super) fn are_taken(request: &Parts) -> bool {
    if request.method == Method::HEAD {
        return false;
    }
    let mut said = request.headers.get_all(TE).iter().filter_map(|value| value.to_str().ok());
    let says = |value: &str| value.split(',').any(|word| word.trim().eq_ignore_ascii_case("trailers"));
    request.version == Version::HTTP_2 || said.any(says)
}

#[cfg(test)]
mod tests {
    use http::Request;
    use http_body_util::BodyExt as _;

    use super::*;

    #[tokio::test]
    async fn trailers_come_after_the_bytes() {
        let trailers = HeaderMap::from_iter([(TE, "1".parse().unwrap())]);
        for (data, expect) in [("abc", "abc"), ("", "")] {
            let body = Trailed::new(data.into(), Box::new(trailers.clone()));
            assert_eq!(body.size_hint().exact(), None);
            let collected = body.collect().await.unwrap();
            assert_eq!(collected.trailers(), Some(&trailers));
            assert_eq!(collected.to_bytes(), expect);
        }
    }

    #[test]
    fn who_takes_them() {
        let check = |method: &str, version: Version, te: &str, expect: bool| {
            let request = Request::builder().method(method).version(version).header("te", te).body(()).unwrap();
            assert_eq!(are_taken(&request.into_parts().0), expect, "{method} {version:?} {te}");
        };
        check("GET", Version::HTTP_11, "", false);
        check("GET", Version::HTTP_11, "gzip, Trailers", true);
        check("GET", Version::HTTP_2, "", true);
        check("HEAD", Version::HTTP_2, "trailers", false);
    }
}
