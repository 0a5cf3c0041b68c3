//! What stands around an exporter, tried with scripted destinations on a runtime whose time is turned by the tests.

mod batch;
mod bisecting;
mod breaker;
mod desk;
mod queue;
mod random;
mod retry;
mod shutdown;
mod threads;
mod ways;
