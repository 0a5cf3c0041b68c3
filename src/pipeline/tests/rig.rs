//! A gateway under test: its configuration, its hall, and what must hold at its end.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde::Deserialize;
use tokio::sync::oneshot;
use tracetailor_core::component::*;
use tracetailor_core::config::{ConfigErrors, Node, Path, load};
use tracetailor_core::ledger::{Books, Milestone, Report, Tally};
use tracetailor_core::telemetry::{Decoded, Signal};
use tracetailor_core::time::Clock;

use super::parts::{self, Hall, Spoken, hall};
use crate::config::{PipelineId, PipelinePlan, Plan, Service};
use crate::pipeline::{Environment, Gateway, StartError};

pub(super) struct Rig {
    pub(super) gateway: Gateway,
    pub(super) books: Books,
    pub(super) hall: Arc<Hall>,
    pub(super) name: String,
}

struct Nobody;

impl Steering for Nobody {
    fn reload(&self) -> BoxFuture<'static, Reloaded> {
        Box::pin(async { Err("not here".to_owned()) })
    }

    fn configuration(&self) -> String {
        String::new()
    }

    fn ready(&self) -> Result<(), String> {
        Ok(())
    }
}

static HALLS: AtomicUsize = AtomicUsize::new(0);

/// On a runtime as the control thread has it.
pub(super) fn run<F: Future>(test: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(test)
}

impl Rig {
    /// A gateway of this configuration; `HALL` in it becomes the name of this test's hall.
    pub(super) async fn start(yaml: &str) -> Rig {
        let name = format!("hall-{}", HALLS.fetch_add(1, Ordering::Relaxed));
        let books = Books::new();
        let environment =
            Environment { books: books.clone(), counters: Counters::default(), clock: Clock::system(), steering: Arc::new(Nobody) };
        let gateway = Gateway::start(plan(&yaml.replace("HALL", &name)), environment).await.unwrap();
        let hall = hall(&name);
        Rig { gateway, books, hall, name }
    }

    pub(super) async fn reload(&mut self, yaml: &str) -> Result<String, StartError> {
        self.gateway.reload(plan(&yaml.replace("HALL", &self.name))).await
    }

    /// Says a request, and hears what became of it when it reached a milestone.
    pub(super) async fn say(&self, request: impl Into<Decoded>, wait_for: Milestone) -> Result<Tally, Refused> {
        self.begin(request, wait_for).await.await.expect("an answer")
    }

    /// Says a request without waiting.
    pub(super) async fn begin(&self, request: impl Into<Decoded>, wait_for: Milestone) -> oneshot::Receiver<Result<Tally, Refused>> {
        let request = request.into();
        let (answer, told) = oneshot::channel();
        let spoken = Spoken { signal: request.signal(), bytes: request.encode(), wait_for, answer };
        until(|| self.hall.requests.lock().unwrap().is_some()).await;
        let sender = self.hall.requests.lock().unwrap().clone().unwrap();
        assert!(sender.send(spoken).is_ok(), "the receiver has gone");
        told
    }

    /// Stops the gateway; then nothing is held, every receipt has been answered, and the books balance.
    pub(super) async fn end(self) -> (Report, Arc<Hall>) {
        self.gateway.stop().await;
        let report = self.books.report();
        report.assert_balanced();
        assert_eq!(report.open_receipts, 0, "{report}");
        (report, self.hall)
    }
}

/// Waits, for a bounded while, until something is so.
pub(super) async fn until(mut so: impl FnMut() -> bool) {
    for _ in 0..5_000 {
        if so() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    panic!("it did not come to be so");
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Pipe {
    receivers: Vec<String>,
    processors: Vec<String>,
    exporters: Vec<String>,
}

/// A plan from YAML, through the registries of the test's components. Pipelines stand in the order in which they lead on to each other.
pub(super) fn plan(yaml: &str) -> Plan {
    let root = load(yaml, "test.yaml").unwrap_or_else(|errors| panic!("{errors}"));
    let mut errors = ConfigErrors::default();
    let empty = load("{}", "test.yaml").unwrap();
    let section = |name: &str| root.get(name).cloned().unwrap_or_else(|| empty.clone());
    fn read<K: Kind>(registry: Registry<K>, node: &Node, errors: &mut ConfigErrors) -> Vec<Configured<K>> {
        registry.read_section(node, &Path::of(K::SECTION), errors)
    }
    let receivers = read(Registry::new(&parts::RECEIVERS, &[]), &section("receivers"), &mut errors);
    let processors = read(Registry::new(&parts::PROCESSORS, &[]), &section("processors"), &mut errors);
    let exporters = read(Registry::new(&parts::EXPORTERS, &[]), &section("exporters"), &mut errors);
    let connectors = read(Registry::new(&parts::CONNECTORS, &[]), &section("connectors"), &mut errors);
    let mut service = Service::default();
    if let Some(node) = root.get("service") {
        service = node.read_valid(&Path::of("service"), &mut errors).unwrap_or_default();
    }
    let mut pipelines = Vec::new();
    for entry in section("pipelines").entries() {
        let pipe: Pipe = entry.node.read(&Path::of("pipelines"), &mut errors).unwrap();
        let (signal, name) = entry.key.split_once('/').unwrap_or((&entry.key, ""));
        let signal = Signal::ALL.into_iter().find(|known| known.name() == signal).unwrap();
        let ids = |list: Vec<String>| list.iter().map(|id| id.parse().unwrap()).collect();
        pipelines.push(PipelinePlan {
            id: PipelineId { signal, name: name.to_owned() },
            receivers: ids(pipe.receivers),
            processors: ids(pipe.processors),
            exporters: ids(pipe.exporters),
        });
    }
    assert!(!errors.has_errors(), "{errors}");
    let digest = format!("{yaml:?}");
    Plan { service, extensions: Vec::new(), receivers, processors, exporters, connectors, pipelines, effective: root, digest }
}
