//! Failed sign-ins, counted: by name and address, by name, and by address.

use std::net::IpAddr;

use crate::throttle::Throttle;

/// Failures a minute of one name from one address.
const FROM_ONE_ADDRESS: u64 = 10;
/// Failures a minute of one name from anywhere.
const FROM_ANYWHERE: u64 = 100;
/// Failures a minute of any names from one address.
const OF_ANY_NAME: u64 = 60;

/// The counters of a name that signs in from an address. Names that nobody can have share theirs.
pub(super) fn of(username: Option<&str>, address: Option<IpAddr>) -> Throttle {
    let name = username.unwrap_or("?");
    let address = address.map_or_else(|| "?".to_owned(), |address| address.to_string());
    let counters = vec![
        (format!("sign-in:{name}:{address}"), FROM_ONE_ADDRESS),
        (format!("sign-in:{name}"), FROM_ANYWHERE),
        (format!("sign-in:address:{address}"), OF_ANY_NAME),
    ];
    Throttle::new(counters, "Too many sign-ins failed. Wait a minute.")
}
