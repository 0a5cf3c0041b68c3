//! The back end of a run: takes everything, and notes the id of every span.

use std::net::SocketAddr;
use std::sync::{Arc, PoisonError, RwLock};

use anyhow::{Context as _, Result};
use http::{HeaderMap, Request, Response};
use hyper::body::Incoming;
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::compression::Compression;
use crate::ids::Arrivals;
use crate::load::PREFIX;
use crate::message::{self, Message, on_this_thread};
use crate::serve::serve;
use crate::wire::{self, Malformed, SPAN_ID};

/// A sink with a thread of its own, for as long as the process lives.
#[derive(Clone, Debug)]
pub(crate) struct Sink {
    address: SocketAddr,
    arrivals: Arc<RwLock<Arc<Arrivals>>>,
    turns: UnboundedSender<()>,
}

impl Sink {
    /// Listens on a free port.
    pub(crate) fn start() -> Result<Self> {
        let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
        listener.set_nonblocking(true)?;
        let (turns, turned) = unbounded_channel();
        let sink = Self { address: listener.local_addr()?, arrivals: Arc::new(RwLock::new(Arc::new(Arrivals::of(0)))), turns };
        let served = sink.clone();
        std::thread::Builder::new().name("sink".to_owned()).spawn(move || served.serve(listener, turned))?;
        Ok(sink)
    }

    /// Breaks all connections and refuses new ones; the next time it takes them again.
    pub(crate) fn turn(&self) -> Result<()> {
        self.turns.send(()).context("the back end has ended")
    }

    /// In turns: taking connections, and refusing them.
    fn serve(&self, first: std::net::TcpListener, mut turned: UnboundedReceiver<()>) -> Result<()> {
        let mut listener = on_this_thread(self.serve_until(&mut turned, async || Ok(TcpListener::from_std(first)?)))?;
        loop {
            let socket = listener;
            turned.blocking_recv().context("nobody turns it any more")?;
            listener = on_this_thread(self.serve_until(&mut turned, async || Ok(socket.listen(1_024)?)))?;
        }
    }

    /// Serves until it is turned off. What comes of that holds the port, and whoever connects to it is refused: without it, the system
    /// might give the port to somebody else. The connections end with the runtime.
    async fn serve_until(
        &self,
        turned: &mut UnboundedReceiver<()>,
        listener: impl AsyncFnOnce() -> Result<TcpListener>,
    ) -> Result<TcpSocket> {
        let service = {
            let sink = self.clone();
            move |request| {
                let sink = sink.clone();
                async move { sink.answer(request).await }
            }
        };
        let listener = listener().await?;
        tokio::select! {
            end = serve(listener, service) => end?,
            _ = turned.recv() => {}
        }
        let socket = TcpSocket::new_v4()?;
        socket.set_reuseaddr(true)?;
        socket.bind(self.address)?;
        Ok(socket)
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on so many spans are expected, of which none has arrived.
    pub(crate) fn expect(&self, spans: u64) -> Arc<Arrivals> {
        let arrivals = Arc::new(Arrivals::of(spans));
        *self.arrivals.write().unwrap_or_else(PoisonError::into_inner) = arrivals.clone();
        arrivals
    }

    async fn answer(&self, request: Request<Incoming>) -> Response<Message> {
        let arrivals = self.arrivals.read().unwrap_or_else(PoisonError::into_inner).clone();
        let (parts, body) = request.into_parts();
        let grpc = message::is_grpc(&parts.headers);
        let taken = async { take(&arrivals, grpc, &parts.headers, &message::collect(body).await?.0) };
        if taken.await.is_ok() {
            return message::taken(grpc);
        }
        arrivals.record_broken();
        message::not_taken(grpc)
    }
}

fn take(arrivals: &Arrivals, grpc: bool, headers: &HeaderMap, body: &[u8]) -> Result<()> {
    let named = |header: &str| headers.get(header).map(|name| name.to_str()).transpose();
    let (compression, body) = if grpc {
        let (prefix, body) = body.split_at_checked(PREFIX).context("shorter than its prefix")?;
        (if prefix[0] == 0 { None } else { named("grpc-encoding")? }, body)
    } else {
        (named("content-encoding")?, body)
    };
    match Compression::of_header(compression)? {
        Compression::None => record(arrivals, body)?,
        compression => record(arrivals, &compression.decompress(body)?)?,
    }
    Ok(())
}

fn record(arrivals: &Arrivals, body: &[u8]) -> Result<(), Malformed> {
    wire::each_span(body, |span| {
        let (_, id) = wire::id::<8>(body, span, SPAN_ID)?.ok_or(Malformed)?;
        arrivals.record(id);
        Ok(())
    })
}
