//! What stands around an exporter, tried with scripted destinations on a runtime whose time is turned by the tests.

mod desk;
mod queue;
mod retry;
