//! The clients of a run: some connections, on each some requests under way, and the next one as soon as one is answered.

use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail};
use bytes::Bytes;
use clap::ValueEnum;
use http::HeaderMap;
use tokio::runtime::Runtime;
use tokio::task::LocalSet;
use tokio::time::{Instant, sleep, sleep_until};

use crate::compression::Compression;
use crate::load::{Load, PREFIX};
use crate::message::{self, Message};
use crate::wire;

/// How requests travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Protocol {
    /// OTLP/gRPC.
    Grpc,
    /// OTLP/HTTP with protobuf, over HTTP/1.1: one request at a time on a connection.
    Http,
}

/// Who sends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clients {
    pub(crate) protocol: Protocol,
    pub(crate) connections: usize,
    /// Requests under way on each connection.
    pub(crate) streams: usize,
    /// Spans per second; as many as are answered where there is none.
    pub(crate) rate: Option<f64>,
}

/// What was answered.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    /// Spans of requests that were taken, without those that were rejected out of them.
    pub(crate) acknowledged: u64,
    pub(crate) rejected: u64,
    /// How often a request had to be sent again, because the gateway had no room.
    pub(crate) refused: u64,
}

/// Clients that are connected.
pub(crate) struct Generator {
    runtime: Runtime,
    tasks: LocalSet,
    senders: Vec<Sender>,
    clients: Clients,
    load: Arc<Load>,
}

impl Generator {
    pub(crate) fn connect(to: SocketAddr, clients: Clients, load: Arc<Load>) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let tasks = LocalSet::new();
        let compression = match load.shape().compression {
            Compression::None => None,
            compression => Some(compression.name()),
        };
        let senders = tasks.block_on(&runtime, async {
            let mut senders = Vec::new();
            for _ in 0..clients.connections {
                match clients.protocol {
                    Protocol::Grpc => {
                        let sender = message::connect_grpc(to).await?;
                        senders.extend((0..clients.streams).map(|_| Sender {
                            to,
                            compression,
                            connection: Connection::Grpc(sender.clone()),
                        }));
                    }
                    Protocol::Http => {
                        let connection = Connection::Http(message::connect_http(to).await?);
                        senders.push(Sender { to, compression, connection });
                    }
                }
            }
            Ok::<_, anyhow::Error>(senders)
        })?;
        Ok(Self { runtime, tasks, senders, clients, load })
    }

    /// Sends the requests of these numbers and returns when all of them are answered.
    pub(crate) fn offer(&mut self, requests: std::ops::Range<u64>) -> Result<Answers> {
        let Self { runtime, tasks, senders, clients, load } = self;
        let plan = Rc::new(Plan {
            load: load.clone(),
            next: Cell::new(requests.start),
            first: requests.start,
            end: requests.end,
            gap: clients.rate.map(|rate| Duration::from_secs_f64(load.shape().spans as f64 / rate)),
            start: tasks.block_on(runtime, async { Instant::now() }),
            answers: RefCell::default(),
        });
        let work = senders.drain(..).map(|sender| tasks.spawn_local(work(sender, plan.clone())));
        let work: Vec<_> = work.collect();
        *senders = tasks.block_on(runtime, async {
            let mut senders = Vec::new();
            for worker in work {
                senders.push(worker.await??);
            }
            Ok::<_, anyhow::Error>(senders)
        })?;
        Ok(plan.answers.take())
    }
}

/// What is to be sent, shared by all who send.
struct Plan {
    load: Arc<Load>,
    next: Cell<u64>,
    first: u64,
    end: u64,
    gap: Option<Duration>,
    start: Instant,
    answers: RefCell<Answers>,
}

impl Plan {
    fn take(&self) -> Option<u64> {
        let request = self.next.get();
        (request < self.end).then(|| self.next.replace(request + 1))
    }

    async fn wait_for_turn(&self, request: u64) {
        if let Some(gap) = self.gap {
            sleep_until(self.start + gap.mul_f64((request - self.first) as f64)).await;
        }
    }

    fn body(&self, request: u64, protocol: Protocol) -> Bytes {
        let framed = self.load.framed(request);
        if protocol == Protocol::Grpc { framed } else { framed.slice(PREFIX..) }
    }
}

async fn work(mut sender: Sender, plan: Rc<Plan>) -> Result<Sender> {
    while let Some(request) = plan.take() {
        plan.wait_for_turn(request).await;
        let rejected = sender.send_until_taken(request, &plan).await?;
        let mut answers = plan.answers.borrow_mut();
        answers.acknowledged += (plan.load.shape().spans as u64).saturating_sub(rejected);
        answers.rejected += rejected;
    }
    Ok(sender)
}

/// A gateway that refuses for longer than that is not going to take it.
const MOST_REFUSALS: u32 = 600;
const AFTER_REFUSAL: Duration = Duration::from_millis(20);

struct Sender {
    to: SocketAddr,
    compression: Option<&'static str>,
    connection: Connection,
}

