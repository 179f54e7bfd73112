//! The one place that reads the process's environment.

/// Where environment variables come from.
#[derive(Debug)]
pub(crate) enum Environment {
    /// The process's own.
    Process,
    /// These and no others.
    #[cfg(test)]
    Fixed(std::collections::BTreeMap<&'static str, String>),
}

impl Environment {
    /// A variable; one that is empty or is no Unicode counts as not set, as the
    /// AWS tools have it.
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
    pub(crate) fn get(&self, name: &str) -> Option<String> {
        let value = match self {
            Self::Process => std::env::var(name).ok(),
            #[cfg(test)]
            Self::Fixed(variables) => variables.get(name).cloned(),
        };
        value.filter(|value| !value.is_empty())
    }

    /// The first of these variables that is set.
    pub(crate) fn first(&self, names: &[&str]) -> Option<String> {
        names.iter().find_map(|name| self.get(name))
    }
}

#[cfg(test)]
impl Environment {
    /// An environment of these variables.
    pub(crate) fn of(variables: &[(&'static str, &str)]) -> Self {
        Self::Fixed(variables.iter().map(|(name, value)| (*name, (*value).to_owned())).collect())
    }
}
