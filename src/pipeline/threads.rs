//! The threads that lanes run on: a runtime each, for the lane's sockets, its timer and its mail.

use std::cell::RefCell;
use std::sync::Arc;
use std::thread::JoinHandle;

use tokio::sync::{mpsc, oneshot};
use tracetailor_core::component::{BoxFuture, LaneThreads, Progress};
use tracetailor_core::time::LogTime;

use super::lane::Lane;
use super::mail::{Drain, Mail, Post};

thread_local! {
    /// The lane whose thread this is, and the gateway it belongs to.
    static HERE: RefCell<Option<(Arc<Threads>, Lane)>> = const { RefCell::new(None) };
}

/// All lanes of one gateway.
#[derive(Debug)]
pub(super) struct Threads {
    lanes: Arc<[mpsc::UnboundedSender<Post>]>,
}

/// A lane that does not run yet: its mail is kept.
pub(super) struct Waiting {
    mail: mpsc::UnboundedReceiver<Post>,
}

impl Threads {
    /// So many lanes, none of which runs yet.
    pub(super) fn new(count: usize) -> (Arc<Threads>, Vec<Waiting>) {
        let (lanes, waiting): (Vec<_>, Vec<_>) = (0..count.max(1)).map(|_| mpsc::unbounded_channel()).unzip();
        (Arc::new(Threads { lanes: lanes.into() }), waiting.into_iter().map(|mail| Waiting { mail }).collect())
    }

    /// A way to all lanes.
    pub(super) fn mail(&self) -> Mail {
        Mail::new(self.lanes.clone())
    }

    /// Sends a lane something.
    pub(super) fn send(&self, lane: usize, post: Post) {
        let _ = self.lanes[lane].send(post);
    }

    /// Asks all lanes for something and waits until all have done it. A lane that has ended counts as done.
    pub(super) async fn ask_all(&self, mut post: impl FnMut(oneshot::Sender<()>) -> Post) {
        let mut answers = Vec::with_capacity(self.lanes.len());
        for lane in self.lanes.iter() {
            let (done, answer) = oneshot::channel();
            let _ = lane.send(post(done));
            answers.push(answer);
        }
        for answer in answers {
            let _ = answer.await;
        }
    }

    /// Calls the lane of this thread, if it is one of these. Within such a call there is none.
    pub(super) fn here<T>(self: &Arc<Self>, call: impl FnOnce(&mut Lane) -> T) -> Option<T> {
        HERE.with(|here| match here.try_borrow_mut() {
            Ok(mut here) => match here.as_mut() {
                Some((threads, lane)) if Arc::ptr_eq(threads, self) => Some(call(lane)),
                _ => None,
            },
            Err(_) => None,
        })
    }

    /// Starts a lane.
    pub(super) fn start(self: &Arc<Self>, waiting: Waiting, lane: Lane) -> std::io::Result<JoinHandle<()>> {
        let threads = self.clone();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        std::thread::Builder::new().name(format!("lane-{}", lane.place.index)).spawn(move || {
            let timer = lane.mail_timer();
            HERE.set(Some((threads.clone(), lane)));
            runtime.block_on(async {
                let alarm = tokio::spawn(keep_time(threads.clone(), timer));
                threads.serve(waiting.mail).await;
                alarm.abort();
            });
            // Tasks end before the lane that they may be calling; the lane before the thread, since it holds what others wait for.
            drop(runtime);
            let here = HERE.take();
            drop(here);
        })
    }

    async fn serve(self: &Arc<Self>, mut mail: mpsc::UnboundedReceiver<Post>) {
        while let Some(post) = mail.recv().await {
            match post {
                Post::Batch { graph, pipeline, stage, batch, charge } => {
                    self.here(|lane| lane.take_in(graph.generation, &graph, pipeline, stage, batch));
                    drop(charge);
                }
                Post::Enter { graph, pipeline, stage, batch, charge } => {
                    self.here(|lane| match graph.generation == lane.graph.generation {
                        true => lane.enter(pipeline, stage, batch, &charge),
                        false => lane.take_in(graph.generation, &graph, pipeline, stage, batch),
                    });
                }
                Post::Task(task) => drop(tokio::spawn(task)),
                Post::Reload(reload, done) => {
                    self.here(|lane| lane.reload(*reload));
                    let _ = done.send(());
                }
                Post::Drain(what, deadline, done) => {
                    self.drain(what, deadline).await;
                    let _ = done.send(());
                }
                Post::Forget(source, done) => {
                    self.here(|lane| lane.forget(source));
                    let _ = done.send(());
                }
                Post::Stop => return,
            }
        }
    }

    /// Slice by slice, with the lane's sockets in between, until nothing is held or the time is over.
    async fn drain(self: &Arc<Self>, what: Drain, deadline: LogTime) {
        loop {
            let slice = self.here(|lane| {
                let progress = match what {
                    Drain::Pipeline(pipeline) => lane.drain_pipeline(pipeline),
                    Drain::Connector(joint) => lane.drain_connector(joint),
                    Drain::Leaving => {
                        lane.drain_leaving();
                        if lane.leaving.is_empty() { Progress::Done } else { Progress::More }
                    }
                };
                let full = if let Drain::Pipeline(pipeline) = what { lane.graph.full_end(pipeline) } else { None };
                (progress, lane.clock.now(), full)
            });
            let Some((Progress::More, now, full)) = slice else { return };
            if now >= deadline {
                return;
            }
            match (full, what) {
                (Some(export), _) => drop(tokio::time::timeout(deadline.since(now), export.room_made()).await),
                (None, Drain::Leaving) => tokio::time::sleep(PAUSE).await,
                (None, _) => tokio::task::yield_now().await,
            }
        }
    }
}

/// Between two looks at what is leaving: several may be, each with a time of its own.
const PAUSE: std::time::Duration = std::time::Duration::from_millis(1);

impl LaneThreads for Threads {
    fn count(&self) -> usize {
        self.lanes.len()
    }

    fn spawn(&self, lane: usize, task: BoxFuture<'static, ()>) {
        self.send(lane % self.lanes.len(), Post::Task(task));
    }
}

/// Wakes what is due in this thread's lane.
async fn keep_time(threads: Arc<Threads>, timer: Arc<tokio::sync::Notify>) {
    loop {
        let (next, now) = threads
            .here(|lane| {
                let next = lane.next_wake();
                lane.timer_set(next);
                (next, lane.clock.now())
            })
            .unwrap_or((LogTime::NEVER, LogTime::default()));
        if next == LogTime::NEVER {
            timer.notified().await;
            continue;
        }
        if next > now {
            tokio::select! {
                () = timer.notified() => continue,
                () = tokio::time::sleep(next.since(now)) => {}
            }
        }
        threads.here(Lane::wake_due);
        tokio::task::yield_now().await;
    }
}
