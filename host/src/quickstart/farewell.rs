//! What to try while the platform stays up.

use std::path::Path;

use serde_json::Value;

use super::narrator::Narrator;
use super::workplace::Workplace;
use crate::cli::client::Client;
use crate::cli::commands::url;
use crate::cli::failure::Failure;

/// Prints the URLs and the next commands.
pub(super) async fn say(narrator: &Narrator, client: &Client, place: &Workplace) -> Result<(), Failure> {
    let hello = by_path(client, "hello").await?;
    let stream = by_path(client, "stream").await?;
    let program = std::env::args().next().unwrap_or_else(|| "lamina".to_owned());
    let (endpoint, data, signed) = (client.endpoint(), quoted(&place.data), quoted(&place.signed("hello")));
    let key = quoted(&place.key().secret);
    let process = quoted_text(&format!("cat {}", quoted(&place.data.join("credentials.json"))));
    narrator.aside(format_args!(
        "
The platform stays up at {endpoint} until you press ctrl-c. Try in another terminal:

  export LAMINA_DATA={data}
  {program} invoke hello --payload '{{\"name\": \"Grace\"}}' --tail
  {program} logs stream --follow
  {program} deploy hello-again {signed} --memory 256 --url
  {program} deploy mine FOLDER-WITH-YOUR-HANDLER --key {key} --url
  {program} status

  curl '{hello}?name=Grace'
  curl -N {stream}

With the AWS CLI and boto3:

  aws configure set profile.lamina.credential_process {process}
  aws configure set profile.lamina.endpoint_url {endpoint}
  aws configure set profile.lamina.region us-east-1
  aws configure set profile.lamina.cli_binary_format raw-in-base64-out
  aws --profile lamina lambda list-functions
  aws --profile lamina lambda invoke --function-name hello --payload '{{\"name\": \"Grace\"}}' /dev/stdout
  AWS_PROFILE=lamina python3 -c 'import boto3; \\
      print(boto3.client(\"lambda\").invoke(FunctionName=\"hello\", Payload=\"{{}}\")[\"Payload\"].read())'"
    ))
}

/// The function's URL in the form that every client can resolve.
async fn by_path(client: &Client, name: &str) -> Result<String, Failure> {
    let config = url::get(client, name).await?;
    let url = config.get("FunctionUrl").and_then(Value::as_str).unwrap_or_default();
    Ok(url::by_path(client.endpoint(), url).unwrap_or_else(|| url.to_owned()))
}

/// A path as a word of a shell that is in another directory.
fn quoted(path: &Path) -> String {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    quoted_text(&absolute.display().to_string())
}

/// A word as a shell reads it.
fn quoted_text(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:@%".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_for_a_shell() {
        let check = |text: &str, expect: &str| assert_eq!(quoted_text(text), expect);
        check("/tmp/a-b_1.json", "/tmp/a-b_1.json");
        check("cat /a b", "'cat /a b'");
        check("it's", r"'it'\''s'");
        check("", "''");
    }
}
