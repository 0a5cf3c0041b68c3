//! A gateway under test: what its description says, and the process that runs by it.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use nix::sys::signal::{Signal, kill};
use nix::time::ClockId;
use nix::unistd::Pid;
use serde::Deserialize;

use crate::compression::Compression;

/// How long a gateway may take to listen, and to end.
const PATIENCE: Duration = Duration::from_secs(20);
const POLL: Duration = Duration::from_millis(5);

/// What a file in `peers/` says. Names in braces stand for what differs from run to run; README.md lists them.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Description {
    /// The program and its arguments.
    command: Vec<String>,
    /// How to get the program where it is missing.
    obtain: String,
    #[serde(default)]
    environment: BTreeMap<String, String>,
    /// Written to a file; `{config}` is its path.
    #[serde(default)]
    config: String,
    /// For a gateway that does not deliver everything, or not at once: a run has ended when the back end has seen nothing for so long.
    pub(crate) settles_after_seconds: Option<f64>,
}

impl Description {
    pub(crate) fn read(name: &str) -> Result<Self> {
        let path = root().join("benches/peers/peers").join(format!("{name}.yaml"));
        let text = fs::read_to_string(&path).with_context(|| format!("no peer {name}: {} cannot be read", path.display()))?;
        serde_saphyr::from_str(&text).with_context(|| path.display().to_string())
    }
}

/// What a gateway is started for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Post {
    pub(crate) sink: SocketAddr,
    pub(crate) lanes: usize,
    /// How it compresses what it sends.
    pub(crate) outgoing: Compression,
}

/// A gateway that runs. It ends with this.
#[derive(Debug)]
pub(crate) struct Peer {
    child: Child,
    clock: ClockId,
    pub(crate) grpc: SocketAddr,
    pub(crate) http: SocketAddr,
    /// Where it tells its metrics, if its configuration says so.
    pub(crate) metrics: SocketAddr,
    folder: PathBuf,
}

impl Peer {
    /// Starts it and waits until it listens.
    pub(crate) fn start(name: &str, description: &Description, post: &Post) -> Result<Self> {
        let (grpc, http, metrics) = (free_port()?, free_port()?, free_port()?);
        let folder = std::env::temp_dir().join(format!("tracetailor-peers-{}-{}", std::process::id(), grpc.port()));
        fs::create_dir_all(&folder)?;
        let names = names(post, [grpc, http, metrics], &folder)?;
        fs::write(folder.join("config.yaml"), fill(&description.config, &names))?;
        let words: Vec<String> = description.command.iter().map(|word| fill(word, &names)).collect();
        let (program, arguments) = words.split_first().context("a description without a command")?;
        let log = File::create(folder.join("log"))?;
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        command.envs(description.environment.iter().map(|(name, value)| (name, fill(value, &names))));
        let child = command.spawn().with_context(|| format!("{program} does not start ({})", fill(description.obtain.trim(), &names)))?;
        let clock = processor_clock(pid(&child))?;
        let mut peer = Self { child, clock, grpc, http, metrics, folder };
        peer.wait_until_it_listens().with_context(|| format!("{name} does not run; it says:\n{}", peer.log()))?;
        Ok(peer)
    }

    fn wait_until_it_listens(&mut self) -> Result<()> {
        for address in [self.grpc, self.http] {
            let listens = wait(PATIENCE, || TcpStream::connect(address).is_ok() || !matches!(self.child.try_wait(), Ok(None)));
            ensure!(matches!(self.child.try_wait(), Ok(None)), "it has ended");
            ensure!(listens, "nothing listens on {address} after {PATIENCE:?}");
        }
        Ok(())
    }

    /// The processor time it has used, user and system, of all threads that it ever had.
    pub(crate) fn processor_time(&self) -> Result<Duration> {
        Ok(self.clock.now()?.into())
    }

    /// From now on the peak is a new one.
    pub(crate) fn forget_peak(&self) -> Result<()> {
        Ok(fs::write(format!("/proc/{}/clear_refs", self.child.id()), "5")?)
    }

    /// The most memory it has had at once, in bytes.
    pub(crate) fn peak(&self) -> Result<u64> {
        self.memory("VmHWM:")
    }

    /// The memory it has now, in bytes.
    pub(crate) fn resident(&self) -> Result<u64> {
        self.memory("VmRSS:")
    }

