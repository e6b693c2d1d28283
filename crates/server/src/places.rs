//! How many connections there may be, altogether and from one address. Each takes a place, and gives it back when it ends.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// So many connections may come from one address: a company behind one router still fits.
pub const FROM_ONE_ADDRESS: usize = 2000;

/// There is no place left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Full {
    /// The whole server.
    Server,
    /// What one address may have.
    Address,
}

/// Every place of the server; cheap to clone.
#[derive(Debug, Clone)]
pub struct Places(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    altogether: usize,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    altogether: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// A place; given back when dropped.
#[derive(Debug)]
pub struct Place {
    places: Places,
    address: IpAddr,
}

impl Places {
    /// So many places.
    #[must_use]
    pub fn new(altogether: usize) -> Self {
        Self(Arc::new(Shared {
            altogether,
            taken: Mutex::default(),
        }))
    }

    /// Takes a place for a connection from this address.
    ///
    /// # Errors
    /// When there is none.
    pub fn take(&self, address: IpAddr) -> Result<Place, Full> {
        let address = network(address);
        let mut taken = self.taken();
        if taken.altogether >= self.0.altogether {
            return Err(Full::Server);
        }
        let own = taken.by_address.entry(address).or_default();
        if *own >= FROM_ONE_ADDRESS {
            return Err(Full::Address);
        }
        *own += 1;
        taken.altogether += 1;
        Ok(Place {
            places: self.clone(),
            address,
        })
    }

    /// So many are taken.
    #[must_use]
    #[cfg(test)]
    pub fn count(&self) -> usize {
        self.taken().altogether
    }

    /// Whole numbers stay right when a holder of the lock has panicked.
    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.0.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.taken();
        taken.altogether -= 1;
        if let Some(own) = taken.by_address.get_mut(&self.address) {
            *own -= 1;
            if *own == 0 {
                taken.by_address.remove(&self.address);
            }
        }
    }
}

/// What counts as one address: whoever has one of IPv6 has a whole /64 of them (RFC 6177).
pub fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let prefix = u128::from(address) & (u128::MAX << 64);
            IpAddr::V6(Ipv6Addr::from(prefix))
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn one_address_does_not_take_everybody_elses_places() {
        let places = Places::new(FROM_ONE_ADDRESS + 1);
        let crowd: Vec<Place> = (0..FROM_ONE_ADDRESS)
            .map(|_| places.take(address("192.0.2.1")).expect("a place"))
            .collect();
        assert_eq!(places.take(address("192.0.2.1")).err(), Some(Full::Address));
        // The same address, as a socket for both kinds writes it.
        let mapped = places.take(address("::ffff:192.0.2.1"));
        assert_eq!(mapped.err(), Some(Full::Address));
        let other = places.take(address("192.0.2.2")).expect("a place");
        assert_eq!(places.take(address("192.0.2.3")).err(), Some(Full::Server));
        drop((crowd, other));
        assert_eq!(places.count(), 0);
        assert!(places.taken().by_address.is_empty());
    }

    #[test]
    fn a_house_is_one_address_in_ipv6_too() {
        let house = network(address("2001:db8:1:2::1"));
        assert_eq!(network(address("2001:db8:1:2:ffff::9")), house);
        assert_ne!(network(address("2001:db8:1:3::1")), house);
        assert_ne!(network(address("192.0.2.1")), network(address("192.0.2.2")));
    }
}
