//! What a gateway costs that does nothing: requests go out as they came in, and the client hears what the back end said.

use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use anyhow::{Context as _, Result};
use bytes::{BufMut as _, Bytes, BytesMut};
use clap::Args;
use http::{HeaderMap, Request, Response};
use hyper::body::Incoming;
use hyper::client::conn::http2::SendRequest;
use hyper::rt::Executor as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::spawn_local;

use crate::compression::Compression;
use crate::load::PREFIX;
use crate::message::{self, Message, SameThread, on_this_thread};
use crate::serve::connection;

/// Where it listens and sends.
#[derive(Args, Clone, Debug)]
pub(crate) struct Echo {
    /// Where to listen, for gRPC and HTTP alike; may be given again.
    #[arg(long, required = true)]
    listen: Vec<SocketAddr>,
    /// The back end, for gRPC.
    #[arg(long)]
    sink: SocketAddr,
    /// Threads, each with its own connections.
    #[arg(long, default_value_t = 1)]
    lanes: usize,
}

/// A thread that serves connections, and how many of them it has.
struct Lane {
    connections: Arc<AtomicUsize>,
    inbox: UnboundedSender<std::net::TcpStream>,
}

impl Echo {
    /// Runs for ever. Every connection goes to the lane that has the fewest.
    pub(crate) fn run(self) -> Result<()> {
        let lanes: Result<Vec<Lane>> = (0..self.lanes.max(1)).map(|_| self.lane()).collect();
        let lanes = Rc::new(lanes?);
        on_this_thread(async move {
            let mut listeners = Vec::new();
            for address in self.listen {
                listeners.push(spawn_local(hand_out(TcpListener::bind(address).await?, lanes.clone())));
            }
            for listener in listeners {
                listener.await??;
            }
            Ok(())
        })
    }

    fn lane(&self) -> Result<Lane> {
        let (inbox, arriving) = unbounded_channel();
        let connections = Arc::new(AtomicUsize::new(0));
        let (sink, open) = (self.sink, connections.clone());
        std::thread::Builder::new().name("lane".to_owned()).spawn(move || on_this_thread(serve_lane(arriving, open, sink)))?;
        Ok(Lane { connections, inbox })
    }
}

async fn hand_out(listener: TcpListener, lanes: Rc<Vec<Lane>>) -> Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let lane = lanes.iter().min_by_key(|lane| lane.connections.load(Relaxed)).context("there is a lane")?;
        lane.connections.fetch_add(1, Relaxed);
        lane.inbox.send(stream.into_std()?)?;
    }
}

async fn serve_lane(mut arriving: UnboundedReceiver<std::net::TcpStream>, open: Arc<AtomicUsize>, sink: SocketAddr) -> Result<()> {
    let sender = message::connect_grpc(sink).await?;
    while let Some(stream) = arriving.recv().await {
        let (sender, open) = (sender.clone(), open.clone());
        let service = move |request| answer(sender.clone(), sink, request);
        let stream = TcpStream::from_std(stream)?;
        SameThread.execute(async move {
            connection(stream, service).await;
            open.fetch_sub(1, Relaxed);
        });
    }
    Ok(())
}

async fn answer(mut to: SendRequest<Message>, sink: SocketAddr, request: Request<Incoming>) -> Response<Message> {
    let (parts, body) = request.into_parts();
    let grpc = message::is_grpc(&parts.headers);
    let passed_on = async {
        let (body, _) = message::collect(body).await?;
        let compression = named(&parts.headers, if grpc { "grpc-encoding" } else { "content-encoding" })?;
        let framed = if grpc { body } else { framed(&body, compression.is_some()) };
        to.ready().await?;
        let answer = to.send_request(message::grpc_request(sink, compression, framed)?).await?;
        message::collect(answer.into_body()).await?;
        Ok::<_, anyhow::Error>(())
    };
    if passed_on.await.is_ok() { message::taken(grpc) } else { message::not_taken(grpc) }
}

fn named(headers: &HeaderMap, header: &str) -> Result<Option<&'static str>> {
    let name = headers.get(header).map(|name| name.to_str()).transpose()?;
    Ok(match Compression::of_header(name)? {
        Compression::None => None,
        compression => Some(compression.name()),
    })
}

fn framed(body: &[u8], is_compressed: bool) -> Bytes {
    let mut framed = BytesMut::with_capacity(PREFIX + body.len());
    framed.put_u8(is_compressed.into());
    framed.put_u32(body.len() as u32);
    framed.extend_from_slice(body);
    framed.freeze()
}
