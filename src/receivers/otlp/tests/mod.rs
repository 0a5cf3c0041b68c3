//! The receiver over real sockets: what a client sends, what it is told, what comes out behind, what is counted.

mod client;
mod doors;
mod first_day;
mod gateway;
mod refusing;
mod stopping;
mod taking;

use client::{HttpAnswer, call, post, raw};
use gateway::{Behind, Gateway};
