//! The types that keys have, beyond numbers and text: each with its grammar, and with a message for every way to get it wrong.

mod auth;
mod byte_size;
mod delivery;
mod endpoint;
mod glob;
mod literal;
mod pattern;
mod percent;
mod period;
mod secret;
mod several;
mod switch;
mod text;
mod text_or;
mod tls;

pub use auth::Auth;
pub use byte_size::ByteSize;
pub use delivery::{
    Backend, CircuitBreaker, CoolDown, DeadLetter, Delivery, QueueBatch, QueuePartition, RetryOnFailure, SendingQueue, Sizer,
};
pub use endpoint::{Address, Endpoint, Scheme};
pub use glob::Glob;
pub use literal::Literal;
pub use pattern::Pattern;
pub use percent::Percent;
pub use period::{Period, parse_duration};
pub use secret::Secret;
pub use several::{CommaList, OneOrMany};
pub use switch::Switch;
pub use text::KeyError;
pub use text_or::TextOr;
pub use tls::{ClientTls, ServerTls, TlsVersion};

#[cfg(test)]
mod tests;
