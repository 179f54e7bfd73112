//! Members of a request, taken one by one from a value of any of the protocols: in
//! a form numbers and moments are texts.

use lamina_types::Timestamp;
use serde_json::{Map, Value};

use super::Refused;

/// An object whose members have not all been read yet.
#[derive(Debug)]
pub(super) struct Reader {
    members: Map<String, Value>,
}

/// The longest text of a member, in bytes.
const TEXT_BYTES_MAX: usize = 4_096;

impl Reader {
    pub(super) fn of(value: Value, what: &str) -> Result<Self, Refused> {
        match value {
            Value::Object(members) => Ok(Self { members }),
            // An empty list or map of a form looks like that.
            Value::String(text) if text.is_empty() => Ok(Self { members: Map::new() }),
            _ => Err(Refused::Value(format!("{what} must be a structure"))),
        }
    }

    fn take(&mut self, name: &str) -> Option<Value> {
        self.members.remove(name).filter(|value| !value.is_null())
    }

    pub(super) fn ignore(&mut self, name: &str) {
        self.members.remove(name);
    }

    pub(super) fn text(&mut self, name: &str) -> Result<Option<String>, Refused> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::String(text)) if text.len() <= TEXT_BYTES_MAX => Ok(Some(text)),
            Some(_) => Err(Refused::Value(format!("{name} must be a text of at most {TEXT_BYTES_MAX} bytes"))),
        }
    }

    /// A text that is there and not empty.
    pub(super) fn required(&mut self, name: &str) -> Result<String, Refused> {
        let text = self.text(name)?.filter(|text| !text.is_empty());
        text.ok_or_else(|| Refused::Missing(format!("The parameter {name} is required.")))
    }

    pub(super) fn integer(&mut self, name: &str) -> Result<Option<i64>, Refused> {
        let whole = |value: Value| match value {
            Value::String(text) => text.parse().ok(),
            value => value.as_i64(),
        };
        let not_one = || Refused::Value(format!("{name} must be a whole number"));
        self.take(name).map(|value| whole(value).ok_or_else(not_one)).transpose()
    }

    pub(super) fn boolean(&mut self, name: &str) -> Result<Option<bool>, Refused> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::Bool(boolean)) => Ok(Some(boolean)),
            Some(Value::String(text)) if text == "true" || text == "false" => Ok(Some(text == "true")),
            Some(_) => Err(Refused::Value(format!("{name} must be true or false"))),
        }
    }

    /// Seconds since the Unix epoch.
    pub(super) fn time(&mut self, name: &str) -> Result<Option<u64>, Refused> {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it saturates, and is bounded")]
        let moment = |value: Value| match value {
            Value::String(text) => {
                let iso = Timestamp::from_iso(&text).map(Timestamp::seconds);
                iso.or_else(|| text.parse().ok())
            }
            value => value.as_f64().filter(|seconds| *seconds >= 0.0).map(|seconds| seconds as u64),
        };
        // The year 9999: what comes later is no moment.
        let moment = |value| moment(value).filter(|seconds| *seconds < 253_402_300_800);
        let not_one = || Refused::Value(format!("{name} must be a moment after 1970"));
        self.take(name).map(|value| moment(value).ok_or_else(not_one)).transpose()
    }

    fn values(&mut self, name: &str, most: usize) -> Result<Vec<Value>, Refused> {
        match self.take(name) {
            None => Ok(Vec::new()),
            Some(Value::String(text)) if text.is_empty() => Ok(Vec::new()),
            Some(Value::Array(values)) if values.len() <= most => Ok(values),
            Some(Value::Array(_)) => Err(Refused::Value(format!("{name} must have at most {most} elements"))),
            Some(_) => Err(Refused::Value(format!("{name} must be a list"))),
        }
    }

    pub(super) fn texts(&mut self, name: &str, most: usize) -> Result<Vec<String>, Refused> {
        let values = self.values(name, most)?.into_iter().map(|value| match value {
            Value::String(text) => Ok(text),
            _ => Err(Refused::Value(format!("{name} must be a list of texts"))),
        });
        values.collect()
    }

    pub(super) fn list(&mut self, name: &str, most: usize) -> Result<Vec<Self>, Refused> {
        self.values(name, most)?.into_iter().map(|value| Self::of(value, name)).collect()
    }

    pub(super) fn object(&mut self, name: &str) -> Result<Self, Refused> {
        let value = self.take(name).ok_or_else(|| Refused::Missing(format!("The parameter {name} is required.")))?;
        Self::of(value, name)
    }

    /// Refuses what nobody has taken.
    pub(super) fn finish(self) -> Result<(), Refused> {
        // The query protocol's own.
        let own = |name: &str| matches!(name, "Action" | "Version");
        match self.members.into_iter().find(|(name, value)| !own(name) && !value.is_null()) {
            None => Ok(()),
            Some((name, _)) => {
                let name: String = name.chars().take(100).collect();
                Err(Refused::Value(format!("{name} is not supported yet")))
            }
        }
    }
}
