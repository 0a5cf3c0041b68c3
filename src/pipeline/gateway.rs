//! A gateway that runs: how it starts, takes on another configuration, and stops.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::mpsc;
use tracetailor_core::component::{
    ComponentId, Configured, Counters, ExtensionContext, Extensions, Kind, LaneThreads, Lanes, Part, ReceiverContext, Receivers, RunError,
    Services, Steering, Stop, Stopper,
};
use tracetailor_core::config::Node;
use tracetailor_core::ledger::Books;
use tracetailor_core::telemetry::Signal;
use tracetailor_core::time::{Clock, LogTime};

use super::admission::{Admission, Inlet, Odd};
use super::assembly::{Built, StartError, World, running};
use super::export::Export;
use super::graph::{Exports, Graph};
use super::lane::{Joined, Lane};
use super::mail::{Drain, Post};
use super::memory::{self, Memory};
use super::reload::LaneReload;
use super::same::{names, same};
use super::shards::Shards;
use super::threads::Threads;
use crate::config::Plan;

/// What a gateway is given to live in.
pub struct Environment {
    /// The books to keep.
    pub books: Books,
    /// The counters to count in.
    pub counters: Counters,
    /// Where time comes from.
    pub clock: Clock,
    /// What extensions are given to steer it with.
    pub steering: Arc<dyn Steering>,
}

/// A gateway that runs. It lives on the runtime that started it, and on a thread for each lane.
pub struct Gateway {
    world: World,
    admission: Arc<Admission>,
    lanes: Vec<JoinHandle<()>>,
    plan: Arc<Plan>,
    services: Services,
    steering: Arc<dyn Steering>,
    extensions: Vec<Task>,
    receivers: Vec<Task>,
    exports: Vec<Serving>,
    /// Where tasks report that they have ended before they were asked to.
    failing: mpsc::UnboundedSender<StartError>,
    failures: mpsc::UnboundedReceiver<StartError>,
}

/// How often the process's memory is looked at.
const MEMORY_LOOKS: Duration = Duration::from_millis(500);

/// A receiver or an extension that runs.
struct Task {
    id: ComponentId,
    block: Node,
    stopper: Stopper,
    ended: tokio::task::JoinHandle<()>,
}

/// An exporter of one signal that serves in all lanes.
struct Serving {
    id: ComponentId,
    signal: Signal,
    block: Node,
    export: Arc<Export>,
    /// Nothing is ever sent: it closes when the last lane has ended serving.
    ended: mpsc::Receiver<()>,
}

impl Gateway {
    /// Builds everything that a plan names, and starts it: exporters, lanes, extensions, and receivers last.
    pub async fn start(plan: Plan, environment: Environment) -> Result<Gateway, StartError> {
        let Environment { books, counters, clock, steering } = environment;
        let plan = Arc::new(plan);
        let (threads, waiting) = Threads::new(lane_count(&plan));
        let (soft, hard) = memory_limits(&plan);
        let world = World::new(books, counters, clock, Memory::new(soft, hard), threads.clone());

        let (services, extensions) = build_extensions(&world, &plan, &steering)?;
        let (exports, built) = world.exporters(&plan, &services, |_, _| None, &Exports::new())?;
        let graph = Arc::new(Graph::of(&plan, exports, &world, 0));
        let shards = Shards::over(world.lanes());
        let mut lanes = Vec::with_capacity(waiting.len());
        for index in 0..world.lanes() {
            let place = world.lane(index);
            let stages = world.stages(&plan, &graph, &services, place)?;
            let connectors = world.connectors(&plan, &graph, &services, place)?;
            let parts = (running(stages), connectors);
            lanes.push(Lane::new(place, graph.clone(), parts, world.clock.apart(), shards.clone(), threads.mail(), &world.books));
        }
        let started = waiting
            .into_iter()
            .zip(lanes)
            .enumerate()
            .map(|(index, (waiting, lane))| threads.start(waiting, lane).map_err(|error| StartError::of_lane(index, error)));
        let lanes = started.collect::<Result<Vec<_>, _>>()?;
        let admission = Admission::new(graph, threads, world.memory.clone());
        let (failing, failures) = mpsc::unbounded_channel();
        let mut gateway = Gateway {
            world,
            admission,
            lanes,
            plan,
            services,
            steering,
            extensions: Vec::new(),
            receivers: Vec::new(),
            exports: Vec::new(),
            failing,
            failures,
        };
        gateway.serve(built);
        gateway.extensions = extensions.into_iter().map(|(id, block, extension)| gateway.run_extension(id, block, extension)).collect();
        for place in 0..gateway.plan.receivers.len() {
            let task = gateway.run_receiver(place)?;
            gateway.receivers.push(task);
        }
        gateway.watch_memory();
        Ok(gateway)
    }

