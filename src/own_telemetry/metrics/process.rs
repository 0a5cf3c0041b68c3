//! What the system says of this process, from `/proc/self`. Where there is none, it says nothing.

use std::fs;

/// What is known; each number where the system tells it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Process {
    pub(crate) cpu_seconds: Option<f64>,
    pub(crate) rss: Option<u64>,
    pub(crate) peak: Option<u64>,
    pub(crate) threads: Option<u64>,
    pub(crate) open_files: Option<u64>,
    pub(crate) open_files_limit: Option<u64>,
}

/// Clock ticks a second in `/proc/self/stat`: what Linux shows to programs is in hundredths on every architecture that we build for.
const TICKS: f64 = 100.0;

impl Process {
    /// As it is now.
    pub(crate) fn now() -> Process {
        let read = |name: &str| fs::read_to_string(format!("/proc/self/{name}")).unwrap_or_default();
        let (status, limits) = (read("status"), read("limits"));
        Process {
            cpu_seconds: cpu_seconds(&read("stat")),
            rss: kilobytes(&status, "VmRSS:"),
            peak: kilobytes(&status, "VmHWM:"),
            threads: after(&status, "Threads:").and_then(|count| count.parse().ok()),
            // The directory that is being read is open, too, and not counted.
            open_files: fs::read_dir("/proc/self/fd").ok().map(|files| files.count().saturating_sub(1) as u64),
            open_files_limit: after(&limits, "Max open files").and_then(|limit| limit.parse().ok()),
        }
    }
}

/// User and system time: fields 14 and 15, counted behind the name, which may hold anything.
fn cpu_seconds(stat: &str) -> Option<f64> {
    let (_, behind) = stat.rsplit_once(')')?;
    let mut fields = behind.split_whitespace().skip(11).map(|field| field.parse::<f64>().ok());
    Some((fields.next()?? + fields.next()??) / TICKS)
}

fn kilobytes(status: &str, name: &str) -> Option<u64> {
    after(status, name)?.parse::<u64>().ok().map(|kilobytes| kilobytes * 1024)
}

/// The first word behind a name at the beginning of a line.
fn after<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines().find_map(|line| line.strip_prefix(name))?.split_whitespace().next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_measured() {
        let process = Process::now();
        let (Some(rss), Some(peak)) = (process.rss, process.peak) else { panic!("{process:?}") };
        assert!(rss > 100_000 && peak >= rss, "{process:?}");
        assert!(process.cpu_seconds.is_some() && process.threads > Some(0), "{process:?}");
        assert!(process.open_files > Some(2) && process.open_files_limit >= process.open_files, "{process:?}");
    }

    #[test]
    fn a_name_with_anything_in_it_is_passed_over() {
        let stat = "7 (a) b (c) S 1 7 7 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 9 0 100 1000 10";
        assert_eq!(cpu_seconds(stat), Some(3.0));
        assert_eq!(cpu_seconds("garbage"), None);
    }
}
