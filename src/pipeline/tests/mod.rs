//! The engine with everything but sockets: real lanes, real threads, components that do what a test says. Every test ends with the books,
//! and with a comparison of what went in with what came out.

mod kill;
mod parts;
mod reload;
mod rig;
mod ways;
