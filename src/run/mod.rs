//! `tracetailor run`: from a configuration to a gateway that runs until it is told to stop.

mod steering;
mod watch;

use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tracetailor_core::component::{Counters, Reloaded};
use tracetailor_core::ledger::Books;
use tracetailor_core::time::Clock;

use crate::config::{self, Loaded, Plan, Sources};
use crate::own_telemetry::{self, LogHandle};
use crate::pipeline::{Environment, Gateway};
use steering::{Asked, Wheel};
use watch::Files;

/// Whether the configuration is read again when its files change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Watch {
    /// Only when somebody asks for it.
    #[default]
    Nothing,
    /// When the content of one of them is another.
    Files,
}

/// The configuration is wrong; nothing was started.
const WRONG: u8 = 1;
/// Something outside was in the way.
const IN_THE_WAY: u8 = 3;

/// Runs a gateway until a signal stops it. The configuration is checked as a whole first: where anything is wrong with it nothing starts.
pub fn run(sources: Sources, watch: Watch) -> ExitCode {
    without_huge_pages();
    let Loaded { plan, problems, files, .. } = config::load(&sources);
    let Some(plan) = plan else {
        // The log is set up by the configuration, so this cannot go there.
        let _ = write!(io::stderr().lock(), "{problems}");
        return ExitCode::from(WRONG);
    };
    let log = match own_telemetry::init_log(&plan.service.telemetry) {
        Ok(log) => log,
        Err(error) => return in_the_way(&error),
    };
    warn(&problems);
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return in_the_way(&error),
    };
    runtime.block_on(Control { sources, watch, log, files }.run(plan))
}

/// Memory comes in the system's small pages only: a huge one is cleared and counted as a whole, however little of it is used.
/// docs/decisions/0030-no-huge-pages.md has what that is worth.
fn without_huge_pages() {
    // Where a sandbox does not allow it, the gateway takes more memory and is otherwise the same.
    #[cfg(target_os = "linux")]
    let _ = rustix::thread::disable_transparent_huge_pages(true);
}

fn in_the_way(error: &dyn std::fmt::Display) -> ExitCode {
    let _ = writeln!(io::stderr().lock(), "error: {error}");
    ExitCode::from(IN_THE_WAY)
}

/// What stands in the configuration and works, but hardly as it was meant.
fn warn(problems: &tracetailor_core::config::ConfigErrors) {
    for problem in problems.iter() {
        tracing::warn!(place = problem.place.as_ref().map(ToString::to_string), path = %problem.path, hint = problem.right, "{}", problem.wrong);
    }
}

/// The control thread: it starts the gateway, listens for signals and requests, and stops it.
struct Control {
    sources: Sources,
    watch: Watch,
    log: LogHandle,
    /// What the configuration was read from.
    files: Vec<std::path::PathBuf>,
}

/// What a gateway can be told from outside.
struct Signals {
    stop: Stops,
    reload: Signal,
}

/// Two ways to say the same.
struct Stops {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn listen() -> io::Result<Self> {
        let stop = Stops { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? };
        Ok(Self { stop, reload: signal(SignalKind::hangup())? })
    }
}

