//! Property tests of filter patterns: anybody's, against lines of anybody's.

use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed};

use super::*;

/// The same cases in every run; `PROPTEST_CASES` says how many (see ARCHITECTURE.md).
fn config() -> Config {
    Config { rng_seed: RngSeed::Fixed(1), failure_persistence: None, ..Config::default() }
}

/// Pieces of which most patterns are made, so that random ones get far.
fn pieces() -> impl Strategy<Value = String> {
    const SIGNS: &[&str] = &[
        "{",
        "}",
        "(",
        ")",
        "[",
        "]",
        ",",
        "...",
        "%",
        "$.a",
        "$.a[0]",
        "$['a']",
        "$.*",
        "[*]",
        " = ",
        " != ",
        " < ",
        " && ",
        " || ",
        "\"",
        "\\",
        "*",
        "?",
        "-",
        "+",
        "|",
        "^",
        "{2,}",
        "\\d",
        "\\x41",
        " IS NULL",
        " NOT EXISTS",
        "12",
        "a = ",
    ];
    let piece = prop_oneof![
        4 => proptest::sample::select(SIGNS).prop_map(str::to_owned),
        1 => ".{0,3}",
        1 => "[a-c ]{0,4}",
    ];
    let opening = proptest::sample::select(vec!["", "{ $.a = ", "[a = ", "%"]);
    (opening, proptest::collection::vec(piece, 0..12))
        .prop_map(|(opening, pieces)| opening.to_owned() + &pieces.concat())
}

/// A sign of a regular expression: as it is written, and which of `abc1` it fits.
const ATOMS: &[(&str, &str)] = &[
    ("a", "a"),
    ("b", "b"),
    (".", "abc1"),
    ("[ab]", "ab"),
    ("[^a]", "bc1"),
    ("[a-c]", "abc"),
    ("[\\d]", "1"),
    ("\\d", "1"),
    ("\\D", "abc"),
    ("\\w", "abc1"),
    ("\\x62", "b"),
    ("\\.", ""),
];
/// How often one may stand, as it is written and in numbers.
const REPEATS: &[(&str, usize, usize)] = &[
    ("", 1, 1),
    ("?", 0, 1),
    ("*", 0, 99),
    ("+", 1, 99),
    ("{2}", 2, 2),
    ("{,2}", 0, 2),
    ("{1,}", 1, 99),
    ("{1,2}", 1, 2),
];

/// Signs, each with how often; and whether it is tied to the beginning and the end.
type Branch = (Vec<(usize, usize)>, bool, bool);

fn branch() -> impl Strategy<Value = Branch> {
    let sign = (0..ATOMS.len(), 0..REPEATS.len());
    (proptest::collection::vec(sign, 1..5), any::<bool>(), any::<bool>())
}

fn written((signs, begins, ends): &Branch) -> String {
    let text: String = signs.iter().map(|(atom, repeat)| ATOMS[*atom].0.to_owned() + REPEATS[*repeat].0).collect();
    format!("{}{text}{}", if *begins { "^" } else { "" }, if *ends { "$" } else { "" })
}

/// Whether signs fit the beginning of a text, and all of it where they must: by trying.
fn fits(signs: &[(usize, usize)], text: &[u8], ends: bool) -> bool {
    let Some(((atom, repeat), rest)) = signs.split_first() else { return !ends || text.is_empty() };
    let (_, least, most) = REPEATS[*repeat];
    let run = text.iter().take_while(|byte| ATOMS[*atom].1.as_bytes().contains(byte)).count();
    (least..=most.min(run)).any(|times| fits(rest, &text[times..], ends))
}

fn found((signs, begins, ends): &Branch, text: &str) -> bool {
    let last = if *begins { 0 } else { text.len() };
    (0..=last).any(|at| fits(signs, &text.as_bytes()[at..], *ends))
}

