//! CBOR (RFC 8949) as the protocol `smithy-rpc-v2-cbor` uses it: requests become
//! JSON values, with moments (tag 1) as numbers; answers are written of definite
//! length. Bytes, and integers past 2^64, no operation here takes.

use serde_json::{Map, Number, Value};

use crate::tree::Tree;

/// How deep a request may be nested.
const DEPTH_MAX: usize = 32;
/// Items of a request at most.
const ITEMS_MAX: usize = 100_000;

/// Reads one value, which must be all there is.
pub fn decode(bytes: &[u8]) -> Result<Value, &'static str> {
    let mut reader = Reader { rest: bytes, items: 0 };
    let value = reader.value(0)?;
    if reader.rest.is_empty() { Ok(value) } else { Err("there is more after the value") }
}

struct Reader<'a> {
    rest: &'a [u8],
    items: usize,
}

/// An item's head: its major type and its argument; `None` is of indefinite length.
struct Head {
    major: u8,
    short: u8,
    argument: Option<u64>,
}

const BREAK: u8 = 0xff;

impl Reader<'_> {
    fn take(&mut self, length: usize) -> Result<&[u8], &'static str> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or("it is cut off")?;
        self.rest = rest;
        Ok(taken)
    }

    fn unsigned(&mut self, length: usize) -> Result<u64, &'static str> {
        Ok(self.take(length)?.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    fn head(&mut self) -> Result<Head, &'static str> {
        let first = self.unsigned(1)?.to_le_bytes()[0];
        let (major, short) = (first >> 5, first & 0x1f);
        let argument = match short {
            0..=23 => Some(u64::from(short)),
            24 => Some(self.unsigned(1)?),
            25 => Some(self.unsigned(2)?),
            26 => Some(self.unsigned(4)?),
            27 => Some(self.unsigned(8)?),
            31 => None,
            _ => return Err("a length is malformed"),
        };
        Ok(Head { major, short, argument })
    }

    /// Whether a container of indefinite length ends here.
    fn ends(&mut self) -> bool {
        let ends = self.rest.first() == Some(&BREAK);
        if ends {
            self.rest = &self.rest[1..];
        }
        ends
    }

    fn value(&mut self, depth: usize) -> Result<Value, &'static str> {
        self.items += 1;
        if depth > DEPTH_MAX {
            return Err("it is nested too deep");
        }
        if self.items > ITEMS_MAX {
            return Err("it has too many items");
        }
        let Head { major, short, argument } = self.head()?;
        match (major, argument) {
            (0, Some(number)) => Ok(number.into()),
            (1, Some(number)) => {
                i64::try_from(number).map(|number| (-1 - number).into()).map_err(|_| "a number is too large")
            }
            (3, Some(length)) => self.text(length).map(Value::String),
            (3, None) => {
                let mut text = String::new();
                while !self.ends() {
                    match self.head()? {
                        Head { major: 3, argument: Some(length), .. } => text.push_str(&self.text(length)?),
                        _ => return Err("a text is malformed"),
                    }
                }
                Ok(Value::String(text))
            }
            (4, length) => self.list(length, depth),
            (5, length) => self.map(length, depth),
            // A moment is as good as its number; no other tag means anything here.
            (6, Some(_)) => self.value(depth + 1),
            (7, Some(bits)) => simple(short, bits),
            (2, _) => Err("bytes are not expected"),
            _ => Err("an item is malformed"),
        }
    }

    fn text(&mut self, length: u64) -> Result<String, &'static str> {
        let bytes = self.take(usize::try_from(length).map_err(|_| "it is cut off")?)?;
        std::str::from_utf8(bytes).map(str::to_owned).map_err(|_| "a text is not UTF-8")
    }

    fn list(&mut self, length: Option<u64>, depth: usize) -> Result<Value, &'static str> {
        let mut list = Vec::new();
        let mut left = length;
        while left != Some(0) && !(left.is_none() && self.ends()) {
            list.push(self.value(depth + 1)?);
            left = left.map(|left| left - 1);
        }
        Ok(Value::Array(list))
    }

    fn map(&mut self, length: Option<u64>, depth: usize) -> Result<Value, &'static str> {
        let mut map = Map::new();
        let mut left = length;
        while left != Some(0) && !(left.is_none() && self.ends()) {
            let Value::String(name) = self.value(depth + 1)? else { return Err("a name is no text") };
            map.insert(name, self.value(depth + 1)?);
            left = left.map(|left| left - 1);
        }
        Ok(Value::Object(map))
    }
}

/// `false`, `true`, `null`, `undefined`, and floating point of three lengths.
fn simple(short: u8, bits: u64) -> Result<Value, &'static str> {
    let float = |number: f64| Number::from_f64(number).map(Value::Number).ok_or("a number is not finite");
    match short {
        20 | 21 => Ok(Value::Bool(short == 21)),
        22 | 23 => Ok(Value::Null),
        25 => float(half(u16::try_from(bits).unwrap_or_default())),
        26 => float(f64::from(f32::from_bits(u32::try_from(bits).unwrap_or_default()))),
        27 => float(f64::from_bits(bits)),
        _ => Err("an item is malformed"),
    }
}

