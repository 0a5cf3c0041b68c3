//! The addresses of a destination: looked up, looked up again, and taken in turn.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tracetailor_core::config::Address;
use tracetailor_core::time::LogTime;

use super::dial::Peer;
use super::place::Place;
use super::{Balance, ClientError, Settings};

/// How long a look-up is good for. A server that joins is found within this.
const FRESH: Duration = Duration::from_secs(30);
/// How soon a name is looked up again when none of its addresses can be reached.
const SOONEST: Duration = Duration::from_secs(1);

/// All addresses.
pub(super) struct Addresses {
    settings: Arc<Settings>,
    state: Mutex<State>,
    /// Who looks up holds it.
    looking: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct State {
    places: Vec<Arc<Place>>,
    looked_up: Option<LogTime>,
    is_looking: bool,
    turn: usize,
}

impl Addresses {
    pub(super) fn new(settings: Arc<Settings>) -> Self {
        let mut state = State::default();
        if let Some(peer) = literal(settings.nearest()) {
            state.places.push(Arc::new(Place::new(peer)));
        }
        Self { settings, state: Mutex::new(state), looking: tokio::sync::Mutex::default() }
    }

    /// All places, the one whose turn it is first, those that rest last.
    pub(super) async fn in_turn(self: &Arc<Self>) -> Result<Vec<Arc<Place>>, ClientError> {
        if self.lock().places.is_empty() {
            self.look_up(None).await?;
        } else {
            self.freshen();
        }
        let now = self.settings.clock.now();
        let mut state = self.lock();
        let mut places = state.places.clone();
        if places.len() > 1 {
            if self.settings.balance == Balance::RoundRobin {
                let turn = state.turn % places.len();
                state.turn = turn + 1;
                places.rotate_left(turn);
            }
            places.sort_by_key(|place| place.rests(now));
        }
        Ok(places)
    }

    /// Looks the name up again now, unless that was done a moment ago. True where there is an address that was not there before.
    pub(super) async fn look_up_again(&self) -> bool {
        let Some(looked_up) = self.lock().looked_up else { return false };
        if self.settings.clock.now().since(looked_up) < SOONEST {
            return false;
        }
        let before: Vec<Peer> = self.lock().places.iter().map(|place| place.peer.clone()).collect();
        self.look_up(Some(looked_up)).await.is_ok() && self.lock().places.iter().any(|place| !before.contains(&place.peer))
    }

    /// Looks up aside where the last time is long ago; requests go on meanwhile.
    fn freshen(self: &Arc<Self>) {
        let mut state = self.lock();
        let Some(looked_up) = state.looked_up else { return };
        if state.is_looking || self.settings.clock.now().since(looked_up) < FRESH {
            return;
        }
        state.is_looking = true;
        drop(state);
        let addresses = self.clone();
        tokio::spawn(async move {
            // Those that are known go on being used where it fails.
            let _ = addresses.look_up(Some(looked_up)).await;
            addresses.lock().is_looking = false;
        });
    }

    /// Looks up, unless somebody else has done so since `known`.
    async fn look_up(&self, known: Option<LogTime>) -> Result<(), ClientError> {
        let Address::Tcp { host, port } = self.settings.nearest() else { return Ok(()) };
        let _looking = self.looking.lock().await;
        if self.lock().looked_up != known {
            return Ok(());
        }
        let found = self.settings.resolver.resolve(host, *port).await;
        let mut state = self.lock();
        let found = found.map_err(|error| ClientError::of(&format!("the name {host} cannot be looked up"), &error))?;
        state.looked_up = Some(self.settings.clock.now());
        if found.is_empty() {
            return Err(ClientError::new(format!("the name {host} has no address")));
        }
        let kept = |peer: Peer| state.places.iter().find(|place| place.peer == peer).cloned().unwrap_or_else(|| Arc::new(Place::new(peer)));
        state.places = found.into_iter().map(|address| kept(Peer::Tcp(address))).collect();
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The peer of an address that needs no look-up.
fn literal(address: &Address) -> Option<Peer> {
    match address {
        Address::Unix { path } => Some(Peer::Unix(path.into())),
        Address::Tcp { host, port } => host.parse::<IpAddr>().ok().map(|ip| Peer::Tcp(SocketAddr::new(ip, *port))),
    }
}
