//! Answers of the CloudWatch APIs as trees, written in each protocol they have.

use serde_json::{Map, Number, Value};

/// A value of an answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Tree {
    /// Members by name, in order.
    Map(Vec<(&'static str, Tree)>),
    /// Names that are not the model's, in order: XML has them as entries.
    Named(Vec<(String, Tree)>),
    /// Elements.
    List(Vec<Tree>),
    /// Text.
    Text(String),
    /// A number.
    Number(f64),
    /// A moment, in seconds since the Unix epoch.
    Time(u64),
}

impl Tree {
    /// A text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// As JSON: moments are numbers.
    pub fn to_json(&self) -> Value {
        match self {
            Self::Map(members) => {
                let members = members.iter().map(|(name, value)| ((*name).to_owned(), value.to_json()));
                Value::Object(members.collect::<Map<_, _>>())
            }
            Self::Named(members) => {
                let members = members.iter().map(|(name, value)| (name.clone(), value.to_json()));
                Value::Object(members.collect::<Map<_, _>>())
            }
            Self::List(elements) => elements.iter().map(Self::to_json).collect(),
            Self::Text(text) => Value::String(text.clone()),
            Self::Number(number) => Number::from_f64(*number).map_or(Value::Null, Value::Number),
            Self::Time(seconds) => Value::from(*seconds),
        }
    }

    /// As the query protocol's XML, without what surrounds it: elements of lists are
    /// `member`s, moments ISO 8601.
    pub fn write_xml(&self, xml: &mut String) {
        match self {
            Self::Map(members) => {
                for (name, value) in members {
                    element(xml, name, |xml| value.write_xml(xml));
                }
            }
            Self::Named(members) => {
                for (name, value) in members {
                    element(xml, "entry", |xml| {
                        element(xml, "key", |xml| escape(xml, name));
                        element(xml, "value", |xml| value.write_xml(xml));
                    });
                }
            }
            Self::List(elements) => {
                for value in elements {
                    element(xml, "member", |xml| value.write_xml(xml));
                }
            }
            Self::Text(text) => escape(xml, text),
            Self::Number(number) => xml.push_str(&number.to_string()),
            Self::Time(seconds) => {
                let time = lamina_types::Timestamp::from_millis(seconds.saturating_mul(1_000));
                xml.push_str(&time.to_iso_millis());
            }
        }
    }
}

/// An XML element.
pub fn element(xml: &mut String, name: &str, content: impl FnOnce(&mut String)) {
    xml.push('<');
    xml.push_str(name);
    xml.push('>');
    content(xml);
    xml.push_str("</");
    xml.push_str(name);
    xml.push('>');
}

/// Text as XML has it; characters that XML cannot have become `?`.
pub fn escape(xml: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '<' => xml.push_str("&lt;"),
            '>' => xml.push_str("&gt;"),
            '&' => xml.push_str("&amp;"),
            '"' => xml.push_str("&quot;"),
            '\n' | '\t' => xml.push(c),
            c if c.is_control() || c == '\u{fffe}' || c == '\u{ffff}' => xml.push('?'),
            c => xml.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trees_are_written() {
        let tree = Tree::Map(vec![
            ("Name", Tree::text("a<b&\u{1}")),
            ("List", Tree::List(vec![Tree::Number(1.5), Tree::Number(2.0)])),
            ("At", Tree::Time(1_764_000_000)),
        ]);
        let json = r#"{"At":1764000000,"List":[1.5,2.0],"Name":"a<b&\u0001"}"#;
        assert_eq!(tree.to_json().to_string(), json);
        let mut xml = String::new();
        tree.write_xml(&mut xml);
        let expect = "<Name>a&lt;b&amp;?</Name><List><member>1.5</member><member>2</member></List>\
                      <At>2025-11-24T16:00:00.000Z</At>";
        assert_eq!(xml, expect);
    }
}
