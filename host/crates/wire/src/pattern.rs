//! The service model's patterns: each as the text that answers quote, beside a
//! function that decides the same by hand (no regular expressions at run time).

/// A pattern and its decision.
pub struct Pattern {
    /// The model's regular expression, verbatim.
    pub text: &'static str,
    /// Whether a whole value matches it.
    pub matches: fn(&str) -> bool,
}

impl Pattern {
    /// The constraint as answers print it.
    pub fn constraint(&self) -> String {
        format!("Member must satisfy regular expression pattern: {}", self.text)
    }
}

impl std::fmt::Debug for Pattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.text)
    }
}

/// Names of functions where no `.` and no namespace is allowed.
pub const FUNCTION_NAME: Pattern = Pattern {
    text: r"(arn:(aws[a-zA-Z-]*)?:lambda:)?([a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:)?(\d{12}:)?(function:)?([a-zA-Z0-9-_]+)(:(\$LATEST|[a-zA-Z0-9-_]+))?",
    matches: |text| function_name(text, false),
};

/// Names of functions on reads and calls.
pub const NAMESPACED_FUNCTION_NAME: Pattern = Pattern {
    text: r"(arn:(aws[a-zA-Z-]*)?:lambda:)?([a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:)?(\d{12}:)?(function:)?([a-zA-Z0-9-_\.]+)(:(\$LATEST(\.PUBLISHED)?|[a-zA-Z0-9-_]+))?",
    matches: |text| function_name(text, true),
};

/// Qualifiers on reads and calls.
pub const QUALIFIER: Pattern = Pattern {
    text: r"\$(LATEST(\.PUBLISHED)?)|[a-zA-Z0-9-_$]+",
    matches: |text| text == "$LATEST.PUBLISHED" || (!text.is_empty() && text.bytes().all(|b| word(b) || b == b'$')),
};

/// Qualifiers of function URLs: aliases only.
pub const URL_QUALIFIER: Pattern = Pattern {
    text: r"((?!^\d+$)^[0-9a-zA-Z-_]+$)",
    matches: |text| is_word(text) && !text.bytes().all(|b| b.is_ascii_digit()),
};

/// A role's ARN.
pub const ROLE: Pattern = Pattern {
    text: r"arn:(aws[a-zA-Z-]*)?:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+",
    matches: |text| {
        let parts: Vec<&str> = text.splitn(6, ':').collect();
        let ["arn", partition, "iam", "", account, resource] = parts.as_slice() else { return false };
        let Some(name) = resource.strip_prefix("role") else { return false };
        (partition.is_empty() || is_partition(partition))
            && is_account(account)
            && !name.is_empty()
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_+=,.@-/".contains(&b))
            && name != "/"
    },
};

/// A handler.
pub const HANDLER: Pattern =
    Pattern { text: r"[^\s]+", matches: |text| !text.is_empty() && !text.contains(char::is_whitespace) };

/// A log group.
pub const LOG_GROUP: Pattern = Pattern {
    text: r"[\.\-_/#A-Za-z0-9]+",
    matches: |text| !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b".-_/#".contains(&b)),
};

/// The name of an environment variable.
pub const VARIABLE: Pattern = Pattern {
    text: "[a-zA-Z]([a-zA-Z0-9_])+",
    matches: |text| {
        text.len() >= 2
            && text.as_bytes()[0].is_ascii_alphabetic()
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    },
};

/// A statement's id when it is made.
pub const STATEMENT_ID: Pattern = Pattern { text: "([a-zA-Z0-9-_]+)", matches: is_word };

/// A statement's id when it is removed.
pub const NAMESPACED_STATEMENT_ID: Pattern = Pattern {
    text: "([a-zA-Z0-9-_.]+)",
    matches: |text| !text.is_empty() && text.bytes().all(|b| word(b) || b == b'.'),
};

/// A statement's action.
pub const ACTION: Pattern = Pattern {
    text: "(lambda:[*]|lambda:[a-zA-Z]+|[*])",
    matches: |text| match text.strip_prefix("lambda:") {
        Some(action) => action == "*" || (!action.is_empty() && action.bytes().all(|b| b.is_ascii_alphabetic())),
        None => text == "*",
    },
};

/// A statement's principal.
pub const PRINCIPAL: Pattern = HANDLER;

/// A statement's source.
pub const SOURCE_ARN: Pattern = Pattern {
    text: r"arn:(aws[a-zA-Z0-9-]*):([a-zA-Z0-9\-])+:([a-z]{2}(-gov)?-[a-z]+-\d{1})?:(\d{12})?:(.*)",
    matches: |text| {
        let parts: Vec<&str> = text.splitn(6, ':').collect();
        let ["arn", partition, service, region, account, rest] = parts.as_slice() else { return false };
        partition.starts_with("aws")
            && partition.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !service.is_empty()
            && service.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && (region.is_empty() || is_region(region))
            && (account.is_empty() || is_account(account))
            && !rest.contains('\n')
    },
};

/// A statement's source account.
pub const ACCOUNT: Pattern = Pattern { text: r"\d{12}", matches: is_account };

/// A statement's organisation.
pub const PRINCIPAL_ORG: Pattern = Pattern {
    text: "o-[a-z0-9]{10,32}",
    matches: |text| {
        text.strip_prefix("o-").is_some_and(|id| {
            (10..=32).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        })
    },
};

/// A statement's event source token.
pub const EVENT_SOURCE_TOKEN: Pattern = Pattern {
    text: r"[a-zA-Z0-9._\-]+",
    matches: |text| !text.is_empty() && text.bytes().all(|b| word(b) || b == b'.'),
};

