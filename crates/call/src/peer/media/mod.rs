//! The media of a connection between codecs and SRTP, without a socket or a clock of its own: one small file for each
//! stage, [`session`] joins them, [`interceptor`] puts them into the connection.

mod clock;
mod collapse;
mod estimator;
mod giving_way;
mod goog_cc;
mod growth;
mod inbound;
mod interceptor;
mod lost_by_chance;
mod outbound;
mod pacer;
mod packet;
mod pairs;
mod protection;
mod queueing;
mod redundancy;
mod session;
mod silence;
#[cfg(test)]
mod simulation;
mod stages;
mod standing_queue;
mod sync;
mod transport_cc;

pub(super) use interceptor::MediaInterceptor;
#[cfg(feature = "fuzz")]
pub(super) use session::fuzz;
pub(super) use session::{Limits, Session};
