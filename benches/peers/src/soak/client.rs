//! Clients as good SDKs are: they send again what may be sent again, when they are told to, and never anything else.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use hyper::client::conn::{http1, http2};
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::answer::{self, Answer};
use crate::load::{Load, PREFIX};
use crate::message::{self, Message};

/// How long a client waits for an answer, as SDKs do.
const ANSWERED_WITHIN: Duration = Duration::from_secs(10);
/// Waits where the gateway does not say how long: the first, and the longest.
const BACK_OFF: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(10));
/// What could not be sent in time is not made up for beyond this: clients whose requests are refused offer no more afterwards than before.
const SLACK: Duration = Duration::from_secs(1);
/// How long after the end a request may still be refused.
const PATIENCE: Duration = Duration::from_secs(120);

/// What is to be sent, shared by all who send, and what they heard.
pub(super) struct Plan {
    load: Arc<Load>,
    next: Cell<u64>,
    gap: Duration,
    due: Cell<Instant>,
    end: Instant,
    pub(super) heard: RefCell<Heard>,
}

/// What was answered.
#[derive(Debug, Default)]
pub(super) struct Heard {
    /// The requests that were taken, in the order in which that was heard.
    pub(super) acknowledged: Vec<u64>,
    /// Spans that were rejected out of them.
    pub(super) rejected: u64,
    /// Refusals after which clients sent again, by what was said.
    pub(super) refused: BTreeMap<String, u64>,
    /// How many of them said when to come again.
    pub(super) refused_with_delay: u64,
    /// Refusals for good, by what was said.
    pub(super) denied: BTreeMap<String, u64>,
    /// Requests that had no answer, by why.
    pub(super) unanswered: BTreeMap<String, u64>,
    /// Requests that were refused to the end.
    pub(super) given_up: u64,
    /// The longest that a request took from its first attempt until it was taken.
    pub(super) longest: Duration,
}

impl Plan {
    pub(super) fn new(load: Arc<Load>, rate: f64, time: Duration) -> Self {
        let (gap, start) = (Duration::from_secs_f64(load.shape().spans as f64 / rate), Instant::now());
        Self { load, next: Cell::new(0), gap, due: Cell::new(start), end: start + time, heard: RefCell::default() }
    }

    pub(super) fn end(&self) -> Instant {
        self.end
    }

    /// How many requests have been begun.
    pub(super) fn begun(&self) -> u64 {
        self.next.get()
    }

    /// The next request and when it is due.
    fn take(&self) -> Option<(u64, Instant)> {
        let due = self.due.get().max(Instant::now() - SLACK);
        if due >= self.end {
            return None;
        }
        self.due.set(due + self.gap);
        Some((self.next.replace(self.next.get() + 1), due))
    }
}

/// What is to be done after an answer.
enum Next {
    Nothing,
    /// Send it again, after so long where somebody said so.
    Again(Option<Duration>),
}

impl Heard {
    fn note(&mut self, request: u64, took: Duration, answer: Result<Answer>) -> Next {
        match answer {
            Ok(Answer::Taken(rejected)) => {
                self.acknowledged.push(request);
                self.rejected += rejected;
                self.longest = self.longest.max(took);
                Next::Nothing
            }
            Ok(Answer::Denied(why)) => {
                *self.denied.entry(why).or_default() += 1;
                Next::Nothing
            }
            Ok(Answer::Refused { why, after }) => {
                *self.refused.entry(why).or_default() += 1;
                self.refused_with_delay += u64::from(after.is_some());
                Next::Again(after)
            }
            Err(error) => {
                *self.unanswered.entry(format!("{error:#}")).or_default() += 1;
                Next::Again(None)
            }
        }
    }
}

/// One who sends, one request at a time.
pub(super) struct Client {
    to: SocketAddr,
    connection: Connection,
}

enum Connection {
    Grpc(Option<http2::SendRequest<Message>>),
    Http(Option<http1::SendRequest<Message>>),
}

impl Client {
    /// So many who share a connection of gRPC.
    pub(super) async fn over_grpc(to: SocketAddr, streams: usize) -> Result<Vec<Self>> {
        let sender = message::connect_grpc(to).await?;
        Ok((0..streams).map(|_| Self { to, connection: Connection::Grpc(Some(sender.clone())) }).collect())
    }

    /// One with a connection of HTTP to itself.
    pub(super) fn over_http(to: SocketAddr) -> Self {
        Self { to, connection: Connection::Http(None) }
    }

    /// Sends what is due until the time is over.
    pub(super) async fn work(mut self, plan: Rc<Plan>) {
        while let Some((request, due)) = plan.take() {
            sleep_until(due).await;
            self.send_until_taken(request, &plan).await;
        }
    }

    async fn send_until_taken(&mut self, request: u64, plan: &Plan) {
        let (begun, mut back_off) = (Instant::now(), BACK_OFF.0);
        while Instant::now() < plan.end + PATIENCE {
            let answer = timeout(ANSWERED_WITHIN, self.send(request, plan)).await.context("no answer in time").flatten();
            if answer.is_err() {
                self.disconnect();
            }
            let next = plan.heard.borrow_mut().note(request, begun.elapsed(), answer);
            let Next::Again(pause) = next else { return };
            sleep(pause.unwrap_or(back_off)).await;
            back_off = if pause.is_some() { BACK_OFF.0 } else { (back_off * 2).min(BACK_OFF.1) };
        }
        plan.heard.borrow_mut().given_up += 1;
    }

    fn disconnect(&mut self) {
        match &mut self.connection {
            Connection::Grpc(sender) => *sender = None,
            Connection::Http(sender) => *sender = None,
        }
    }

    async fn send(&mut self, request: u64, plan: &Plan) -> Result<Answer> {
        let framed = plan.load.framed(request);
        match &mut self.connection {
            Connection::Grpc(sender) => {
                let sender = match sender {
                    Some(sender) => sender,
                    None => sender.insert(message::connect_grpc(self.to).await?),
                };
                sender.ready().await?;
                let (parts, body) = sender.send_request(message::grpc_request(self.to, None, framed)?).await?.into_parts();
                let (body, trailers) = message::collect(body).await?;
                answer::of_grpc(&parts.headers, &trailers, &body)
            }
            Connection::Http(kept) => {
                // Taken out meanwhile: a connection whose answer was not read to its end is of no more use.
                let mut sender = match kept.take().filter(|sender| !sender.is_closed()) {
                    Some(sender) => sender,
                    None => message::connect_http(self.to).await?,
                };
                sender.ready().await?;
                let request = message::http_request(self.to, None, framed.slice(PREFIX..))?;
                let (parts, body) = sender.send_request(request).await?.into_parts();
                let (body, _) = message::collect(body).await?;
                *kept = Some(sender);
                answer::of_http(parts.status.as_u16(), &parts.headers, &body)
            }
        }
    }
}
