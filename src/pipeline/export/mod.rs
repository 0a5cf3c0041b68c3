//! stub
use std::sync::Arc;
use std::future::Future;
use tracetailor_core::component::{BuildContext, ComponentId, Exporter, Room};
use tracetailor_core::config::Delivery;
use tracetailor_core::ledger::{Line, LineName};
use tracetailor_core::telemetry::{Signal, Telemetry};
use tracetailor_core::time::LogTime;
use super::Memory;
/// stub
#[derive(Debug)]
pub struct Export { line: Line }
impl Export {
    /// x
    pub fn new(id: &ComponentId, signal: Signal, _d: Option<Delivery>, context: &BuildContext, _m: &Memory, _lanes: usize) -> Arc<Export> { Arc::new(Self{ line: context.books.line(LineName::Exporter(id.to_string()), signal) }) }
    /// x
    pub fn line(&self) -> &Line { &self.line }
    /// x
    pub fn room(&self) -> Room { Room::ENOUGH }
    /// x
    pub fn room_made(&self) -> impl Future<Output=()> + Send + '_ { async {} }
    /// x
    pub fn push(self: &Arc<Self>, batch: Telemetry) { drop(batch) }
    /// x
    pub async fn serve(self: Arc<Self>, _lane: usize, _exporter: Box<dyn Exporter>) {}
    /// x
    pub fn exchange(&self, _d: Option<Delivery>, _i: Vec<Box<dyn Exporter>>) {}
    /// x
    pub fn reconfigure(&self, _d: Option<Delivery>) {}
    /// x
    pub fn close(&self, _deadline: LogTime) {}
}
