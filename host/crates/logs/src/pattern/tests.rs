use proptest::prelude::*;

use super::*;

fn check(pattern: &str, lines: &[(&str, bool)]) {
    let parsed = Pattern::parse(pattern).unwrap_or_else(|error| panic!("{pattern}: {error}"));
    for (line, expect) in lines {
        assert_eq!(parsed.matches(line), *expect, "{pattern} on {line}");
    }
}

/// The examples of AWS's page.
#[test]
fn terms() {
    check("", &[("anything", true), ("", true)]);
    check("ERROR", &[("[ERROR 400] BAD REQUEST", true), ("error", false)]);
    check("ERROR ARGUMENTS", &[("[ERROR 401] UNAUTHORIZED REQUEST: MISSING ARGUMENTS", true), ("ERROR", false)]);
    check("?ERROR ?ARGUMENTS", &[("ERROR", true), ("ARGUMENTS", true), ("WARN", false)]);
    check("\"INTERNAL SERVER ERROR\"", &[("[ERROR 500] INTERNAL SERVER ERROR", true), ("INTERNAL ERROR", false)]);
    check("ERROR -ARGUMENTS", &[("[ERROR 400] BAD", true), ("[ERROR 419] MISSING ARGUMENTS", false)]);
    check("-\"a b\"", &[("a b", false), ("b a", true)]);
    check("\"say \\\"hi\\\"\"", &[("they say \"hi\"", true), ("they say hi", false)]);
    // `?` is ignored beside others.
    check("INFO ?ERROR", &[("INFO", true), ("ERROR", false)]);
}

#[test]
fn json() {
    let line = r#"{"level":"ERROR","ms":120.5,"user":{"name":"Ada","ip":"123.123.1.2"},"tags":["a","b"],"ok":true,"no":false,"nil":null,"a.b":1,"code":400}"#;
    for (pattern, expect) in [
        (r#"{ $.level = "ERROR" }"#, true),
        ("{ $.level = ERROR }", true),
        (r#"{$.level="ERR*"}"#, true),
        (r#"{ $.level = "*RRO*" }"#, true),
        (r#"{ $.level = "error" }"#, false),
        (r#"{ $.level != "ERROR" }"#, false),
        (r#"{ $.level != "WARN" }"#, true),
        (r#"{ $.none != "WARN" }"#, false),
        ("{ $.ms > 120 }", true),
        ("{ $.ms >= 120.5 && $.ms <= 1.205e2 }", true),
        ("{ $.ms < 120 }", false),
        ("{ $.ms = 120.5 }", true),
        ("{ $.code = 4* }", true),
        (r#"{ $.code = "400" }"#, false),
        ("{ $.user.ip = 123.123.* }", true),
        (r#"{ $.user.name = "Ada" && ($.level = "WARN" || $.tags[0] = "a") }"#, true),
        (r#"{ $.level = "WARN" || $.level = "ERROR" && $.ms > 1000 }"#, false),
        (r#"{ $.tags[1] = "b" }"#, true),
        (r#"{ $.tags[2] NOT EXISTS }"#, true),
        (r#"{ $.tags[*] = "b" }"#, true),
        (r#"{ $.tags[*] = "c" }"#, false),
        ("{ $['a.b'] = 1 }", true),
        ("{ $.['a.b'] = 1 }", true),
        ("{ $.ok IS TRUE }", true),
        ("{ $.no IS FALSE }", true),
        ("{ $.ok IS FALSE }", false),
        ("{ $.nil IS NULL }", true),
        ("{ $.level IS NULL }", false),
        ("{ $.none NOT EXISTS }", true),
        ("{ $.nil NOT EXISTS }", false),
        ("{ $.tags = a }", false),
    ] {
        check(pattern, &[(line, expect), ("no json", false), ("[1]", false)]);
    }
}

/// A text that is looked for first must not be missed where an escape hides it.
#[test]
fn escapes_hide_nothing() {
    check(r#"{ $.level = "ERROR" }"#, &[(r#"{"level":"\u0045RROR"}"#, true), (r#"{"level":"\u0045RRO"}"#, false)]);
    check(r#"{ $.a = "x\"y" }"#, &[(r#"{"a":"x\"y"}"#, true), (r#"{"a":"xy"}"#, false)]);
    check("{ $.ms = 1e2 }", &[(r#"{"ms":100}"#, true)]);
    check("{ $.ms = 10* }", &[(r#"{"ms":1e2}"#, true), (r#"{"ms":12}"#, false)]);
}

#[test]
fn what_is_no_pattern_says_why() {
    for (pattern, expect) in [
        ("\"open", "a quotation mark is not closed"),
        ("a -", "a `?` or `-` stands alone"),
        ("a\"b", "a quotation mark within a term"),
        ("%x%", "regular expressions are not supported yet: %x%"),
        ("[a, b]", "patterns of columns"),
        ("{ $.a }", "a comparison is expected"),
        ("{ $.a = }", "a text or a number is expected before `}`"),
        ("{ $.a = 1", "it ends where `&&`, `||` or `}` is expected"),
        ("{ a = 1 }", "a member, as `$.name`, is expected before `a = 1 }`"),
        ("{ $ = 1 }", "a name is expected after `$`"),
        ("{ $.a > x }", "> takes a number: x"),
        ("{ $.a[x] = 1 }", "in brackets stand a number"),
        ("{ $.a = 1 } b", "something follows the last `}`"),
        ("{ $.a = %x% }", "regular expressions"),
        ("{ ($.a = 1 }", "`&&`, `||` or `)` is expected"),
    ] {
        let error = Pattern::parse(pattern).unwrap_err().to_string();
        assert!(error.starts_with(expect), "{pattern}: {error}");
    }
    assert!(Pattern::parse(&"x".repeat(1_024)).is_ok());
    assert!(Pattern::parse(&"x".repeat(1_025)).is_err());
    assert!(Pattern::parse(&format!("{{ {} $.a = 1 }}", "(".repeat(1_000))).is_err(), "deep parentheses");
}

/// Pieces of which most patterns are made, so that random ones get far.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("{".to_owned()),
        Just("}".to_owned()),
        Just("(".to_owned()),
        Just(")".to_owned()),
        Just("$.a".to_owned()),
        Just("$.a[0]".to_owned()),
        Just("$['a']".to_owned()),
        Just(" = ".to_owned()),
        Just(" != ".to_owned()),
        Just(" < ".to_owned()),
        Just(" && ".to_owned()),
        Just(" || ".to_owned()),
        Just("\"".to_owned()),
        Just("\\".to_owned()),
        Just("*".to_owned()),
        Just("?".to_owned()),
        Just("-".to_owned()),
        Just(" IS NULL".to_owned()),
        Just(" NOT EXISTS".to_owned()),
        Just("12".to_owned()),
        ".{0,3}",
        "[a-c ]{0,4}",
    ];
    proptest::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

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
        let expect = all.iter().all(|term| line.contains(term)) && !none.iter().any(|term| line.contains(term));
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
}
