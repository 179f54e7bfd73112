//! This binary as a process of its own, that may crash or hang.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use crate::check::Checker;
use crate::history::Acks;
use crate::seam::How;
use crate::{log, power, run};

/// The job, and its arguments, one a line.
const JOB: &str = "FAULTS_JOB";
/// How the test harness exits when a test has failed.
const PANICKED: i32 = 101;
/// Before every line that the child says to its parent: the test harness writes to standard output too.
const SAYS: &str = "@@";

/// What a child does.
#[derive(Debug, Clone)]
pub(crate) enum Job {
    /// Goes through the history in this directory; the nth step of our own seam fails.
    History { root: PathBuf, fault: Option<(usize, How)> },
    /// Opens this directory, which a history has left, and goes on.
    Recover { root: PathBuf },
    /// Checks a directory against the acknowledgements in a log.
    Check { root: PathBuf, log: PathBuf },
    /// Checks some of the states that a log allows.
    Cuts(power::Share),
}

/// Says a line to the parent.
pub(crate) fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "\n{SAYS}{}", line.replace('\n', " | ")).expect("the parent listens");
}

/// Without a job there is nothing to do: it is the entry of the other tests' children.
#[test]
fn a_child_of_the_other_tests() {
    let Ok(text) = std::env::var(JOB) else { return };
    let lines: Vec<&str> = text.lines().collect();
    match lines.as_slice() {
        ["history", root, nth, how] => {
            match run::run(Path::new(root), How::of(how).map(|how| (nth.parse().unwrap(), how))) {
                Ok(steps) => say(&format!("steps {steps}")),
                Err(error) => say(&format!("bad cannot be opened any more: {error}")),
            }
        }
        ["recover", root] => match run::recover(Path::new(root)) {
            Ok(()) => say("good"),
            Err(error) => say(&format!("bad {error}")),
        },
        ["check", root, log] => {
            match Checker::new().check(Path::new(root), &Acks::of(&log::read(Path::new(log))), true) {
                Ok(()) => say("good"),
                Err(error) => say(&format!("bad {error}")),
            }
        }
        ["cuts", rest @ ..] => power::work(&power::Share::parse(rest).expect("a share")),
        _ => panic!("no such job: {text}"),
    }
}

impl Job {
    fn text(&self) -> String {
        match self {
            Self::History { root, fault } => {
                let (nth, how) = fault.map_or((0, "none"), |(nth, how)| (nth, how.name()));
                format!("history\n{}\n{nth}\n{how}", root.display())
            }
            Self::Recover { root } => format!("recover\n{}", root.display()),
            Self::Check { root, log } => format!("check\n{}\n{}", root.display(), log.display()),
            Self::Cuts(share) => format!("cuts\n{}", share.text()),
        }
    }

    /// A command that does it.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(std::env::current_exe().expect("this program has a path"));
        command.args(["child::a_child_of_the_other_tests", "--exact", "--nocapture", "--test-threads=1"]);
        command.env(JOB, self.text()).env_remove("RUST_BACKTRACE");
        command
    }
}

/// How a child ended.
#[derive(Debug)]
pub(crate) struct End {
    /// What is wrong with it: it hung, died, or failed.
    pub(crate) wrong: Option<String>,
    /// Whether it died of a panic.
    pub(crate) has_panicked: bool,
    /// The end of its standard error.
    pub(crate) stderr: String,
}

/// Runs a child, and hands on every line that it says. One that says nothing for
/// `silence_max` and does not end is killed.
pub(crate) fn follow(mut command: Command, silence_max: Duration, mut each: impl FnMut(&str)) -> End {
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let (lines, said) = mpsc::sync_channel(64);
    let out = BufReader::new(child.stdout.take().expect("a pipe"));
    let reader = std::thread::spawn(move || {
        for line in out.lines().map_while(Result::ok) {
            if let Some(line) = line.strip_prefix(SAYS)
                && lines.send(line.to_owned()).is_err()
            {
                break;
            }
        }
    });
    let mut err = child.stderr.take().expect("a pipe");
    let errors = std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = err.read_to_end(&mut bytes);
        let text = String::from_utf8_lossy(&bytes);
        let skip = text.lines().count().saturating_sub(30);
        text.lines().skip(skip).collect::<Vec<_>>().join("\n")
    });
    let mut wrong = None;
    loop {
        match said.recv_timeout(silence_max) {
            Ok(line) => each(&line),
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => {
                wrong = Some(format!("it hung: nothing happened for {silence_max:?}"));
                let _ = child.kill();
                break;
            }
        }
    }
    drop(said);
    let status = child.wait().expect("a child can be waited for");
    let _ = reader.join();
    let stderr = errors.join().unwrap_or_default();
    if wrong.is_none() && !status.success() {
        wrong = Some(format!("the process ended with {status}"));
    }
    End { wrong, has_panicked: status.code() == Some(PANICKED), stderr }
}

/// A folder for directories under test: in memory where there is room.
pub(crate) fn folder() -> tempfile::TempDir {
    let builder = || tempfile::Builder::new().prefix("lamina-faults-").rand_bytes(8).to_owned();
    let memory = builder().tempdir_in("/dev/shm");
    memory.or_else(|_| builder().tempdir()).expect("a temporary folder")
}

/// Goes through the history under the shim: its end, and its log.
pub(crate) fn history(
    folder: &Path,
    fault: Option<(usize, How)>,
    set: impl FnOnce(&mut Command),
) -> (End, usize, PathBuf) {
    let (root, log) = (folder.join("data"), folder.join("log"));
    let mut command = Job::History { root: root.clone(), fault }.command();
    crate::shim::watch(&mut command, &root);
    crate::shim::record(&mut command, &log);
    set(&mut command);
    let (mut steps, mut bad) = (0, None);
    let mut end = follow(command, Duration::from_secs(60), |line| match line.split_once(' ') {
        Some(("steps", count)) => steps = count.parse().unwrap(),
        Some(("bad", text)) => bad = Some(text.to_owned()),
        _ => {}
    });
    end.wrong = bad.or(end.wrong);
    (end, steps, log)
}
