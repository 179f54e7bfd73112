//! Who calls: the signature of a request.

pub mod sigv4;

mod canonical;
mod moment;