/// What can have tags.
pub const TAGGABLE: Pattern = Pattern {
    text: r"arn:(aws[a-zA-Z-]*):lambda:[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:\d{12}:(function:[a-zA-Z0-9-_]+(:(\$LATEST|[a-zA-Z0-9-_]+))?|code-signing-config:csc-[a-z0-9]{17}|event-source-mapping:[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}|capacity-provider:[a-zA-Z0-9-_]+)",
    matches: taggable,
};

fn word(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b == b'-' || b == b'_'
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(word)
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
}

fn is_partition(text: &str) -> bool {
    text.strip_prefix("aws").is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_alphabetic() || b == b'-'))
}

/// `us-east-1`, `us-gov-west-1`, `us-isob-east-1`.
fn is_region(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let lower = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase());
    let ends = |area: &str, place: &str, number: &str| {
        area.len() == 2 && lower(area) && lower(place) && number.len() == 1 && number.as_bytes()[0].is_ascii_digit()
    };
    match parts.as_slice() {
        [area, place, number] => ends(area, place, number),
        [area, kind, place, number] => {
            let iso = kind.strip_prefix("iso").is_some_and(|rest| rest.len() <= 1 && (rest.is_empty() || lower(rest)));
            (*kind == "gov" || iso) && ends(area, place, number)
        }
        _ => false,
    }
}

fn function_name(text: &str, namespaced: bool) -> bool {
    let mut rest: Vec<&str> = text.split(':').collect();
    let starts = |rest: &[&str]| {
        rest.len() > 3 && rest[0] == "arn" && (rest[1].is_empty() || is_partition(rest[1])) && rest[2] == "lambda"
    };
    if starts(&rest) {
        rest.drain(..3);
    }
    if rest.len() > 1 && is_region(rest[0]) {
        rest.remove(0);
    }
    if rest.len() > 1 && is_account(rest[0]) {
        rest.remove(0);
    }
    if rest.len() > 1 && rest[0] == "function" {
        rest.remove(0);
    }
    let name = |text: &str| !text.is_empty() && text.bytes().all(|b| word(b) || (namespaced && b == b'.'));
    let qualifier = |text: &str| is_word(text) || text == "$LATEST" || (namespaced && text == "$LATEST.PUBLISHED");
    match rest.as_slice() {
        [only] => name(only),
        [first, second] => name(first) && qualifier(second),
        _ => false,
    }
}

fn taggable(text: &str) -> bool {
    let parts: Vec<&str> = text.split(':').collect();
    let ["arn", partition, "lambda", region, account, kind, rest @ ..] = parts.as_slice() else { return false };
    if !(is_partition(partition) && is_region(region) && is_account(account)) {
        return false;
    }
    let lower = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    match (*kind, rest) {
        ("function", [name]) => is_word(name),
        ("function", [name, qualifier]) => is_word(name) && (*qualifier == "$LATEST" || is_word(qualifier)),
        ("code-signing-config", [id]) => {
            id.strip_prefix("csc-").is_some_and(|id| id.len() == 17 && id.bytes().all(lower))
        }
        ("event-source-mapping", [id]) => {
            id.len() == 36
                && id.bytes().enumerate().all(|(at, b)| match at {
                    8 | 13 | 18 | 23 => b == b'-',
                    _ => b.is_ascii_hexdigit(),
                })
        }
        ("capacity-provider", [name]) => is_word(name),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pattern: &Pattern, good: &[&str], bad: &[&str]) {
        for text in good {
            assert!((pattern.matches)(text), "{text} must match {pattern:?}");
        }
        for text in bad {
            assert!(!(pattern.matches)(text), "{text} must not match {pattern:?}");
        }
    }

    #[test]
    fn decisions_agree_with_the_expressions() {
        let arn = "arn:aws:lambda:us-east-1:000000000000:function:f";
        check(
            &FUNCTION_NAME,
            &["f", "f:1", "f:$LATEST", "function:f", "function", "000000000000:function:f:live", arn],
            &["", "a b", "a.b", "f:1:2", "f:$LATES", "arn:aws:s3:::b", "f:", "a/b"],
        );
        check(&NAMESPACED_FUNCTION_NAME, &["a.b", "f:$LATEST.PUBLISHED", "us-gov-west-1:f"], &["f:$LATES", "a%b"]);
        check(&QUALIFIER, &["1", "$LATEST", "live", "$latest", "$LATEST.PUBLISHED"], &["", "a:b", "a.b"]);
        check(&URL_QUALIFIER, &["live", "1a"], &["1", "$LATEST", ""]);
        check(
            &ROLE,
            &[
                "arn:aws:iam::000000000000:role/r",
                "arn:aws:iam::000000000000:role/a/b",
                "arn:aws-cn:iam::000000000000:rolex",
            ],
            &["r", "arn:aws:iam::1:role/r", "arn:aws:iam::000000000000:user/r", "arn:aws:iam::000000000000:role/a b"],
        );
        check(&VARIABLE, &["AB", "a_1"], &["A", "_A", "1A", "A-B", ""]);
        check(&ACTION, &["*", "lambda:*", "lambda:InvokeFunction"], &["lambda:", "s3:Get", "lambda:a1"]);
        check(&SOURCE_ARN, &["arn:aws:s3:::b", "arn:aws:events:us-east-1:000000000000:rule/r"], &["arn:x:s3:::b", "b"]);
        check(&PRINCIPAL_ORG, &["o-1234567890"], &["o-1", "x-1234567890"]);
        check(&TAGGABLE, &[arn, &format!("{arn}:1")], &["f", "arn:aws:lambda:us-east-1:000000000000:layer:l"]);
        check(&LOG_GROUP, &["/aws/lambda/f", "a#b"], &["", "a b", "a:b"]);
    }
}