    fn memory(&self, name: &str) -> Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let kilobytes = status.lines().find_map(|line| line.strip_prefix(name)?.trim().strip_suffix(" kB"));
        Ok(1_024 * kilobytes.with_context(|| format!("the system does not tell {name}"))?.parse::<u64>()?)
    }

    /// The end of what it has printed.
    pub(crate) fn log(&self) -> String {
        let log = fs::read(self.folder.join("log")).unwrap_or_default();
        String::from_utf8_lossy(&log[log.len().saturating_sub(2_000)..]).into_owned()
    }

    /// Asks it to end, and sees to it that it does.
    pub(crate) fn stop(mut self) -> Result<()> {
        kill(pid(&self.child), Signal::SIGTERM)?;
        if !wait(PATIENCE, || matches!(self.child.try_wait(), Ok(Some(_)))) {
            bail!("it does not end when asked to");
        }
        Ok(())
    }
}

impl Drop for Peer {
    /// On the way out of a failed run nobody is left to be told of a second failure.
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
        drop(fs::remove_dir_all(&self.folder));
    }
}

fn pid(child: &Child) -> Pid {
    Pid::from_raw(child.id().cast_signed())
}

/// The clock that counts what a process has used.
#[cfg(target_os = "linux")]
fn processor_clock(pid: Pid) -> Result<ClockId> {
    Ok(ClockId::pid_cpu_clock_id(pid)?)
}

#[cfg(not(target_os = "linux"))]
fn processor_clock(_: Pid) -> Result<ClockId> {
    bail!("only Linux tells what another process has used")
}

/// The top of the repository.
pub(crate) fn root() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here)
}

/// Where peers are kept that are not of this repository.
fn cache() -> Result<PathBuf> {
    let variable = |name| std::env::var_os(name).map(PathBuf::from);
    let base = variable("XDG_CACHE_HOME").or_else(|| Some(variable("HOME")?.join(".cache")));
    Ok(base.context("neither XDG_CACHE_HOME nor HOME is set")?.join("tracetailor/peers"))
}

fn names(post: &Post, [grpc, http, metrics]: [SocketAddr; 3], folder: &Path) -> Result<Vec<(&'static str, String)>> {
    Ok(vec![
        ("{listen_grpc}", grpc.to_string()),
        ("{listen_http}", http.to_string()),
        ("{metrics_port}", metrics.port().to_string()),
        ("{sink}", post.sink.to_string()),
        ("{lanes}", post.lanes.to_string()),
        ("{compression}", post.outgoing.name().to_owned()),
        ("{config}", folder.join("config.yaml").display().to_string()),
        ("{harness}", std::env::current_exe()?.display().to_string()),
        ("{root}", root().display().to_string()),
        ("{cache}", cache()?.display().to_string()),
    ])
}

fn fill(text: &str, names: &[(&str, String)]) -> String {
    names.iter().fold(text.to_owned(), |text, (name, value)| text.replace(name, value))
}

/// A port that was free a moment ago.
fn free_port() -> Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

/// Whether it came true within so long.
pub(crate) fn wait(most: Duration, mut until: impl FnMut() -> bool) -> bool {
    let mut waited = Duration::ZERO;
    while !until() {
        if waited >= most {
            return false;
        }
        pause(POLL);
        waited += POLL;
    }
    true
}

#[expect(clippy::disallowed_methods, reason = "waits for another process, whose time nobody hands in")]
fn pause(time: Duration) {
    std::thread::sleep(time);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_description_can_be_read_and_filled_in() {
        let post = Post { sink: free_port().unwrap(), lanes: 2, outgoing: Compression::None };
        let names = names(&post, [free_port().unwrap(); 3], Path::new("folder")).unwrap();
        let mut read = 0;
        for file in fs::read_dir(root().join("benches/peers/peers")).unwrap() {
            let path = file.unwrap().path();
            let description = Description::read(path.file_stem().unwrap().to_str().unwrap()).unwrap();
            let texts = description.command.iter().chain(description.environment.values()).chain([&description.config]);
            for text in texts.map(|text| fill(text, &names)) {
                assert!(names.iter().all(|(name, _)| !text.contains(name)), "{text}");
            }
            read += 1;
        }
        assert!(read >= 3);
    }
}