/// Half precision (RFC 8949, appendix D).
fn half(bits: u16) -> f64 {
    let (exponent, mantissa) = (i32::from(bits >> 10 & 0x1f), f64::from(bits & 0x3ff));
    let number = match exponent {
        0 => mantissa * 2f64.powi(-24),
        31 => f64::NAN,
        _ => (mantissa + 1_024.0) * 2f64.powi(exponent - 25),
    };
    if bits & 0x8000 == 0 { number } else { -number }
}

/// Writes an answer.
pub fn encode(tree: &Tree) -> Vec<u8> {
    let mut bytes = Vec::new();
    write(tree, &mut bytes);
    bytes
}

fn head(bytes: &mut Vec<u8>, major: u8, argument: u64) {
    let first = major << 5;
    let all = argument.to_be_bytes();
    match argument {
        0..=23 => bytes.push(first | all[7]),
        24..=0xff => bytes.extend([first | 24, all[7]]),
        0x100..=0xffff => {
            bytes.push(first | 25);
            bytes.extend(&all[6..]);
        }
        0x1_0000..=0xffff_ffff => {
            bytes.push(first | 26);
            bytes.extend(&all[4..]);
        }
        _ => {
            bytes.push(first | 27);
            bytes.extend(all);
        }
    }
}

fn text(bytes: &mut Vec<u8>, text: &str) {
    head(bytes, 3, text.len() as u64);
    bytes.extend(text.as_bytes());
}

fn write(tree: &Tree, bytes: &mut Vec<u8>) {
    match tree {
        Tree::Map(members) => {
            head(bytes, 5, members.len() as u64);
            for (name, value) in members {
                text(bytes, name);
                write(value, bytes);
            }
        }
        Tree::Named(members) => {
            head(bytes, 5, members.len() as u64);
            for (name, value) in members {
                text(bytes, name);
                write(value, bytes);
            }
        }
        Tree::List(elements) => {
            head(bytes, 4, elements.len() as u64);
            elements.iter().for_each(|value| write(value, bytes));
        }
        Tree::Text(value) => text(bytes, value),
        Tree::Number(number) => {
            bytes.push(7 << 5 | 27);
            bytes.extend(number.to_bits().to_be_bytes());
        }
        Tree::Time(seconds) => {
            head(bytes, 6, 1);
            head(bytes, 0, *seconds);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        let digit = |at| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
        (0..text.len()).step_by(2).map(digit).collect()
    }

    /// RFC 8949, appendix A.
    #[test]
    fn the_standards_examples_are_read() {
        for (bytes, expect) in [
            ("00", json!(0)),
            ("1818", json!(24)),
            ("1903e8", json!(1_000)),
            ("1bffffffffffffffff", json!(u64::MAX)),
            ("3863", json!(-100)),
            ("f93c00", json!(1.0)),
            ("f97bff", json!(65_504.0)),
            ("f90001", json!(5.960_464_477_539_063e-8)),
            ("fa47c35000", json!(100_000.0)),
            ("fb3ff199999999999a", json!(1.1)),
            ("f4", json!(false)),
            ("f5", json!(true)),
            ("f6", json!(null)),
            ("c11a514b67b0", json!(1_363_896_240)),
            ("c1fb41d452d9ec200000", json!(1_363_896_240.5)),
            ("6449455446", json!("IETF")),
            ("83010203", json!([1, 2, 3])),
            ("a26161016162820203", json!({"a": 1, "b": [2, 3]})),
            ("7f657374726561646d696e67ff", json!("streaming")),
            ("9f018202039f0405ffff", json!([1, [2, 3], [4, 5]])),
            ("bf61610161629f0203ffff", json!({"a": 1, "b": [2, 3]})),
        ] {
            assert_eq!(decode(&hex(bytes)), Ok(expect), "{bytes}");
        }
    }

    #[test]
    fn what_is_malformed_is_refused() {
        for bytes in ["", "18", "62c328", "0000", "4101", "1c", "a10101", "9f01", "f97c00", "ff", "3bffffffffffffffff"]
        {
            assert!(decode(&hex(bytes)).is_err(), "{bytes}");
        }
        // A list that says it has 2^64 elements, and one that is nested without end.
        assert!(decode(&hex("9bffffffffffffffff")).is_err());
        assert!(decode(&[0x81; 100]).is_err());
        assert!(decode(&[0xc1; 100]).is_err());
    }

    /// Whatever the bytes, there is an answer: cut off anywhere, with any bit flipped.
    #[test]
    fn no_bytes_are_too_odd() {
        let whole = hex("bf61619f0203ff6162a2616301616483f93c00fb3ff199999999999a7f657374726561646d696e67ffff");
        assert!(decode(&whole).is_ok());
        for at in 0..whole.len() {
            let _ = decode(&whole[..at]);
            for bit in 0..8 {
                let mut changed = whole.clone();
                changed[at] ^= 1 << bit;
                let _ = decode(&changed);
            }
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let list = (0..300).map(|number| Tree::Number(f64::from(number))).collect();
        let tree = Tree::Map(vec![
            ("Text", Tree::text("x".repeat(70_000))),
            ("List", Tree::List(list)),
            ("At", Tree::Time(1_764_000_000)),
        ]);
        assert_eq!(decode(&encode(&tree)), Ok(tree.to_json()));
        assert!(encode(&tree).windows(2).any(|pair| pair == [0xc1, 0x1a]));
    }
}
