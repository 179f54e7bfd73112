//! What runs a function's code, as INIT_START names it.

use crate::arn::Region;
use crate::digest::Digest;

/// A runtime, and which of its versions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuntimeVersion {
    /// `provided:al2023.v48`.
    pub name: String,
    /// `arn:aws:lambda:REGION::runtime:DIGEST`.
    pub arn: String,
}

impl RuntimeVersion {
    /// This revision of a value of `Runtime`, whose digest tells it from all others.
    pub fn new(runtime: &str, revision: u32, region: &Region, digest: &Digest) -> Self {
        let end = runtime.find(|char: char| !char.is_ascii_lowercase()).unwrap_or(runtime.len());
        let (language, version) = runtime.split_at(end);
        let version = version.trim_start_matches('.').trim_end_matches(".x");
        Self {
            name: format!("{language}:{version}.v{revision}"),
            arn: format!("arn:aws:lambda:{region}::runtime:{digest}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_spelt_as_lambda_does() {
        let (region, digest) = ("us-east-1".parse().unwrap(), Digest::of(b""));
        for (runtime, expect) in [
            ("provided.al2023", "provided:al2023.v3"),
            ("provided.al2", "provided:al2.v3"),
            ("python3.12", "python:3.12.v3"),
            ("nodejs20.x", "nodejs:20.v3"),
        ] {
            assert_eq!(RuntimeVersion::new(runtime, 3, &region, &digest).name, expect);
        }
        let arn = RuntimeVersion::new("python3.12", 3, &region, &digest).arn;
        assert_eq!(arn, format!("arn:aws:lambda:us-east-1::runtime:{digest}"));
    }
}
