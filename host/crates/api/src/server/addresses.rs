//! Connections of each address, counted.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

/// The bits of an IPv6 address that one customer of a network is given.
const NETWORK: u128 = !0 << 64;

/// How many connections each address has. Clones share it. There are no more
/// addresses in it than connections.
#[derive(Debug, Clone)]
pub(super) struct Addresses {
    counts: Arc<Mutex<HashMap<IpAddr, usize>>>,
    max: usize,
}

/// One connection of an address; given back by drop.
#[derive(Debug)]
pub(super) struct Place {
    addresses: Addresses,
    key: IpAddr,
}

impl Addresses {
    pub(super) fn new(max: usize) -> Self {
        Self { counts: Arc::default(), max }
    }

    /// A place for one more connection of this address, if it may have one.
    pub(super) fn place(&self, address: IpAddr) -> Option<Place> {
        let key = key(address);
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(key).or_default();
        if *count >= self.max {
            return None;
        }
        *count += 1;
        Some(Place { addresses: self.clone(), key })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.addresses.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.key) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.key);
            }
        }
    }
}

fn key(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & NETWORK).into(),
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_bounded_for_each_address_and_given_back() {
        let addresses = Addresses::new(1);
        let place = |address: &str| addresses.place(address.parse().unwrap());
        let held = [place("10.0.0.1"), place("10.0.0.2"), place("2001:db8::1"), place("2001:db8:0:1::1")];
        assert!(held.iter().all(Option::is_some));
        for taken in ["10.0.0.1", "::ffff:10.0.0.2", "2001:db8::2"] {
            assert!(place(taken).is_none(), "{taken}");
        }
        drop(held);
        assert!(addresses.counts.lock().unwrap().is_empty());
        assert!(place("10.0.0.1").is_some());
    }
}
