//! `credential_process`: a program of the user's that prints credentials.

use std::process::Stdio;
use std::time::Duration;

use aws_credential_types::Credentials;
use tokio::io::AsyncReadExt as _;
use tokio::process::Command;
use zeroize::Zeroizing;

use super::credentials;
use crate::cli::failure::Failure;

/// It may ask a person something.
const TIMEOUT: Duration = Duration::from_secs(120);
const OUTPUT_BYTES_MAX: u64 = 64 << 10;

/// Runs the command and reads what it prints. Its standard error is the user's.
pub(super) async fn run(line: &str) -> Result<Credentials, Failure> {
    let failed = |why: &str| Failure::new(format!("credential_process `{line}`: {why}"));
    let words = split(line).ok_or_else(|| failed("a quotation does not end"))?;
    let (program, arguments) = words.split_first().ok_or_else(|| failed("it is empty"))?;
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| failed(&error.to_string()))?;
    let stdout = child.stdout.take().ok_or_else(|| failed("it has no output"))?;
    let whole = async {
        let mut bytes = Zeroizing::new(Vec::with_capacity(4096));
        stdout.take(OUTPUT_BYTES_MAX).read_to_end(&mut bytes).await?;
        let status = child.wait().await?;
        Ok::<_, std::io::Error>((bytes, status))
    };
    let (bytes, status) = match tokio::time::timeout(TIMEOUT, whole).await {
        Ok(ended) => ended.map_err(|error| failed(&error.to_string()))?,
        Err(_) => return Err(failed("it did not end in time")),
    };
    if !status.success() {
        return Err(failed(&format!("it ended with {status}")));
    }
    credentials::parse(&bytes).map_err(|why| failed(&format!("its output cannot be used: {why}")))
}

/// Splits a command line as a POSIX shell would, without its expansions. `None`
/// when a quotation does not end.
fn split(line: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match c {
            '\'' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next()? {
                        '\'' => break,
                        c => word.push(c),
                    }
                }
            }
            '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next()? {
                        '"' => break,
                        '\\' => match chars.next()? {
                            c @ ('"' | '\\' | '$' | '`') => word.push(c),
                            c => word.extend(['\\', c]),
                        },
                        c => word.push(c),
                    }
                }
            }
            '\\' => word.get_or_insert_default().push(chars.next()?),
            c if c.is_whitespace() => words.extend(word.take()),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    Some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn command_lines_are_split_as_a_shell_does() {
        let check = |line: &str, expect: &[&str]| assert_eq!(split(line).unwrap(), expect, "{line}");
        check("", &[]);
        check("cat  /a/b.json ", &["cat", "/a/b.json"]);
        check(r#"a 'b c' "d \"e\" \f" g\ h '' i'j'k"#, &["a", "b c", r#"d "e" \f"#, "g h", "", "ijk"]);
        for open in ["a 'b", "a \"b", "a \\"] {
            assert_eq!(split(open), None, "{open}");
        }
    }

    fn block_on<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
    }

    #[test]
    fn a_process_prints_credentials() {
        let line = r#"printf '{"Version":1,"AccessKeyId":"AK","SecretAccessKey":"S","SessionToken":"T"}'"#;
        let credentials = block_on(run(line)).unwrap();
        assert_eq!(credentials.access_key_id(), "AK");
        assert_eq!(credentials.session_token(), Some("T"));
        for (line, expect) in [
            ("false", "ended with"),
            ("printf nothing", "no JSON"),
            (r#"printf '{"Version":2,"AccessKeyId":"A","SecretAccessKey":"S"}'"#, "Version is 2"),
            ("/nonexistent/program", "credential_process"),
        ] {
            let failure = block_on(run(line)).unwrap_err();
            assert!(failure.text().contains(expect), "{line}: {}", failure.text());
        }
    }
}
