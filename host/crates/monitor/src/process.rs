//! Figures of this process, as Linux has them under `/proc/self`.

use std::fs;

use rustix::process::{Resource, getrlimit};

/// Ticks of a second in `/proc/self/stat`: the same on every Linux.
const TICKS: u64 = 100;

/// What there is; a figure that cannot be read is not there.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Process {
    pub(crate) resident_bytes: Option<u64>,
    pub(crate) virtual_bytes: Option<u64>,
    /// Of all threads, user and system, in hundredths of a second.
    pub(crate) cpu_hundredths: Option<u64>,
    pub(crate) open_fds: Option<u64>,
    pub(crate) max_fds: Option<u64>,
    pub(crate) threads: Option<u64>,
}

impl Process {
    /// Reads some small files of the kernel's: it does not wait for a disk.
    pub(crate) fn read() -> Self {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
        Self {
            resident_bytes: field(&status, "VmRSS:").map(|kib| kib << 10),
            virtual_bytes: field(&status, "VmSize:").map(|kib| kib << 10),
            cpu_hundredths: ticks(&stat).map(|ticks| ticks * 100 / TICKS),
            // One of them is the look itself.
            open_fds: fs::read_dir("/proc/self/fd").ok().map(|entries| (entries.count() as u64).saturating_sub(1)),
            max_fds: getrlimit(Resource::Nofile).current,
            threads: field(&status, "Threads:"),
        }
    }
}

fn field(status: &str, name: &str) -> Option<u64> {
    let rest = status.lines().find_map(|line| line.strip_prefix(name))?;
    rest.split_whitespace().next()?.parse().ok()
}

/// Fields 14 and 15: user and system time. The name before them may hold anything,
/// and ends with the last parenthesis.
fn ticks(stat: &str) -> Option<u64> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace().skip(11);
    let (user, system): (u64, u64) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    Some(user + system)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_files_are_read() {
        let stat = "7 (a ) b) S 1 2 3 4 5 6 7 8 9 10 150 50 0 0 20 0 3 0 99 1 2";
        assert_eq!((ticks(stat), ticks("nonsense")), (Some(200), None));
        assert_eq!(field("VmSize:\t  12 kB\nVmRSS:\t  7 kB\n", "VmRSS:"), Some(7));
        let own = Process::read();
        assert!(own.resident_bytes > Some(0) && own.open_fds > Some(2) && own.threads > Some(0), "{own:?}");
        assert!(own.cpu_hundredths.is_some() && own.max_fds >= own.open_fds, "{own:?}");
    }
}
