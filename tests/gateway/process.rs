//! The binary as a child process, with ports of its own.

use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use tempfile::TempDir;

use super::clients;

/// A gateway that runs. It is killed when the test fails before its end.
pub(super) struct Gateway {
    child: Child,
    folder: TempDir,
    pub(super) grpc: u16,
    pub(super) http: u16,
    pub(super) metrics: u16,
    pub(super) admin: u16,
}

/// A port that nobody has, and that the system will not give to somebody's outgoing connection before the gateway takes it: those are of the
/// range above 32,768.
fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = std::process::id() % 1_000 * 16;
    let mut candidates = (0..16_000).map(|_| 16_384 + ((first + u32::from(NEXT.fetch_add(1, Ordering::Relaxed))) % 16_000) as u16);
    candidates.find(|port| std::net::TcpListener::bind(("127.0.0.1", *port)).is_ok()).unwrap()
}

fn command(folder: &Path, extra: &[&str]) -> Command {
    let log = std::fs::File::create(folder.join("log")).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_tracetailor"));
    command.arg("--config").arg(folder.join("gateway.yaml")).arg("--config").arg(folder.join("ports.yaml")).args(extra);
    command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
    command
}

impl Gateway {
    /// Starts one and waits until it takes telemetry. `GRPC` and `HTTP` in the configuration become its ports.
    pub(super) async fn start(config: &str) -> Gateway {
        Self::start_with(config, &[]).await
    }

    /// The same with more arguments.
    pub(super) async fn start_with(config: &str, extra: &[&str]) -> Gateway {
        let folder = tempfile::tempdir().unwrap();
        let (grpc, http, metrics, admin) = (free_port(), free_port(), free_port(), free_port());
        let ports = format!(
            "
extensions: {{admin: {{endpoint: '127.0.0.1:{admin}'}}}}
service:
  extensions: [admin]
  telemetry: {{metrics: {{readers: [{{pull: {{exporter: {{prometheus: {{host: 127.0.0.1, port: {metrics}}}}}}}}}]}}}}
"
        );
        std::fs::write(folder.path().join("ports.yaml"), ports).unwrap();
        let child = command(folder.path(), extra);
        let mut gateway = Gateway { child: unstarted(child, &folder, config, grpc, http), folder, grpc, http, metrics, admin };
        gateway.wait_until_it_listens(config).await;
        gateway
    }

    async fn wait_until_it_listens(&mut self, config: &str) {
        let mut ports = vec![self.metrics];
        ports.extend(config.contains(":GRPC").then_some(self.grpc));
        ports.extend(config.contains(":HTTP").then_some(self.http));
        for port in ports {
            let mut tries = 0;
            while tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_err() {
                assert!(self.child.try_wait().unwrap().is_none(), "the gateway has ended:\n{}", self.log());
                tries += 1;
                assert!(tries < 3_000, "port {port} does not open:\n{}", self.log());
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
    }

    /// Writes another configuration over the one it was started with.
    pub(super) fn rewrite(&self, config: &str) {
        write(&self.folder, config, self.grpc, self.http);
    }

    pub(super) fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    pub(super) fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(std::process::Command::new("kill").args([name, &pid]).status().unwrap().success());
    }

    /// The memory that it has now, in bytes.
    #[cfg(target_os = "linux")]
    pub(super) fn resident(&self) -> u64 {
        1_024 * self.status("VmRSS").trim_end_matches(" kB").parse::<u64>().unwrap()
    }

    /// What the system says of it under a name.
    #[cfg(target_os = "linux")]
    pub(super) fn status(&self, name: &str) -> String {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        line.unwrap().trim().to_owned()
    }

    /// Its metrics, as text.
    pub(super) async fn metrics(&self) -> String {
        clients::get(self.metrics, "/metrics").await.1
    }

    /// Sum of the series of a metric whose labels hold all of these.
    pub(super) async fn metric(&self, name: &str, labels: &[&str]) -> f64 {
        let page = self.metrics().await;
        let of_it = |line: &&str| {
            let (series, _) = line.rsplit_once(' ').unwrap_or((line, ""));
            let is_it = series == name || series.starts_with(&format!("{name}{{"));
            is_it && labels.iter().all(|label| series.contains(label))
        };
        page.lines().filter(of_it).filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok()).sum()
    }

    /// Waits until something is so, by its metrics.
    pub(super) async fn until(&self, name: &str, labels: &[&str], so: impl Fn(f64) -> bool) {
        for _ in 0..1_000 {
            if so(self.metric(name, labels).await) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{name} did not come to be so:\n{}\n{}", self.metrics().await, self.log());
    }

    /// Once it is quiet its books balance: nothing is missing and nothing was lost. Then it stops in order, by itself.
    ///
    /// Who stands behind has a request before the gateway has heard that it does, so the residual comes to nothing a moment later.
    pub(super) async fn end_balanced(self) -> String {
        self.until("tracetailor_ledger_residual", &[], |residual| residual == 0.0).await;
        let page = self.metrics().await;
        for line in page.lines().filter(|line| line.starts_with("tracetailor_ledger_residual") || line.starts_with("tracetailor_lost_")) {
            assert!(line.ends_with(" 0"), "{line}\n{page}");
        }
        self.end().await
    }

    /// Stops it, and returns what it logged.
    pub(super) async fn end(mut self) -> String {
        self.signal("-TERM");
        let status = ended(&mut self.child, Duration::from_secs(40)).await;
        let log = self.log();
        let status = status.unwrap_or_else(|| panic!("it does not stop:\n{log}"));
        assert!(status.success(), "{status}\n{log}");
        assert!(!log.contains("do not balance") && !log.contains("panicked"), "{log}");
        log
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn ended(child: &mut Child, within: Duration) -> Option<ExitStatus> {
    for _ in 0..within.as_millis() / 10 {
        if let Some(status) = child.try_wait().unwrap() {
            return Some(status);
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    None
}

fn write(folder: &TempDir, config: &str, grpc: u16, http: u16) {
    let config = config.replace("GRPC", &grpc.to_string()).replace("HTTP", &http.to_string());
    std::fs::write(folder.path().join("gateway.yaml"), config).unwrap();
}

fn unstarted(mut command: Command, folder: &TempDir, config: &str, grpc: u16, http: u16) -> Child {
    write(folder, config, grpc, http);
    command.spawn().unwrap()
}

/// Runs one that is expected to end by itself: its exit code, and what it said.
pub(super) async fn run_to_end(config: &str) -> (Option<i32>, String) {
    let folder = tempfile::tempdir().unwrap();
    write(&folder, config, free_port(), free_port());
    let off = "{service: {telemetry: {metrics: {level: none}}}}";
    std::fs::write(folder.path().join("ports.yaml"), off).unwrap();
    let mut child = command(folder.path(), &[]).spawn().unwrap();
    let status = ended(&mut child, Duration::from_secs(30)).await;
    let _ = child.kill();
    (status.and_then(|status| status.code()), std::fs::read_to_string(folder.path().join("log")).unwrap())
}
