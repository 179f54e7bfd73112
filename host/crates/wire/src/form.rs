//! The AWS query protocol's requests: a form whose names are paths, such as
//! `Dimensions.member.1.Name`, becomes a value.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::query;

/// Pairs of a form at most.
const PAIRS_MAX: usize = 10_000;
/// How deep a name may lead.
const DEPTH_MAX: usize = 16;

#[derive(Default)]
struct Node {
    text: Option<String>,
    children: BTreeMap<Name, Node>,
}

/// Numbers in their order, not that of their digits.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Name {
    Number(u32),
    Text(String),
}

/// Reads a form. Every leaf is a text: whoever reads a number parses it.
pub fn decode(text: &str) -> Result<Value, &'static str> {
    let mut root = Node::default();
    let pairs = query::pairs(text);
    if pairs.len() > PAIRS_MAX {
        return Err("the form has too many pairs");
    }
    for (path, value) in pairs {
        let mut node = &mut root;
        if path.split('.').count() > DEPTH_MAX {
            return Err("a name of the form leads too deep");
        }
        for name in path.split('.') {
            let name = name.parse().map_or_else(|_| Name::Text(name.to_owned()), Name::Number);
            node = node.children.entry(name).or_default();
        }
        node.text = Some(value);
    }
    Ok(root.into_value())
}

impl Node {
    fn into_value(mut self) -> Value {
        if self.children.is_empty() {
            return Value::String(self.text.unwrap_or_default());
        }
        // A list is written as `member.1`, `member.2`.
        if self.children.len() == 1
            && let Some(members) = self.children.remove(&Name::Text("member".to_owned()))
        {
            return members.children.into_values().map(Self::into_value).collect();
        }
        let named = |(name, node): (Name, Self)| match name {
            Name::Number(number) => (number.to_string(), node.into_value()),
            Name::Text(name) => (name, node.into_value()),
        };
        Value::Object(self.children.into_iter().map(named).collect())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn forms_become_values() {
        let check = |text: &str, expect: Value| assert_eq!(decode(text), Ok(expect), "{text}");
        check("Action=ListMetrics&Namespace=AWS%2FLambda", json!({"Action": "ListMetrics", "Namespace": "AWS/Lambda"}));
        let dimensions = "Dimensions.member.2.Name=b&Dimensions.member.10.Name=c&Dimensions.member.1.Name=a+1";
        check(dimensions, json!({"Dimensions": [{"Name": "a 1"}, {"Name": "b"}, {"Name": "c"}]}));
        let nested = "Q.member.1.Stat.Metric.Dimensions.member.1.Value=v";
        check(nested, json!({"Q": [{"Stat": {"Metric": {"Dimensions": [{"Value": "v"}]}}}]}));
        assert!(decode(&"a.".repeat(100)).is_err());
        assert!(decode(&"a=1&".repeat(20_000)).is_err());
    }
}
