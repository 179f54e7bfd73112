//! The platform as its users meet it: HTTP and the command line, on a free port,
//! with real guests. Nothing here uses a crate of the platform but `signing` and
//! `package`, for keys and zips.
//!
//! Most tests share one server with a function of each kind (`common`); those that
//! stop servers, change their disk or their trust have one of their own.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests: what is not as expected fails the test"
)]
#![allow(clippy::disallowed_methods, reason = "the bans are for the platform; tests read the real clock")]

mod api;
mod boto3;
mod calls;
mod cli;
mod cloudwatch;
mod common;
mod conformance;
mod corpus;
mod deploy;
mod directory;
mod folders;
mod foreign;
mod forms;
mod grpc;
mod http2;
mod kill;
mod languages;
mod letter;
mod limits;
mod logs;
mod metrics;
mod monitor;
mod operate;
mod others;
mod otlp;
mod packages;
mod pressure;
mod protocol;
mod proxied;
mod quickstart;
mod races;
mod runtimes;
mod settings;
mod shutdown;
mod signatures;
mod snapstart;
mod streams;
mod throttles;
mod tls;
mod trust;
mod upgrade;
mod url;
mod usage;
