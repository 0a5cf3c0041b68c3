//! Back ends that are looked up, and come and go.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tracetailor_core::component::{BoxFuture, BuildContext, Exporter, Failing};
use tracetailor_core::ledger::Fate;
use tracetailor_core::testing::{Inlet, span, traces};
use tracetailor_net::client::Resolve;

use super::BackEnd;
use crate::exporters::load_balancing::{Config, LoadBalancing};

/// What the name server knows.
#[derive(Clone, Default)]
struct Names(Arc<Mutex<Vec<SocketAddr>>>);

impl Names {
    fn are(&self, back_ends: &[&BackEnd]) {
        *self.0.lock().unwrap() = back_ends.iter().map(|back_end| back_end.destination.address).collect();
    }
}

impl Resolve for Names {
    fn resolve<'a>(&'a self, host: &'a str, _: u16) -> BoxFuture<'a, io::Result<Vec<SocketAddr>>> {
        assert_eq!(host, "samplers");
        let known = self.0.lock().unwrap().clone();
        Box::pin(std::future::ready(if known.is_empty() { Err(io::Error::other("no such name")) } else { Ok(known) }))
    }
}

fn exporter(context: &BuildContext, names: &Names) -> LoadBalancing {
    let yaml = "{resolver: {dns: {hostname: samplers, interval: 10ms}}, protocol: {otlp: {tls: {insecure: true}, compression: none}}}";
    let config: Config = tracetailor_core::config::parse(yaml, "f", "x").unwrap();
    LoadBalancing::with(&config, context, Arc::new(names.clone())).unwrap()
}

async fn hears(exporter: &LoadBalancing) {
    tokio::time::timeout(Duration::from_secs(10), exporter.rerouted()).await.expect("it hears of the change");
}

#[tokio::test]
async fn a_name_is_looked_up_again_and_again() {
    let (one, two, names) = (BackEnd::start().await, BackEnd::start().await, Names::default());
    let context = BuildContext::alone("load_balancing");
    let (exporter, mut inlet) = (exporter(&context, &names), Inlet::new());
    let request = || traces((0..50u64).map(|number| span("s").trace(number + 1)));
    // Nobody is known yet: it waits, on the way of those for whom there is nobody.
    let mut parcels = exporter.prepare(inlet.receive(request()));
    let waiting = parcels.pop().unwrap();
    assert_eq!((waiting.way, parcels.len()), (0, 0));
    assert_eq!(exporter.export(&waiting.batch).await.unwrap_err().failing, Failing::Retry { after: None });
    names.are(&[&one]);
    hears(&exporter).await;
    let known = exporter.prepare(waiting.batch);
    assert_eq!(known.len(), 1);
    for parcel in known {
        exporter.export(&parcel.batch).await.unwrap();
        parcel.batch.settle(Fate::Delivered);
    }
    assert_eq!(one.spans(), 50);
    names.are(&[&two]);
    hears(&exporter).await;
    // A name server that has lost the name is not believed.
    names.are(&[]);
    let failed = || {
        let told = context.counters.read();
        let of = told.iter().filter(|series| series.name == "otelcol_loadbalancer_num_resolutions");
        of.filter(|series| series.labels.iter().any(|(_, value)| value == "false")).map(|series| series.count()).sum::<u64>()
    };
    let before = failed();
    let asked_twice = async {
        while failed() < before + 2 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), asked_twice).await.expect("it asks again and again");
    for parcel in exporter.prepare(inlet.receive(request())) {
        exporter.export(&parcel.batch).await.unwrap();
        parcel.batch.settle(Fate::Delivered);
    }
    assert_eq!((one.spans(), two.spans()), (50, 50));
    inlet.assert_settled();
}
