//! Which addresses are on the public internet. Everything else needs a grant with `private_network`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Why an address is not public; `None` when it is. IPv4 inside IPv6 is judged as what it reaches.
pub fn not_public(address: IpAddr) -> Option<&'static str> {
    match canonical(address) {
        IpAddr::V4(v4) => not_public_v4(v4),
        IpAddr::V6(v6) => not_public_v6(v6),
    }
}

/// An attacker's name server may dress `127.0.0.1` as `::ffff:127.0.0.1`, `2002:7f00:1::` or `64:ff9b::7f00:1`.
fn canonical(address: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = address else { return address };
    let [a, b, c, d, e, f, g, h] = v6.segments();
    let embedded = match [a, b, c, d, e, f] {
        // ::ffff:a.b.c.d, mapped; ::ffff:0:a.b.c.d, translated
        [0, 0, 0, 0, 0, 0xffff] | [0, 0, 0, 0, 0xffff, 0] => Some([g, h]),
        // ::a.b.c.d, compatible (obsolete); not :: and ::1
        [0, 0, 0, 0, 0, 0] if g != 0 || h > 1 => Some([g, h]),
        // 64:ff9b::a.b.c.d, NAT64
        [0x64, 0xff9b, 0, 0, 0, 0] => Some([g, h]),
        // 2002:aabb:ccdd::, 6to4
        [0x2002, ..] => Some([b, c]),
        // Teredo: the client's address, inverted
        [0x2001, 0, ..] => Some([!g, !h]),
        _ => None,
    };
    match embedded {
        Some([high, low]) => IpAddr::V4(Ipv4Addr::from(u32::from(high) << 16 | u32::from(low))),
        None => address,
    }
}

/// IANA IPv4 special-purpose registry, what is not globally reachable.
const V4: &[([u8; 4], u8, &str)] = &[
    ([0, 0, 0, 0], 8, "unspecified"),
    ([10, 0, 0, 0], 8, "private"),
    ([100, 64, 0, 0], 10, "carrier-grade NAT"),
    ([127, 0, 0, 0], 8, "loopback"),
    ([169, 254, 0, 0], 16, "link-local"),
    ([172, 16, 0, 0], 12, "private"),
    ([192, 0, 0, 0], 24, "reserved"),
    ([192, 0, 2, 0], 24, "documentation"),
    ([192, 31, 196, 0], 24, "reserved"),
    ([192, 52, 193, 0], 24, "reserved"),
    ([192, 88, 99, 0], 24, "reserved"),
    ([192, 168, 0, 0], 16, "private"),
    ([192, 175, 48, 0], 24, "reserved"),
    ([198, 18, 0, 0], 15, "benchmarking"),
    ([198, 51, 100, 0], 24, "documentation"),
    ([203, 0, 113, 0], 24, "documentation"),
    ([224, 0, 0, 0], 4, "multicast"),
    ([240, 0, 0, 0], 4, "reserved"),
];

fn not_public_v4(address: Ipv4Addr) -> Option<&'static str> {
    let bits = u32::from(address);
    let inside = |network: [u8; 4], length: u8| (bits ^ u32::from_be_bytes(network)) >> (32 - length) == 0;
    V4.iter().find(|(network, length, _)| inside(*network, *length)).map(|(_, _, name)| *name)
}

/// Inside 2000::/3, the only block given out for global use.
const V6: &[([u16; 3], u8, &str)] = &[
    // Protocol assignments: Teredo, ORCHID, benchmarking, ...
    ([0x2001, 0, 0], 23, "reserved"),
    ([0x2001, 0xdb8, 0], 32, "documentation"),
    ([0x3fff, 0, 0], 20, "documentation"),
];

fn not_public_v6(address: Ipv6Addr) -> Option<&'static str> {
    let [a, b, c, ..] = address.segments();
    if address.is_unspecified() {
        return Some("unspecified");
    }
    if address.is_loopback() {
        return Some("loopback");
    }
    match a {
        0xff00.. => return Some("multicast"),
        0xfec0..=0xfeff => return Some("site-local"),
        0xfe80..=0xfebf => return Some("link-local"),
        0xfc00..=0xfdff => return Some("unique local"),
        0x2000..=0x3fff => {}
        _ => return Some("reserved"),
    }
    let bits = |[a, b, c]: [u16; 3]| u64::from(a) << 32 | u64::from(b) << 16 | u64::from(c);
    let inside = |network, length: u8| (bits([a, b, c]) ^ bits(network)) >> (48 - length) == 0;
    V6.iter().find(|(network, length, _)| inside(*network, *length)).map(|(_, _, name)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_address_has_its_class() {
        let table = [
            ("1.1.1.1", None),
            ("8.8.8.8", None),
            ("100.63.255.255", None),
            ("172.32.0.1", None),
            ("198.20.0.1", None),
            ("223.255.255.255", None),
            ("2606:4700:4700::1111", None),
            ("2a00:1450:4001::1", None),
            ("::ffff:1.1.1.1", None),
            ("64:ff9b::101:101", None),
            ("2002:101:101::1", None),
            ("0.0.0.0", Some("unspecified")),
            ("0.1.2.3", Some("unspecified")),
            ("::", Some("unspecified")),
            ("127.0.0.1", Some("loopback")),
            ("127.255.255.254", Some("loopback")),
            ("::1", Some("loopback")),
            ("::ffff:127.0.0.1", Some("loopback")),
            ("::ffff:0:127.0.0.1", Some("loopback")),
            ("::127.0.0.1", Some("loopback")),
            ("64:ff9b::7f00:1", Some("loopback")),
            ("2002:7f00:1::", Some("loopback")),
            ("2001:0:4136:e378:8000:63bf:80ff:fffe", Some("loopback")),
            ("10.0.0.1", Some("private")),
            ("172.16.0.1", Some("private")),
            ("172.31.255.255", Some("private")),
            ("192.168.1.1", Some("private")),
            ("::ffff:10.1.2.3", Some("private")),
            ("169.254.169.254", Some("link-local")),
            ("::ffff:169.254.169.254", Some("link-local")),
            ("2002:a9fe:a9fe::", Some("link-local")),
            ("fe80::1", Some("link-local")),
            ("fec0::1", Some("site-local")),
            ("fd00:ec2::254", Some("unique local")),
            ("fc00::1", Some("unique local")),
            ("100.64.0.1", Some("carrier-grade NAT")),
            ("100.127.255.255", Some("carrier-grade NAT")),
            ("192.0.0.170", Some("reserved")),
            ("192.0.2.1", Some("documentation")),
            ("198.51.100.1", Some("documentation")),
            ("203.0.113.1", Some("documentation")),
            ("2001:db8::1", Some("documentation")),
            ("3fff:1::1", Some("documentation")),
            ("198.18.0.1", Some("benchmarking")),
            ("198.19.255.255", Some("benchmarking")),
            ("224.0.0.1", Some("multicast")),
            ("239.255.255.255", Some("multicast")),
            ("ff02::1", Some("multicast")),
            ("240.0.0.1", Some("reserved")),
            ("255.255.255.255", Some("reserved")),
            ("64:ff9b:1::1", Some("reserved")),
            ("100::1", Some("reserved")),
            ("2001:2::1", Some("reserved")),
            ("5f00::1", Some("reserved")),
        ];
        for (address, class) in table {
            assert_eq!(not_public(address.parse().unwrap()), class, "{address}");
        }
    }
}
