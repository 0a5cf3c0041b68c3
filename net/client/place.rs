//! One address of a destination: the connections to it, and whether it can be reached at all.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use http_body_util::Full;
use hyper::client::conn::{http1, http2};
use tracetailor_core::time::LogTime;

use super::connection::{Connection, Sent, doubt};
use super::dial::{Peer, dial};
use super::{Answer, ClientError, Route, Settings};

/// After so many requests in a row that nobody waited for any longer, a connection is taken for dead: a server that vanished without a
/// word looks like a slow one for a quarter of an hour.
const MOST_UNANSWERED: u32 = 3;

/// How long an address rests after its first failure; each further one doubles it.
const REST: Duration = Duration::from_secs(1);
const LONGEST_REST: Duration = Duration::from_secs(30);

/// An address.
pub(super) struct Place {
    pub(super) peer: Peer,
    state: Mutex<State>,
    /// Who opens a connection that all can share holds it; the others wait for what comes of it.
    opening: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct State {
    shared: Option<http2::SendRequest<Full<Bytes>>>,
    idle: VecDeque<(http1::SendRequest<Full<Bytes>>, LogTime)>,
    /// The server has chosen HTTP/1.1 before, so that nobody needs to wait for another's connection.
    is_http1: bool,
    has_answered: bool,
    unanswered: u32,
    failures: u32,
    rests_until: LogTime,
    /// What came of opening, the last time it went wrong, and how often it has.
    failed: (u64, Option<ClientError>),
}

impl Place {
    pub(super) fn new(peer: Peer) -> Self {
        Self { peer, state: Mutex::default(), opening: tokio::sync::Mutex::default() }
    }

    /// True while it is better to try another.
    pub(super) fn rests(&self, now: LogTime) -> bool {
        self.lock().rests_until > now
    }

    /// Sends a request over a connection to this address, opened if there is none. What a kept connection did not take goes over a new
    /// one: the server may have closed it at that very moment.
    pub(super) async fn post(self: &Arc<Self>, settings: &Settings, route: &Route, more: &HeaderMap, body: &Bytes) -> Sent {
        if let Some(kept) = self.kept(settings) {
            match self.post_on(kept, settings, route, more, body).await {
                Sent::Unsent(_) => {}
                sent => return sent,
            }
        }
        let opening = Opening { place: self, settings, is_dialling: false };
        match opening.connection().await {
            Ok(opened) => {
                let is_http2 = matches!(opened, Connection::Http2(_));
                match self.post_on(opened, settings, route, more, body).await {
                    Sent::Lost(error) if is_http2 && !self.has_answered() => Sent::Lost(doubt(error)),
                    Sent::Unsent(error) if is_http2 && !self.has_answered() => Sent::Unsent(doubt(error)),
                    sent => sent,
                }
            }
            Err(error) => Sent::Unsent(error),
        }
    }

    async fn post_on(&self, mut connection: Connection, settings: &Settings, route: &Route, more: &HeaderMap, body: &Bytes) -> Sent {
        let mut waiting = Waiting { place: self, is_answered: false };
        let sent = connection.post(settings, route, more, body.clone()).await;
        waiting.is_answered = true;
        drop(waiting);
        match &sent {
            Sent::Answered(answer) => self.answered(connection, answer, settings),
            Sent::Lost(_) | Sent::Unsent(_) => self.forget_closed(),
        }
        sent
    }

    /// A connection that is open already.
    fn kept(&self, settings: &Settings) -> Option<Connection> {
        let mut state = self.lock();
        if let Some(shared) = state.shared.as_ref().filter(|shared| !shared.is_closed()) {
            return Some(Connection::Http2(shared.clone()));
        }
        state.shared = None;
        let oldest = settings.clock.now() - settings.idle_timeout;
        state.idle.retain(|(sender, since)| !sender.is_closed() && *since >= oldest);
        state.idle.pop_back().map(|(sender, _)| Connection::Http1(sender))
    }

    fn answered(&self, connection: Connection, answer: &Answer, settings: &Settings) {
        let mut state = self.lock();
        state.has_answered = true;
        state.unanswered = 0;
        state.failures = 0;
        state.rests_until = LogTime::default();
        if let Connection::Http1(sender) = connection
            && !answer.is_cut
            && !sender.is_closed()
            && state.idle.len() < settings.most_idle
        {
            state.idle.push_back((sender, settings.clock.now()));
        }
    }

    /// Whether it has ever given an answer, so that it speaks what we speak.
    fn has_answered(&self) -> bool {
        self.lock().has_answered
    }

    fn forget_closed(&self) {
        let mut state = self.lock();
        state.shared.take_if(|shared| shared.is_closed());
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request that waits for its answer. Dropped before one came, it was given up.
struct Waiting<'a> {
    place: &'a Place,
    is_answered: bool,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if self.is_answered {
            return;
        }
        let mut state = self.place.lock();
        state.unanswered += 1;
        if state.unanswered >= MOST_UNANSWERED {
            state.unanswered = 0;
            state.shared = None;
        }
    }
}

/// A connection being opened. Given up before it is there, it counts as a failure, so that the next request tries another address.
struct Opening<'a> {
    place: &'a Place,
    settings: &'a Settings,
    is_dialling: bool,
}

impl Opening<'_> {
    async fn connection(mut self) -> Result<Connection, ClientError> {
        let before = self.place.lock().failed.0;
        // In the clear only what is HTTP/2 from the start is shared.
        let shares = match self.settings.protocol {
            super::Protocol::Http1 => false,
            super::Protocol::Http2 => true,
            super::Protocol::Negotiated => self.settings.tls.is_some() && !self.place.lock().is_http1,
        };
        let held = if shares { Some(self.place.opening.lock().await) } else { None };
        if held.is_some() {
            if let Some(kept) = self.place.kept(self.settings) {
                return Ok(kept);
            }
            // Somebody tried while we waited: to try again at once would only make all wait in turn.
            let (failures, error) = self.place.lock().failed.clone();
            if let Some(error) = error.filter(|_| failures != before) {
                return Err(error);
            }
        }
        self.is_dialling = true;
        let opened = dial(&self.place.peer, self.settings).await;
        self.is_dialling = false;
        let mut state = self.place.lock();
        match &opened {
            Ok(Connection::Http2(sender)) => state.shared = Some(sender.clone()),
            Ok(Connection::Http1(_)) => state.is_http1 = true,
            Err(error) => {
                state.failed = (state.failed.0 + 1, Some(error.clone()));
                state.rest(self.settings);
            }
        }
        opened
    }
}

impl Drop for Opening<'_> {
    fn drop(&mut self) {
        if self.is_dialling {
            self.place.lock().rest(self.settings);
        }
    }
}

impl State {
    fn rest(&mut self, settings: &Settings) {
        let rest = REST.saturating_mul(1 << self.failures.min(5)).min(LONGEST_REST);
        self.failures += 1;
        self.rests_until = settings.clock.now() + rest;
    }
}