enum Connection {
    Grpc(hyper::client::conn::http2::SendRequest<Message>),
    Http(hyper::client::conn::http1::SendRequest<Message>),
}

/// What became of a request.
enum Answer {
    /// Taken, but for so many spans.
    Taken(u64),
    /// To be sent again.
    Refused(String),
}

impl Sender {
    /// How many spans were rejected in the end.
    async fn send_until_taken(&mut self, request: u64, plan: &Plan) -> Result<u64> {
        for attempt in 1.. {
            match self.send(request, plan).await? {
                Answer::Taken(rejected) => return Ok(rejected),
                Answer::Refused(why) if attempt == MOST_REFUSALS => bail!("the gateway takes no more: {why}"),
                Answer::Refused(_) => plan.answers.borrow_mut().refused += 1,
            }
            sleep(AFTER_REFUSAL).await;
        }
        Ok(0)
    }

    async fn send(&mut self, request: u64, plan: &Plan) -> Result<Answer> {
        match &mut self.connection {
            Connection::Grpc(sender) => {
                sender.ready().await?;
                let request = message::grpc_request(self.to, self.compression, plan.body(request, Protocol::Grpc))?;
                let (parts, body) = sender.send_request(request).await?.into_parts();
                let (body, trailers) = message::collect(body).await?;
                grpc_answer(&parts.headers, &trailers, &body)
            }
            Connection::Http(sender) => {
                sender.ready().await?;
                let request = message::http_request(self.to, self.compression, plan.body(request, Protocol::Http))?;
                let (parts, body) = sender.send_request(request).await?.into_parts();
                let (body, _) = message::collect(body).await?;
                match parts.status.as_u16() {
                    200 => Ok(Answer::Taken(rejected(&body)?)),
                    429 | 502 | 503 | 504 => Ok(Answer::Refused(parts.status.to_string())),
                    _ => Err(anyhow!("the gateway answers {}: {}", parts.status, String::from_utf8_lossy(&body))),
                }
            }
        }
    }
}

/// Statuses of gRPC after which an OTLP client sends again.
const RETRYABLE: [&str; 2] = ["8", "14"];

fn grpc_answer(headers: &HeaderMap, trailers: &HeaderMap, body: &[u8]) -> Result<Answer> {
    let named = |name: &str| trailers.get(name).or_else(|| headers.get(name)).and_then(|value| value.to_str().ok()).unwrap_or_default();
    match named("grpc-status") {
        "0" => Ok(Answer::Taken(rejected(&unframed(headers, body)?)?)),
        status if RETRYABLE.contains(&status) => Ok(Answer::Refused(format!("{status} {}", named("grpc-message")))),
        status => Err(anyhow!("the gateway answers with gRPC status {status:?}: {}", named("grpc-message"))),
    }
}

/// The message of an answer. Some servers compress answers as the request was.
pub(crate) fn unframed(headers: &HeaderMap, framed: &[u8]) -> Result<Vec<u8>> {
    let (prefix, message) = framed.split_at_checked(PREFIX).context("the answer is shorter than its prefix")?;
    let encoding = headers.get("grpc-encoding").map(|name| name.to_str()).transpose()?;
    Compression::of_header(encoding.filter(|_| prefix[0] == 1))?.decompress(message)
}

/// How many spans the answer says were rejected: `partial_success.rejected_spans`, both field 1.
pub(crate) fn rejected(answer: &[u8]) -> Result<u64> {
    let mut rejected = 0;
    for partial in wire::fields(answer, 0..answer.len()) {
        for field in wire::fields(answer, partial?.1) {
            let (number, place) = field?;
            if number == 1 {
                rejected += wire::varint(&answer[place])?.0;
            }
        }
    }
    Ok(rejected)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(name: &'static str, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(http::HeaderName::from_static(name), http::HeaderValue::from_static(value))])
    }

    fn status(code: &'static str) -> HeaderMap {
        header("grpc-status", code)
    }

    #[test]
    fn answers_are_told_apart() {
        let none = HeaderMap::new();
        assert!(matches!(grpc_answer(&none, &status("0"), &[0; 5]), Ok(Answer::Taken(0))));
        assert!(matches!(grpc_answer(&none, &status("0"), &[0, 0, 0, 0, 4, 10, 2, 8, 3]), Ok(Answer::Taken(3))));
        let mut gzip = vec![1, 0, 0, 0, 0];
        Compression::Gzip.compress(&[10, 2, 8, 3], &mut gzip).unwrap();
        assert!(matches!(grpc_answer(&header("grpc-encoding", "gzip"), &status("0"), &gzip), Ok(Answer::Taken(3))));
        assert!(matches!(grpc_answer(&status("14"), &none, &[]), Ok(Answer::Refused(_))));
        assert!(grpc_answer(&none, &status("3"), &[]).is_err());
        assert!(grpc_answer(&none, &none, &[]).is_err());
    }
}