    /// Looks, now and then, at what the process really takes, beside what is counted, and tells both.
    fn watch_memory(&self) {
        let memory = self.world.memory.clone();
        let told = memory::Told::new(&self.world.counters);
        let (gone, threads) = (self.failing.clone(), self.world.threads.clone());
        tokio::spawn(async move {
            // The gateway listens as long as it is there.
            while !gone.is_closed() {
                if let Some(resident) = memory::resident() {
                    memory.observe(resident);
                    memory::give_back();
                    if resident > memory.held() + memory::SLACK {
                        (0..threads.count()).for_each(|lane| threads.spawn(lane, Box::pin(async { memory::give_back() })));
                    }
                }
                told.tell(&memory);
                tokio::time::sleep(MEMORY_LOOKS).await;
            }
        });
    }

    /// Ends when a receiver or an extension has stopped by itself: the gateway cannot go on as it was configured.
    pub async fn failed(&mut self) -> StartError {
        match self.failures.recv().await {
            Some(failure) => failure,
            // Never: the gateway holds a sender itself.
            None => std::future::pending().await,
        }
    }

    /// The plan that it runs.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// How many lanes it has.
    pub fn lanes(&self) -> usize {
        self.world.lanes()
    }

    /// How many requests wait for room.
    #[cfg(test)]
    pub(super) fn waiting(&self) -> usize {
        self.admission.waiting()
    }

    /// The memory that it counts.
    pub fn memory(&self) -> &Memory {
        &self.world.memory
    }

    /// Takes on another plan. What it has in common with the one before goes on undisturbed: listeners stay open, traces stay held. If
    /// something of it cannot be built, nothing has changed.
    pub async fn reload(&mut self, plan: Plan) -> Result<String, StartError> {
        let plan = Arc::new(plan);
        let extensions_change = !alike(&self.plan.extensions, &plan.extensions);
        let (services, extensions) = match extensions_change {
            true => build_extensions(&self.world, &plan, &self.steering)?,
            false => (self.services.clone(), Vec::new()),
        };
        let changed: Vec<String> = changed_extensions(&self.plan.extensions, &plan.extensions);
        let touched = |block: &Node| changed.iter().any(|id| names(block, id));

        let there: Exports = self.exports.iter().map(|serving| ((serving.id.clone(), serving.signal), serving.export.clone())).collect();
        let unchanged = |exporter: &Configured<tracetailor_core::component::Exporters>, signal: Signal| {
            let serving = self.exports.iter().find(|serving| serving.id == exporter.id && serving.signal == signal)?;
            (same(&serving.block, &exporter.block) && !touched(&exporter.block)).then(|| serving.export.clone())
        };
        let (exports, built) = self.world.exporters(&plan, &services, unchanged, &there)?;
        let generation = self.admission.graph.load().generation + 1;
        let graph = Arc::new(Graph::of(&plan, exports, &self.world, generation));
        let mut lanes = Vec::with_capacity(self.world.lanes());
        for index in 0..self.world.lanes() {
            let place = self.world.lane(index);
            let pipelines = self.world.stages(&plan, &graph, &services, place)?;
            let connectors = self.world.connectors(&plan, &graph, &services, place)?;
            let may_stay = |joined: Joined, joint: &super::graph::Joint| (joined, self.connector_stays(&plan, &joint.id));
            let connectors = connectors.into_iter().zip(&graph.connectors).map(|(joined, joint)| may_stay(joined, joint)).collect();
            lanes.push(LaneReload { graph: graph.clone(), pipelines, connectors });
        }

        // From here on nothing fails.
        let (soft, hard) = memory_limits(&plan);
        self.world.memory.limit(soft, hard);
        let previous = std::mem::replace(&mut self.plan, plan);
        self.services = services;
        let report = describe(&previous, &self.plan);
        self.serve(built);
        let mut lanes = lanes.into_iter();
        self.admission.graph.store(graph);
        self.world
            .threads
            .ask_all(|done| match lanes.next() {
                Some(reload) => Post::Reload(Box::new(reload), done),
                None => Post::Task(Box::pin(async move { drop(done) })),
            })
            .await;
        if extensions_change {
            self.exchange_extensions(extensions).await;
        }
        self.exchange_receivers(&changed).await?;
        self.close_unused_exports();
        self.world.forget_shared(&self.plan);
        Ok(report)
    }

