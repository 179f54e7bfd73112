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
    check("\" \"", &[("", true), ("x", true)]);
    check("\"\" x", &[("", false), ("x", true)]);
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
        // An object or an array is no value.
        ("{ $.tags != a }", false),
        ("{ $.user != a }", false),
        ("{ $.level = %^ERR% }", true),
        ("{ $.level = %err% }", false),
        ("{ $.level != %^WARN$% }", true),
        ("{ $.code = %^4\\d{2}$% }", true),
        ("{ $.tags[*] = %[bc]% && $.user.ip = %123\\.123\\.% }", true),
        ("{ $.user.* = %^123% }", true),
        ("{ $.* = %^123% }", false),
        ("{ $.* IS NULL }", true),
        ("{ $.none = %.% }", false),
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
        ("%x", "a regular expression is not closed"),
        ("%%", "a regular expression is empty"),
        ("%a%b", "a space is expected after a regular expression, before `b`"),
        ("%a% -%b% ?%c%", "it has more than 2 regular expressions"),
        ("{ $.a }", "a comparison is expected"),
        ("{ $.a = }", "a text or a number is expected before `}`"),
        ("{ $.a = 1", "it ends where `&&`, `||` or `}` is expected"),
        ("{ a = 1 }", "a member, as `$.name`, is expected before `a = 1 }`"),
        ("{ $ = 1 }", "a name is expected after `$`"),
        ("{ $.a > x }", "> takes a number: x"),
        ("{ $.a[x] = 1 }", "in brackets stand a number"),
        ("{ $.a = 1 } b", "something follows the last `}`"),
        ("{ $.a = %x }", "a regular expression is not closed"),
        ("{ $.a > %x% }", "> takes a number, and no regular expression"),
        ("{ $.a = %x% || $.b = %x% || $.c = %x% }", "it has more than 2 regular expressions"),
        ("{ $.a.*[*] = 1 }", "a member is named with at most 1 wildcard"),
        ("{ $.* = 1 && $.a[*] = 2 && $.b.* = 3 && $.c.* = 4 }", "a member is named with at most 1 wildcard `*`, and"),
        ("{ $.a EXISTS }", "a comparison is expected"),
        ("{ $.a IS NOT NULL }", "a comparison is expected"),
        ("[a, b", "it ends where a comparison, `&&`, `||`, `,` or `]` is expected"),
        ("[a b]", "a comparison, `&&`, `||`, `,` or `]` is expected before `b]`"),
        ("[..., a, ...]", "`...` stands once at most"),
        ("[a] b", "something follows the last `]`"),
        ("[a = 1 || b = 2]", "a condition is on one column, and not on a and b"),
        ("[a = 1 || a]", "a name without a comparison"),
        ("[= 1]", "the name of a column is expected before `= 1]`"),
        ("[a = ]", "a text or a number is expected before `]`"),
        ("[a > b]", "> takes a number: b"),
        ("[((a = 1)]", "`&&`, `||` or `)` is expected before `]`"),
        ("{ ($.a = 1 }", "`&&`, `||` or `)` is expected"),
    ] {
        let error = Pattern::parse(pattern).unwrap_err().to_string();
        assert!(error.starts_with(expect), "{pattern}: {error}");
    }
    assert!(Pattern::parse(&"x".repeat(1_024)).is_ok());
    assert!(Pattern::parse(&"x".repeat(1_025)).is_err());
    assert!(Pattern::parse(&format!("{{ {} $.a = 1 }}", "(".repeat(1_000))).is_err(), "deep parentheses");
}

/// The examples of AWS's page, and what its sentences say.
#[test]
fn regular_expressions() {
    check("%AUTHORIZED%", &[("[ERROR 401] UNAUTHORIZED REQUEST", true), ("[SUCCESS 200] authorized", false)]);
    check("%^[hc]at%", &[("hat", true), ("cat and", true), ("a hat", false)]);
    check("%[hc]at$%", &[("a hat", true), ("hats", false)]);
    check("%colou?r%", &[("color", true), ("colour", true), ("colouur", false)]);
    check("%[abcx-z]%", &[("b", true), ("y", true), ("d", false)]);
    check("%^a{3,5}$%", &[("aa", false), ("aaa", true), ("aaaaa", true), ("aaaaaa", false)]);
    check("%^a{,2}$%", &[("", true), ("aa", true), ("aaa", false)]);
    check("%^a{2,}$%", &[("a", false), ("aaa", true)]);
    check("%^a{2}$%", &[("aa", true), ("aaa", false)]);
    check(
        "%^starting|^initializing|^shutting down%",
        &[("starting up", true), ("shutting down", true), ("skipping initializing", false)],
    );
    check("%abcc|ab[^c]$%", &[("abcc x", true), ("aba", true), ("aac", false), ("abc", false)]);
    check("%\\[.\\]%", &[("[a]", true), ("[]]", true), ("[\u{e9}]", true), ("[]", false)]);
    check("%10\\.10\\.0\\.1%", &[("at 10.10.0.1", true), ("10010x051", false)]);
    check("%ab*c%", &[("ac", true), ("abbbc", true)]);
    check("%ab+c%", &[("ac", false), ("abc", true)]);
    check("%^.at%", &[("\u{e9}at", true), (" at", true), ("at", false)]);
    check("%^\\d\\D\\s\\S\\w\\W$%", &[("1a b_-", true), ("1a b--", false), ("aa b_-", false)]);
    check("%\\x3A\\x28%", &[("a:(b", true), ("a:b", false)]);
    check("%^[\\w.-]+$%", &[("a.b-c_1", true), ("a b", false)]);
    check("%^[^\\d]$%", &[("a", true), ("1", false)]);
    check("%^[]a]+$%", &[("]a", true), ("b", false)]);
    check("%[a-]%", &[("-", true), ("b", false)]);
    // Classes have no operators of their own.
    check("%^[+--]$%", &[(",", true), ("a", false)]);
    check("%^[[:a]$%", &[("[", true), (":", true)]);
    check("ERROR -%code=4\\d\\d%", &[("ERROR code=500", true), ("ERROR code=404", false)]);
    check("?%^a% ?%^b%", &[("a", true), ("b", true), ("c", false)]);
}

