//! Endpoints that fail, lag, lie and throttle, and a chain that is followed over them: on scripted wires in virtual time, and
//! on a real node behind a proxy that does what it is told.

mod chain;
mod endpoints;
mod hints;
mod proxy;
mod watch;
mod wire;
