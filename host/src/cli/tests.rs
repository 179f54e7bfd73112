use clap::CommandFactory as _;

use super::*;

fn parse(line: &[&str]) -> Result<Cli, clap::Error> {
    Cli::try_parse_from(std::iter::once("lamina").chain(line.iter().copied()))
}

#[test]
fn the_definition_is_consistent() {
    Cli::command().debug_assert();
}

#[test]
fn every_command_parses() {
    for line in [
        "serve --data d --listen 127.0.0.1:0 --account 123456789012 --region eu-west-3 --signing warn",
        "quickstart --once --data d --listen 127.0.0.1:0",
        "keys new k",
        "sign f --key k --out g",
        "unsign f --out g",
        "verify f --key a --key b",
        "trust add p --name n --data d",
        "trust list --endpoint http://h",
        "trust revoke 00",
        "deploy f w --key k --memory 256 --timeout 5 --env A=1 --env B=x=y --url --stream --fuel 5000 --seed 1 \
         --role arn:aws:iam::000000000000:role/r --description d --publish --data d",
        "deploy f w --url --buffered",
        "invoke f --payload {} --tail --qualifier 1",
        "invoke f:1 --payload @file",
        "logs f --follow",
        "logs f --since 5m --filter ERROR --request-id 0 --output json",
        "logs f --since 2026-11-23T10:00:00Z",
        "list --output json",
        "delete f --qualifier 2",
        "url f",
        "status --profile p --region r",
        "stats --data d",
        "backup f --data d",
        "backup f --since a --since b --endpoint http://h",
        "restore f --data d",
        "restore f g h --data d",
        "fsck --data d --repair --secrets-key-file k",
    ] {
        let words: Vec<&str> = line.split_whitespace().collect();
        assert!(parse(&words).is_ok(), "{line}: {}", parse(&words).unwrap_err());
    }
}

#[test]
fn what_makes_no_sense_is_refused() {
    for line in [
        "serve --signing maybe",
        "restore f",
        "restore --data d",
        "backup --since a",
        "fsck --secrets-key-file k --secrets-key-command c",
        "serve --listen nowhere",
        "serve --account 12",
        "sign f",
        "verify f",
        "deploy f w --stream",
        "deploy f w --buffered",
        "deploy f w --url --stream --buffered",
        "deploy f w --env A",
        "deploy f w --env =1",
        "deploy f w --memory 64",
        "deploy f w --memory 20000",
        "deploy f w --timeout 0",
        "deploy f w --fuel 1",
        "deploy f:1 w",
        "deploy .. w",
        "invoke a/b",
        "logs f --since yesterday",
        "list --output xml",
        "nothing",
    ] {
        let words: Vec<&str> = line.split_whitespace().collect();
        assert_eq!(parse(&words).unwrap_err().exit_code(), 2, "{line}");
    }
    assert_eq!(parse(&["delete", ""]).unwrap_err().exit_code(), 2);
    assert_eq!(parse(&["--help"]).unwrap_err().exit_code(), 0);
}

#[test]
fn help_lists_the_environment() {
    let help = Cli::command().render_long_help().to_string();
    for name in ["LAMINA_DATA", "LAMINA_ENDPOINT", "LAMINA_OUTPUT", "LAMINA_KEY", "LAMINA_LOG", "AWS_PROFILE"] {
        assert!(help.contains(name), "{name}");
    }
}