    fn connector_stays(&self, plan: &Plan, id: &ComponentId) -> bool {
        let block = |plan: &Plan| plan.connectors.iter().find(|known| known.id == *id).map(|known| known.block.clone());
        match (block(&self.plan), block(plan)) {
            (Some(old), Some(new)) => same(&old, &new),
            _ => false,
        }
    }

    /// Lets exporters serve: new ones in every lane, changed ones by an exchange of what they send with.
    fn serve(&mut self, built: Vec<Built>) {
        for Built { export, id, signal, instances, block, is_there } in built {
            if is_there {
                let delivery = self.plan.exporters.iter().find(|known| known.id == id).and_then(|known| match known.factory.part {
                    Part::Delivering(delivery) => delivery(&known.config).ok(),
                    _ => None,
                });
                export.reconfigure(delivery.as_ref());
                instances.into_iter().enumerate().for_each(|(lane, instance)| export.swap(lane, instance));
                if let Some(serving) = self.exports.iter_mut().find(|serving| serving.id == id && serving.signal == signal) {
                    serving.block = block;
                }
                continue;
            }
            let (alive, ended) = mpsc::channel(1);
            for (lane, instance) in instances.into_iter().enumerate() {
                let (serving, alive) = (export.clone().serve(lane, instance), alive.clone());
                let task = async move {
                    serving.await;
                    drop(alive);
                };
                self.world.threads.send(lane, Post::Task(Box::pin(task)));
            }
            self.exports.push(Serving { id, signal, block, export, ended });
        }
    }

    /// Exporters that no pipeline uses any more send what they hold, and end.
    fn close_unused_exports(&mut self) {
        let graph = self.admission.graph.load_full();
        let deadline = self.world.clock.now() + self.plan.service.shutdown_timeout.get();
        let (kept, closed) = std::mem::take(&mut self.exports)
            .into_iter()
            .partition(|serving| graph.exports.contains_key(&(serving.id.clone(), serving.signal)));
        self.exports = kept;
        let threads = self.world.threads.clone();
        let closed: Vec<Serving> = closed;
        if closed.is_empty() {
            return;
        }
        tokio::spawn(async move {
            threads.ask_all(|done| Post::Drain(Drain::Leaving, deadline, done)).await;
            for serving in closed {
                serving.export.close(deadline);
            }
        });
    }

    fn run_receiver(&self, place: usize) -> Result<Task, StartError> {
        let receiver: &Configured<Receivers> = &self.plan.receivers[place];
        let build = self.world.context("receivers", &receiver.id, &self.services);
        let built = receiver.build(&build).map_err(|error| StartError::of::<Receivers>(&receiver.id, error))?;
        let odd = Odd::of(|reason| build.cause(reason));
        let outlet = Arc::new(Inlet { admission: self.admission.clone(), receiver: receiver.id.clone(), odd });
        let (stopper, stop) = Stop::new();
        let lanes = Lanes::new(self.world.threads.clone());
        let context = ReceiverContext { build, outlet, lanes, stop: stop.clone() };
        let run = built.run(context);
        Ok(self.task::<Receivers>(receiver.id.clone(), receiver.block.clone(), stopper, stop, run))
    }

    fn run_extension(&self, id: ComponentId, block: Node, extension: Box<dyn tracetailor_core::component::Extension>) -> Task {
        let build = self.world.context("extensions", &id, &self.services);
        let (stopper, stop) = Stop::new();
        let run = extension.run(ExtensionContext { build, stop: stop.clone() });
        self.task::<Extensions>(id, block, stopper, stop, run)
    }