impl Stops {
    async fn asked(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

impl Control {
    async fn run(mut self, plan: Plan) -> ExitCode {
        let mut signals = match Signals::listen() {
            Ok(signals) => signals,
            Err(error) => return in_the_way(&error),
        };
        let (books, counters, clock) = (Books::new(), Counters::default(), Clock::system());
        let (wheel, mut asked) = Wheel::new(&plan, &counters, &clock);
        let metrics = own_telemetry::Sources { books: books.clone(), counters: counters.clone(), clock: clock.clone() };
        let (stopper, stop) = tracetailor_core::component::Stop::new();
        let own = match own_telemetry::serve(&plan.service.telemetry, metrics, stop) {
            Ok(own) => tokio::spawn(own),
            Err(error) => return in_the_way(&error),
        };
        let digest = plan.digest.clone();
        let environment = Environment { books: books.clone(), counters, clock, steering: Arc::new(wheel.clone()) };
        let mut gateway = match Gateway::start(plan, environment).await {
            Ok(gateway) => gateway,
            Err(error) => {
                tracing::error!(%error, "the gateway could not be started");
                return ExitCode::from(IN_THE_WAY);
            }
        };
        wheel.set_ready();
        tracing::info!(version = env!("CARGO_PKG_VERSION"), digest, lanes = gateway.lanes(), "everything is ready, telemetry is welcome");

        let ended = self.listen(&mut gateway, &mut signals, &wheel, &mut asked).await;
        wheel.set_stopping();
        tracing::info!("stopping");
        tokio::select! {
            () = gateway.stop() => {}
            () = signals.stop.asked() => tracing::warn!("stopped a second time: what is not delivered yet is given up"),
        }
        stopper.ask();
        let _ = own.await;
        account_for(&books);
        ended
    }

    /// Until it is to stop.
    async fn listen(
        &mut self,
        gateway: &mut Gateway,
        signals: &mut Signals,
        wheel: &Wheel,
        asked: &mut tokio::sync::mpsc::UnboundedReceiver<Asked>,
    ) -> ExitCode {
        let mut files = Files::of(&self.files);
        loop {
            let answer = tokio::select! {
                () = signals.stop.asked() => return ExitCode::SUCCESS,
                failure = gateway.failed() => {
                    tracing::error!(error = %failure, "a component has ended, and the gateway with it");
                    return ExitCode::from(IN_THE_WAY);
                }
                _ = signals.reload.recv() => None,
                Some(asked) = asked.recv() => Some(asked),
                () = files.changed(), if self.watch == Watch::Files => None,
            };
            let reloaded = self.reload(gateway, wheel).await;
            files = Files::of(&self.files);
            if let Some(answer) = answer {
                let _ = answer.send(reloaded);
            }
        }
    }

    /// Reads the configuration again. If it is wrong, or cannot be built, the gateway goes on as it was.
    async fn reload(&mut self, gateway: &mut Gateway, wheel: &Wheel) -> Reloaded {
        let Loaded { plan, problems, files, .. } = config::load(&self.sources);
        self.files = files;
        let Some(plan) = plan else {
            for problem in problems.iter() {
                tracing::error!("{problem}");
            }
            tracing::error!("the new configuration is wrong; the gateway goes on with the old one");
            wheel.reload_refused();
            return Err(problems.to_string());
        };
        warn(&problems);
        let (before, configuration, digest) = (gateway.plan().service.clone(), shown(&plan), plan.digest.clone());
        let service = plan.service.clone();
        match gateway.reload(plan).await {
            Ok(changes) => {
                if service.lanes != before.lanes {
                    tracing::warn!("service.lanes takes effect at the next start");
                }
                if service.telemetry.waits_for_a_start(&before.telemetry) {
                    tracing::warn!("service.telemetry.metrics and resource take effect at the next start");
                }
                if let Err(error) = self.log.reload(&service.telemetry) {
                    tracing::warn!(%error, "the log goes on as it was");
                }
                wheel.reloaded(configuration, &digest);
                tracing::info!(changes, "the configuration was reloaded");
                Ok(changes)
            }
            Err(error) => {
                tracing::error!(%error, "the new configuration cannot be built; the gateway goes on with the old one");
                wheel.reload_refused();
                Err(error.to_string())
            }
        }
    }
}

/// The configuration as people may see it.
fn shown(plan: &Plan) -> String {
    config::print(&config::shown(&plan.effective), config::Format::Yaml)
}

/// The last line of the books, in the log: what came, what became of it, and that nothing is missing.
fn account_for(books: &Books) {
    let report = books.report();
    for line in &report.lines {
        if line.residual() != 0 || line.held_units() != 0 {
            tracing::error!(line = %line.name, residual = line.residual(), held = line.held_units(), "the books do not balance");
        }
    }
    tracing::info!(open_receipts = report.open_receipts, "stopped");
}
