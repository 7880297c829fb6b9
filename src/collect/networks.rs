//! Sets of networks that are asked about every packet.

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use std::net::IpAddr;

/// Networks as sorted ranges that do not overlap, so that many cost hardly more than one.
#[derive(Clone, Debug, Default)]
pub struct Networks {
    v4: Vec<(u32, u32)>,
    v6: Vec<(u128, u128)>,
}

impl Networks {
    pub fn new(networks: &[IpNet]) -> Self {
        let (mut v4, mut v6) = (Vec::new(), Vec::new());
        for network in networks {
            match network {
                IpNet::V4(network) => v4.push(*network),
                IpNet::V6(network) => v6.push(*network),
            }
        }
        let (mut v4, mut v6) = (Ipv4Net::aggregate(&v4), Ipv6Net::aggregate(&v6));
        v4.sort_unstable();
        v6.sort_unstable();
        Self {
            v4: v4.iter().map(|net| (net.network().into(), net.broadcast().into())).collect(),
            v6: v6.iter().map(|net| (net.network().into(), net.broadcast().into())).collect(),
        }
    }

    pub fn contains(&self, address: IpAddr) -> bool {
        match address {
            IpAddr::V4(address) => is_in(&self.v4, u32::from(address)),
            IpAddr::V6(address) => is_in(&self.v6, u128::from(address)),
        }
    }
}

fn is_in<T: PartialOrd + Copy>(ranges: &[(T, T)], value: T) -> bool {
    let after = ranges.partition_point(|(start, _)| *start <= value);
    let range = after.checked_sub(1).and_then(|at| ranges.get(at));
    range.is_some_and(|(_, end)| value <= *end)
}

/// The network that senders are summed up under: /24 or /48.
pub fn neighbourhood(address: IpAddr) -> IpNet {
    let bits = if address.is_ipv4() { 24 } else { 48 };
    IpNet::new(address, bits).unwrap_or(address.into()).trunc()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn networks(texts: &[&str]) -> Networks {
        Networks::new(&texts.iter().map(|text| text.parse().expect("network")).collect::<Vec<_>>())
    }

    #[test]
    fn members_are_found() {
        let set = networks(&["192.0.2.128/25", "10.0.0.0/8", "10.1.0.0/16", "2001:db8::/32"]);
        for (address, is_member) in [
            ("192.0.2.127", false),
            ("192.0.2.128", true),
            ("192.0.2.255", true),
            ("192.0.3.0", false),
            ("10.255.255.255", true),
            ("9.255.255.255", false),
            ("2001:db8:ffff::1", true),
            ("2001:db9::", false),
        ] {
            assert_eq!(set.contains(address.parse().expect("address")), is_member, "{address}");
        }
        assert!(networks(&["0.0.0.0/0"]).contains("255.255.255.255".parse().expect("address")));
    }

    #[test]
    fn neighbours_share_a_network() {
        let shown = |text: &str| neighbourhood(text.parse().expect("address")).to_string();
        assert_eq!(shown("192.0.2.77"), "192.0.2.0/24");
        assert_eq!(shown("2001:db8:1:2::3"), "2001:db8:1::/48");
    }
}