    fn task<K: Kind>(
        &self,
        id: ComponentId,
        block: Node,
        stopper: Stopper,
        stop: Stop,
        run: impl Future<Output = Result<(), RunError>> + Send + 'static,
    ) -> Task {
        let (failing, name) = (self.failing.clone(), id.clone());
        let ended = tokio::spawn(async move {
            match tokio::spawn(run).await {
                Ok(Ok(())) if stop.is_asked() => {}
                Ok(Ok(())) => drop(failing.send(StartError::of::<K>(&name, "it has ended by itself"))),
                Ok(Err(error)) => drop(failing.send(StartError::of::<K>(&name, error))),
                Err(_) => drop(failing.send(StartError::of::<K>(&name, "it has panicked"))),
            }
        });
        Task { id, block, stopper, ended }
    }

    async fn exchange_receivers(&mut self, changed: &[String]) -> Result<(), StartError> {
        let stays = |task: &Task, plan: &Plan| {
            let touched = changed.iter().any(|id| names(&task.block, id));
            !touched && plan.receivers.iter().any(|known| known.id == task.id && same(&known.block, &task.block))
        };
        let (kept, gone): (Vec<Task>, Vec<Task>) =
            std::mem::take(&mut self.receivers).into_iter().partition(|task| stays(task, &self.plan));
        self.receivers = kept;
        gone.iter().for_each(|task| task.stopper.ask());
        let deadline = self.world.clock.now() + self.plan.service.shutdown_timeout.get();
        wait_for(gone, &self.world.clock, deadline).await;
        for place in 0..self.plan.receivers.len() {
            if !self.receivers.iter().any(|task| task.id == self.plan.receivers[place].id) {
                let task = self.run_receiver(place)?;
                self.receivers.push(task);
            }
        }
        Ok(())
    }

    async fn exchange_extensions(&mut self, built: Vec<BuiltExtension>) {
        let old = std::mem::take(&mut self.extensions);
        let (mut kept, gone): (Vec<Task>, Vec<Task>) = old
            .into_iter()
            .partition(|task| self.plan.extensions.iter().any(|known| known.id == task.id && same(&known.block, &task.block)));
        gone.iter().for_each(|task| task.stopper.ask());
        wait_for(gone, &self.world.clock, self.world.clock.now() + Duration::from_secs(5)).await;
        for (id, block, extension) in built {
            if !kept.iter().any(|task| task.id == id) {
                kept.push(self.run_extension(id, block, extension));
            }
        }
        self.extensions = kept;
    }

    /// Stops in order: receivers, what lanes hold, queues, extensions. What is not through by the deadline is given up, counted.
    pub async fn stop(self) {
        let clock = self.world.clock.clone();
        let (start, timeout) = (clock.now(), self.plan.service.shutdown_timeout.get());
        self.receivers.iter().for_each(|task| task.stopper.ask());
        wait_for(self.receivers, &clock, start + timeout / 2).await;
        self.admission.closed.store(true, Ordering::Release);

        let threads = &self.world.threads;
        threads.ask_all(|done| Post::Drain(Drain::Leaving, start + timeout * 3 / 4, done)).await;
        for what in drain_order(&self.admission.graph.load()) {
            threads.ask_all(|done| Post::Drain(what, start + timeout * 3 / 4, done)).await;
        }
        for serving in &self.exports {
            serving.export.close(start + timeout);
        }
        for mut serving in self.exports {
            let _ = serving.ended.recv().await;
        }
        self.extensions.iter().for_each(|task| task.stopper.ask());
        wait_for(self.extensions, &clock, clock.now() + Duration::from_secs(2)).await;
        for lane in 0..self.world.lanes() {
            threads.send(lane, Post::Stop);
        }
        for lane in self.lanes {
            let _ = tokio::task::spawn_blocking(move || lane.join()).await;
        }
    }
}

/// Every pipeline after those that lead to it, and a connector after the pipelines that end in it.
fn drain_order(graph: &Graph) -> Vec<Drain> {
    let mut order = Vec::new();
    let mut drained = vec![false; graph.connectors.len()];
    for pipeline in 0..graph.pipelines.len() {
        for (joint, connector) in graph.connectors.iter().enumerate() {
            if !drained[joint] && connector.routes.contains(&pipeline) {
                drained[joint] = true;
                order.push(Drain::Connector(joint));
            }
        }
        order.push(Drain::Pipeline(pipeline));
    }
    order
}

