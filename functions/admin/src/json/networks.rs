//! Networks that calls may come from.

use std::net::IpAddr;

use ipnet::IpNet;
use shared::failure::Failure;

/// The networks, or which of the texts is none.
pub(crate) fn read(texts: &[String]) -> Result<Vec<IpNet>, Failure> {
    let network = |text: &String| {
        let net = read_cidr(text.trim());
        net.ok_or_else(|| {
            let text = format!("{text} is neither a network such as 10.0.0.0/8 nor an address.");
            Failure::bad_field("cidrs", text)
        })
    };
    texts.iter().map(network).collect()
}

/// A network without bits behind its mask; a plain address is a network of one.
fn read_cidr(text: &str) -> Option<IpNet> {
    let address = text.parse::<IpAddr>().ok();
    let one = address.map(|address| IpNet::from(address.to_canonical()));
    one.or_else(|| text.parse::<IpNet>().ok().map(|net| net.trunc()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_addresses_are_networks_of_one() {
        for (text, net) in [
            ("10.1.2.3", Some("10.1.2.3/32")),
            ("10.1.2.3/8", Some("10.0.0.0/8")),
            ("::1", Some("::1/128")),
            ("::ffff:10.1.2.3", Some("10.1.2.3/32")),
            ("10.1.2.3/33", None),
            ("example.org", None),
            ("", None),
        ] {
            assert_eq!(
                read_cidr(text).map(|net| net.to_string()).as_deref(),
                net,
                "{text}"
            );
        }
    }
}
