//! Puts the session into the connection, as the interceptor nearest to the application: what comes in ends here, what goes
//! out begins here.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use rtc::{
    interceptor::{AttributedPacket, Interceptor, Packet, StreamInfo, TaggedPacket},
    sansio::Protocol,
    shared::{TransportContext, error::Error},
};

use super::session::Session;

/// Hands packets between the connection and the session.
pub(crate) struct MediaInterceptor {
    session: Arc<Mutex<Session>>,
    /// What somebody else sends through the connection passes.
    passing: VecDeque<TaggedPacket>,
}

impl MediaInterceptor {
    pub fn new(session: Arc<Mutex<Session>>) -> Self {
        Self {
            session,
            passing: VecDeque::new(),
        }
    }

    fn session(&self) -> MutexGuard<'_, Session> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Protocol<TaggedPacket, TaggedPacket, ()> for MediaInterceptor {
    type Rout = TaggedPacket;
    type Wout = TaggedPacket;
    type Eout = ();
    type Error = Error;
    type Time = Instant;

    fn handle_read(&mut self, received: TaggedPacket) -> Result<(), Error> {
        match received.message.packet {
            Packet::Rtp(packet) => self.session().handle_rtp(packet, received.now),
            Packet::Rtcp(packets) => self.session().handle_rtcp(&packets, received.now),
            _ => {}
        }
        Ok(())
    }

    fn poll_read(&mut self) -> Option<TaggedPacket> {
        None
    }

    fn handle_write(&mut self, packet: TaggedPacket) -> Result<(), Error> {
        self.passing.push_back(packet);
        Ok(())
    }

    fn poll_write(&mut self) -> Option<TaggedPacket> {
        if let Some(packet) = self.passing.pop_front() {
            return Some(packet);
        }
        // The time at which the packet really leaves is what congestion control has to know.
        let now = Instant::now();
        let packet = self.session().poll(now)?;
        Some(TaggedPacket {
            now,
            transport: TransportContext::default(),
            message: AttributedPacket::new(packet),
        })
    }

    fn handle_timeout(&mut self, now: Instant) -> Result<(), Error> {
        self.session().handle_timeout(now);
        Ok(())
    }

    fn poll_timeout(&mut self) -> Option<Instant> {
        self.session().poll_timeout(Instant::now())
    }
}

impl Interceptor for MediaInterceptor {
    fn bind_local_stream(&mut self, _info: &StreamInfo) {}
    fn unbind_local_stream(&mut self, _info: &StreamInfo) {}
    fn bind_remote_stream(&mut self, _info: &StreamInfo) {}
    fn unbind_remote_stream(&mut self, _info: &StreamInfo) {}
}