async fn wait_for(tasks: Vec<Task>, clock: &Clock, deadline: LogTime) {
    for mut task in tasks {
        let left = deadline.since(clock.now());
        if tokio::time::timeout(left, &mut task.ended).await.is_err() {
            tracing::warn!(component = %task.id, "did not stop in time");
            task.ended.abort();
        }
    }
}

type BuiltExtension = (ComponentId, Node, Box<dyn tracetailor_core::component::Extension>);

/// Builds all extensions, in their order, each with what those before it offer.
fn build_extensions(world: &World, plan: &Plan, steering: &Arc<dyn Steering>) -> Result<(Services, Vec<BuiltExtension>), StartError> {
    let gateway = ComponentId::of(<dyn Steering>::ID);
    let mut services = Services::default().by(&gateway);
    services.offer::<dyn Steering>(steering.clone());
    let mut built = Vec::with_capacity(plan.extensions.len());
    for extension in &plan.extensions {
        let context = world.context("extensions", &extension.id, &services);
        let made = extension.build(&context).map_err(|error| StartError::of::<Extensions>(&extension.id, error))?;
        services = services.by(&extension.id);
        made.offer(&mut services);
        built.push((extension.id.clone(), extension.block.clone(), made));
    }
    Ok((services, built))
}

fn alike<K: Kind>(old: &[Configured<K>], new: &[Configured<K>]) -> bool {
    old.len() == new.len() && old.iter().zip(new).all(|(old, new)| old.id == new.id && same(&old.block, &new.block))
}

/// Extensions that are new, gone or changed: what uses them is built anew.
fn changed_extensions(old: &[Configured<Extensions>], new: &[Configured<Extensions>]) -> Vec<String> {
    let differs = |one: &Configured<Extensions>, others: &[Configured<Extensions>]| {
        !others.iter().any(|other| other.id == one.id && same(&other.block, &one.block))
    };
    let gone = old.iter().filter(|one| differs(one, new));
    let fresh = new.iter().filter(|one| differs(one, old));
    gone.chain(fresh).map(|one| one.id.to_string()).collect()
}

fn lane_count(plan: &Plan) -> usize {
    match plan.service.lanes {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        lanes => lanes as usize,
    }
}

/// The strictest of all limiters that pipelines name, or what is assumed where there is none.
fn memory_limits(plan: &Plan) -> (u64, u64) {
    let available = memory::available();
    let limits = plan.processors.iter().filter_map(|processor| match processor.factory.part {
        Part::Limiter(limit) => limit(&processor.config).ok(),
        _ => None,
    });
    let strictest = limits.map(|limit| memory::limits_of(&limit, available)).min();
    strictest.unwrap_or_else(|| memory::limits_of(&memory::assumed(), available))
}

/// What differs between two plans, for the log.
fn describe(old: &Plan, new: &Plan) -> String {
    if old.digest == new.digest {
        return "nothing has changed".to_owned();
    }
    let mut said = Vec::new();
    let mut compare = |section: &str, old: Vec<(String, &Node)>, new: Vec<(String, &Node)>| {
        for (id, block) in &new {
            match old.iter().find(|(known, _)| known == id) {
                None => said.push(format!("{section} {id} added")),
                Some((_, was)) if !same(was, block) => said.push(format!("{section} {id} changed")),
                Some(_) => {}
            }
        }
        let gone = old.iter().filter(|(id, _)| !new.iter().any(|(known, _)| known == id));
        said.extend(gone.map(|(id, _)| format!("{section} {id} removed")));
    };
    compare("extension", blocks(&old.extensions), blocks(&new.extensions));
    compare("receiver", blocks(&old.receivers), blocks(&new.receivers));
    compare("processor", blocks(&old.processors), blocks(&new.processors));
    compare("connector", blocks(&old.connectors), blocks(&new.connectors));
    compare("exporter", blocks(&old.exporters), blocks(&new.exporters));
    if old.pipelines != new.pipelines {
        said.push("pipelines changed".to_owned());
    }
    if said.is_empty() { "service settings changed".to_owned() } else { said.join(", ") }
}

fn blocks<K: Kind>(list: &[Configured<K>]) -> Vec<(String, &Node)> {
    list.iter().map(|one| (one.id.to_string(), &one.block)).collect()
}