#[test]
fn what_is_no_regular_expression_says_why() {
    for (expression, expect) in [
        ("something!", r"`!` is not supported in a regular expression: write \x21"),
        ("(a|b)", r"`(` is not supported in a regular expression: write \x28"),
        ("\u{e9}", "`\u{e9}` is not supported in a regular expression, only ASCII is"),
        ("a\\b", r"in a regular expression \b has no meaning"),
        ("a\\", "a regular expression ends with"),
        ("a\\xF", "in a regular expression two hexadecimal digits"),
        ("a\\xFF", "in a regular expression two hexadecimal digits"),
        ("[a", "in a regular expression a `[` is not closed"),
        ("[z-a]", "in a regular expression a range ends before it begins: z-a"),
        ("[a-\\d]", "in a regular expression a range ends with a set"),
        ("a]", "in a regular expression `]` closes nothing"),
        ("*", "the regular expression %*% is none"),
        ("a{1,2", "in a regular expression stands {m}"),
        ("a{2,1}", "in a regular expression stands {m}"),
        ("a{,}", "in a regular expression stands {m}"),
        ("a{1001}", "in a regular expression stands {m}"),
        ("a{1000}{1000}", "the regular expression %a{1000}{1000}% is too large"),
    ] {
        let error = Pattern::parse(&format!("%{expression}%")).unwrap_err().to_string();
        assert!(error.starts_with(expect), "{expression}: {error}");
    }
}

/// The examples of AWS's page.
#[test]
fn columns() {
    let line = r#"127.0.0.1 Prod frank [10/Oct/2000:13:25:15 -0700] "GET /index.html HTTP/1.0" 404 1534"#;
    for (pattern, expect) in [
        (r"[ip=%127\.0\.0\.[1-9]%, user, username, timestamp, request =*.html*, status_code = 4*, bytes]", true),
        (r"[ip=%127\.0\.0\.[2-9]%, user, username, timestamp, request, status_code, bytes]", false),
        ("[..., request =*.html*, status_code = 4*, bytes]", true),
        ("[..., request=*.html*, status_code=4*,]", true),
        ("[ip, user, username, timestamp, request =*.html*, status_code = 404 || status_code = 410, bytes]", true),
        ("[ip, user, username, timestamp, request, status_code = 4* && status_code != 404, bytes]", false),
        ("[ip, user, username, timestamp, request, status_code, bytes > 1000]", true),
        ("[ip, user, username, timestamp, request, status_code, bytes > 2e3]", false),
        ("[..., bytes >= 1534 && (bytes = 1 || bytes <= 1534)]", true),
        ("[ip, user, ...]", true),
        ("[ip = 127*, ..., bytes < 1534]", false),
        ("[ip, user = \"Prod\", ..., status_code = \"404\", bytes]", true),
        ("[ip, ..., a, b, c, d, e, f, bytes]", false),
        ("[..., a, b, c, d, e, f, bytes]", true),
        ("[...]", true),
        ("[ip, user, timestamp = \"frank [10*1534\"]", true),
        ("[a, b, c, d, e, f, g, h]", false),
        ("[, , , time = \"10/Oct/2000:13:25:15 -0700\", ...]", true),
    ] {
        check(pattern, &[(line, expect)]);
    }
    let (info, error) = ("INFO 09/25/2014 12:00:00 GET /service/resource/67 1200", "ERROR 09/25/2014 12:00:02 Failed");
    let part = "INFO 09/25/2014 12:00:01 POST /service/resource/67/part/111 1310";
    check("[w1=ERROR, w2]", &[(info, false), (error, true), ("ERROR", false), ("", false)]);
    check("[w1=ERROR]", &[(error, false), ("ERROR", true), ("  ERROR\n", true)]);
    check("[w1=ERROR || w1=WARNING, w2]", &[(info, false), (error, true)]);
    check("[w1!=ERROR && w1!=WARNING, w2]", &[(info, true), (error, false)]);
    let url = "[logLevel, date, time, method, url=%/service/resource/[0-9]+$%, response_time]";
    check(url, &[(info, true), (part, false)]);
    let url = "[logLevel, date, time, method, url=%/service/resource/[0-9]+/part/[0-9]+$%, response_time]";
    check(url, &[(info, false), (part, true)]);
    // Tabs part, too, as in Lambda's REPORT.
    let report = "REPORT RequestId: 8fc6\tDuration: 201.67 ms\tBilled Duration: 202 ms\tMemory Size: 128 MB\t";
    check("[r=REPORT, ...]", &[(report, true), (error, false)]);
    check("[r=REPORT, i, id, d=\"Duration:\", ms > 200, ...]", &[(report, true)]);
    check("[..., size = 128, unit=MB]", &[(report, true)]);
    // What is not closed is a text like any other.
    check("[a = \"[b\", c]", &[("[b c", true)]);
}
