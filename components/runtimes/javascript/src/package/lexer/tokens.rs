//! JavaScript's tokens, as far as names, strings and brackets need them.

/// What a token is. Comments and spaces are none.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Name,
    /// With its quotes.
    String,
    Number,
    /// A whole template but for what stands in its `${}`, or a regular expression.
    Other,
    Punct(u8),
    End,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Token {
    pub(super) kind: Kind,
    start: u32,
    end: u32,
}

impl Token {
    pub(super) fn text<'a>(&self, source: &'a [u8]) -> &'a str {
        let bytes = source.get(self.start as usize..self.end as usize).unwrap_or_default();
        std::str::from_utf8(bytes).unwrap_or_default()
    }
}

/// A string's text without its quotes; escapes other than of the character itself are
/// left, which no module's name has.
pub(super) fn unquoted(text: &str) -> String {
    let inner = text.get(1..text.len().saturating_sub(1)).unwrap_or_default();
    let mut plain = String::with_capacity(inner.len());
    let mut characters = inner.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => plain.extend(characters.next()),
            character => plain.push(character),
        }
    }
    plain
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$' || byte == b'\\' || byte >= 0x80
}

/// Words after which a slash begins a regular expression.
const BEFORE_EXPRESSION: [&str; 15] = [
    "await",
    "case",
    "delete",
    "do",
    "else",
    "in",
    "instanceof",
    "new",
    "of",
    "return",
    "throw",
    "typeof",
    "void",
    "yield",
    "default",
];

pub(super) fn tokens(source: &[u8]) -> Vec<Token> {
    let mut lexer = Lexer { source, at: 0, tokens: Vec::new(), templates: Vec::new(), depth: 0 };
    if source.starts_with(b"#!") {
        lexer.line();
    }
    while let Some(byte) = lexer.peek(0) {
        lexer.token(byte);
    }
    lexer.tokens
}

struct Lexer<'a> {
    source: &'a [u8],
    at: usize,
    tokens: Vec<Token>,
    /// The depths of braces at which a template goes on.
    templates: Vec<u32>,
    depth: u32,
}

impl Lexer<'_> {
    fn peek(&self, ahead: usize) -> Option<u8> {
        self.source.get(self.at + ahead).copied()
    }

    fn push(&mut self, kind: Kind, start: usize) {
        self.at = self.at.min(self.source.len());
        self.tokens.push(Token { kind, start: start as u32, end: self.at as u32 });
    }

    fn line(&mut self) {
        while self.peek(0).is_some_and(|byte| byte != b'\n') {
            self.at += 1;
        }
    }

    fn token(&mut self, byte: u8) {
        let start = self.at;
        match byte {
            b' ' | b'\t' | b'\r' | b'\n' | 0x0b | 0x0c => self.at += 1,
            b'/' if self.peek(1) == Some(b'/') => self.line(),
            b'/' if self.peek(1) == Some(b'*') => {
                let end = self.source[start + 2..].windows(2).position(|pair| pair == b"*/");
                self.at = end.map_or(self.source.len(), |end| start + 2 + end + 2);
            }
            b'/' if self.expects_expression() => self.regular_expression(),
            b'"' | b'\'' => self.string(byte),
            b'`' => self.template(),
            b'}' if self.templates.last() == Some(&self.depth) => {
                self.templates.pop();
                self.tokens.push(Token { kind: Kind::Punct(b')'), start: start as u32, end: start as u32 });
                self.template();
            }
            b'0'..=b'9' => {
                while self.peek(0).is_some_and(|byte| is_name(byte) || byte == b'.') {
                    self.at += 1;
                }
                self.push(Kind::Number, start);
            }
            byte if is_name(byte) => {
                while self.peek(0).is_some_and(is_name) {
                    self.at += 1;
                }
                self.push(Kind::Name, start);
            }
            byte => {
                match byte {
                    b'{' => self.depth += 1,
                    b'}' => self.depth = self.depth.saturating_sub(1),
                    _ => {}
                }
                self.at += 1;
                self.push(Kind::Punct(byte), start);
            }
        }
    }

    /// Whether a slash here begins a regular expression rather than divides.
    fn expects_expression(&self) -> bool {
        let Some(last) = self.tokens.last() else { return true };
        match last.kind {
            Kind::Name => BEFORE_EXPRESSION.contains(&last.text(self.source)),
            Kind::String | Kind::Number | Kind::Other | Kind::End => false,
            // After a bracket both may follow; a block is rarer before a slash than a value,
            // but after `}` nobody divides.
            Kind::Punct(byte) => !matches!(byte, b')' | b']'),
        }
    }

    fn regular_expression(&mut self) {
        let start = self.at;
        let mut class = false;
        self.at += 1;
        while let Some(byte) = self.peek(0) {
            match byte {
                b'\\' => self.at += 1,
                b'[' => class = true,
                b']' => class = false,
                b'/' if !class => break,
                // It was none.
                b'\n' => {
                    self.at = start + 1;
                    return self.push(Kind::Punct(b'/'), start);
                }
                _ => {}
            }
            self.at += 1;
        }
        self.at += 1;
        while self.peek(0).is_some_and(is_name) {
            self.at += 1;
        }
        self.push(Kind::Other, start);
    }

    fn string(&mut self, quote: u8) {
        let start = self.at;
        self.at += 1;
        while let Some(byte) = self.peek(0) {
            match byte {
                b'\\' => self.at += 1,
                b'\n' => break,
                byte if byte == quote => {
                    self.at += 1;
                    break;
                }
                _ => {}
            }
            self.at += 1;
        }
        self.push(Kind::String, start);
    }

    /// From a backtick or the end of a `${}` to the next `${` or the closing backtick.
    fn template(&mut self) {
        let start = self.at;
        self.at += 1;
        while let Some(byte) = self.peek(0) {
            match byte {
                b'\\' => self.at += 1,
                b'`' => {
                    self.at += 1;
                    return self.push(Kind::Other, start);
                }
                b'$' if self.peek(1) == Some(b'{') => {
                    self.at += 2;
                    self.templates.push(self.depth);
                    // What follows is an expression, as after a bracket.
                    return self.push(Kind::Punct(b'('), start);
                }
                _ => {}
            }
            self.at += 1;
        }
        self.push(Kind::Other, start);
    }
}