/// A column's text, and how it stands in a line.
fn cell() -> impl Strategy<Value = (String, String)> {
    prop_oneof![
        "[a-c1]{1,3}".prop_map(|text| (text.clone(), text)),
        "[a-c ]{0,4}".prop_map(|text| (text.clone(), format!("\"{text}\""))),
        "[a-c ]{0,4}".prop_map(|text| (text.clone(), format!("[{text}]"))),
    ]
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn nothing_makes_it_panic(pattern in pieces(), line in ".{0,40}", json in r#"\{"a":("[a-c*]{0,3}"|[0-9]{1,3}|null|\["x"\])\}"#) {
        if let Ok(parsed) = Pattern::parse(&pattern) {
            parsed.matches(&line);
            parsed.matches(&json);
        }
    }

    /// Terms, written in quotation marks, against the plain meaning.
    #[test]
    fn terms_agree_with_a_simple_model(
        all in proptest::collection::vec("[a-c \"\\\\]{1,3}", 0..3),
        none in proptest::collection::vec("[a-c]{1,3}", 0..3),
        line in "[a-c \"\\\\]{0,12}",
    ) {
        let quote = |term: &String| format!("\"{}\"", term.replace('\\', "\\\\").replace('"', "\\\""));
        let text: Vec<String> = all.iter().map(quote).chain(none.iter().map(|term| format!("-{term}"))).collect();
        let expect = all.iter().all(|term| term.trim().is_empty() || line.contains(term)) && !none.iter().any(|term| line.contains(term));
        prop_assert_eq!(Pattern::parse(&text.join(" ")).unwrap().matches(&line), expect);
    }

    /// `*` against a regular expression's meaning, by trying every split.
    #[test]
    fn wildcards_agree_with_a_simple_model(pattern in "[ab*]{0,6}", text in "[ab]{0,6}") {
        fn model(pattern: &[u8], text: &[u8]) -> bool {
            match pattern.split_first() {
                None => text.is_empty(),
                Some((b'*', rest)) => (0..=text.len()).any(|at| model(rest, &text[at..])),
                Some((first, rest)) => text.first() == Some(first) && model(rest, &text[1..]),
            }
        }
        let condition = Pattern::parse(&format!("{{ $.x = \"{pattern}\" }}")).unwrap();
        let line = format!("{{\"x\":\"{text}\"}}");
        prop_assert_eq!(condition.matches(&line), model(pattern.as_bytes(), text.as_bytes()));
    }

    #[test]
    fn regular_expressions_agree_with_a_simple_model(
        branches in proptest::collection::vec(branch(), 1..3),
        text in "[abc1]{0,6}",
    ) {
        let expression = branches.iter().map(written).collect::<Vec<_>>().join("|");
        let expect = branches.iter().any(|branch| found(branch, &text));
        let pattern = Pattern::parse(&format!("%{expression}%")).unwrap();
        prop_assert_eq!(pattern.matches(&text), expect, "{} on {}", expression, text);
        let (column, json) = (format!("[a = %{expression}%]"), format!("{{ $.a = %{expression}% }}"));
        let line = format!("\"{text}\"");
        prop_assert_eq!(Pattern::parse(&column).unwrap().matches(&line), expect, "{}", column);
        prop_assert_eq!(Pattern::parse(&json).unwrap().matches(&format!("{{\"a\":{line}}}")), expect, "{}", json);
    }

    /// Columns, some of which are asked for by their text, against the list of them.
    #[test]
    fn columns_agree_with_a_simple_model(
        cells in proptest::collection::vec(cell(), 1..6),
        first in proptest::collection::vec(proptest::option::of("[a-c1]{0,2}"), 0..4),
        last in proptest::option::of(proptest::collection::vec(proptest::option::of("[a-c1]{0,2}"), 0..3)),
        gap in "[ \t]{1,2}",
    ) {
        let first = if first.is_empty() && last.is_none() { vec![None] } else { first };
        let line = cells.iter().map(|(_, written)| written.as_str()).collect::<Vec<_>>().join(&gap);
        let column = |(at, asked): (usize, &Option<String>)| match asked {
            Some(text) => format!("c{at} = \"{text}*\""),
            None => format!("c{at}"),
        };
        let mut columns: Vec<String> = first.iter().enumerate().map(column).collect();
        if let Some(last) = &last {
            columns.push("...".to_owned());
            columns.extend(last.iter().enumerate().map(column));
        }
        let is = |asked: &Option<String>, text: &str| asked.as_ref().is_none_or(|begin| text.starts_with(begin));
        let of = |asked: &[Option<String>], cells: &[(String, String)]| {
            asked.len() <= cells.len() && asked.iter().zip(cells).all(|(asked, (text, _))| is(asked, text))
        };
        let expect = match &last {
            Some(last) => {
                first.len() + last.len() <= cells.len() && of(&first, &cells) && of(last, &cells[cells.len() - last.len()..])
            }
            None if first.len() == cells.len() => of(&first, &cells),
            None if first.len() > cells.len() => false,
            None => {
                let (end, before) = first.split_last().unwrap();
                // All the rest, as it is written.
                of(before, &cells) && is(end, &cells[before.len()].1)
            }
        };
        let pattern = format!("[{}]", columns.join(", "));
        prop_assert_eq!(Pattern::parse(&pattern).unwrap().matches(&line), expect, "{} on {}", pattern, line);
    }
}
