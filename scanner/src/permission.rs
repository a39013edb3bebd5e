//! Who may be called at all, whatever the targets say.
//!
//! In: a range that somebody wants to call. Out: nothing, or the reason why not. Own networks (loopback, private, benchmark) may always be
//! called; public addresses only where the allow-list covers them, and with a contact that those who are called can find; special-purpose
//! ranges never. Where there is an allow-list, it holds for own networks as well.
//!
//! Source: IANA IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890 and its updates); multicast: RFC 5771, RFC 4291 section 2.7.

use std::path::Path;

use crate::ranges::{Range, Ranges};
use crate::targets::{TargetError, TargetSet};

/// Own networks, each with what it is.
const OWN: &[(&str, &str)] = &[
    ("127.0.0.0/8", "loopback"),
    ("::1/128", "loopback"),
    ("10.0.0.0/8", "private"),
    ("172.16.0.0/12", "private"),
    ("192.168.0.0/16", "private"),
    ("fc00::/7", "private"),
    ("198.18.0.0/15", "benchmark"),
];

/// The other special-purpose ranges, each with where it is defined. IPv4-mapped addresses (::ffff:0:0/96) are not here: they are read as
/// the IPv4 addresses that they hold.
const SPECIAL: &[(&str, &str)] = &[
    ("0.0.0.0/8", "RFC 791: this network"),
    ("100.64.0.0/10", "RFC 6598: shared by the customers of a carrier"),
    ("169.254.0.0/16", "RFC 3927: link local"),
    ("192.0.0.0/24", "RFC 6890: protocol assignments"),
    ("192.0.2.0/24", "RFC 5737: documentation"),
    ("192.31.196.0/24", "RFC 7535: AS112"),
    ("192.52.193.0/24", "RFC 7450: AMT"),
    ("192.88.99.0/24", "RFC 7526: 6to4 relays of before"),
    ("192.175.48.0/24", "RFC 7534: AS112"),
    ("198.51.100.0/24", "RFC 5737: documentation"),
    ("203.0.113.0/24", "RFC 5737: documentation"),
    ("224.0.0.0/4", "RFC 5771: multicast"),
    ("240.0.0.0/4", "RFC 1112: reserved; its last address is limited broadcast"),
    ("::/128", "RFC 4291: unspecified"),
    ("64:ff9b::/96", "RFC 6052: translated IPv4"),
    ("64:ff9b:1::/48", "RFC 8215: translated IPv4"),
    ("100::/64", "RFC 6666: discard only"),
    ("100:0:0:1::/64", "RFC 9780: dummy prefix"),
    ("2001::/23", "RFC 2928: protocol assignments"),
    ("2001:db8::/32", "RFC 3849: documentation"),
    ("2002::/16", "RFC 3056: 6to4"),
    ("2620:4f:8000::/48", "RFC 7534: AS112"),
    ("3fff::/20", "RFC 9637: documentation"),
    ("5f00::/16", "RFC 9602: segment routing"),
    ("fe80::/10", "RFC 4291: link local"),
    ("ff00::/8", "RFC 4291: multicast"),
];

/// Where IPv4 addresses live on the number line of ranges.
const IPV4: Range = Range { first: 0xffff_0000_0000, last: 0xffff_ffff_ffff };

/// What whoever scans may do.
#[derive(Clone, Debug, Default)]
pub struct Permission {
    allow: Option<Ranges>,
    contact: bool,
}

/// Why a range may not be called.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// Public, and there is no allow-list.
    #[error("is not a loopback, private or benchmark range, and for others an allow-list must be named: {own}", own = own())]
    NoAllowList,
    /// Public, and there is no contact.
    #[error("is public: those who are called must find a contact, and none is named")]
    NoContact,
    /// Not in the allow-list.
    #[error("is not covered by the allow-list")]
    NotListed,
    /// Nobody's addresses.
    #[error("touches a special-purpose range that is never called: {range} ({source_of})")]
    Special {
        /// Which.
        range: &'static str,
        /// Where it is defined, and as what.
        source_of: &'static str,
    },
}

fn own() -> String {
    OWN.iter().map(|(range, what)| format!("{range} ({what})")).collect::<Vec<_>>().join(", ")
}

fn parsed(table: &'static [(&'static str, &'static str)]) -> impl Iterator<Item = (Range, &'static str, &'static str)> {
    table.iter().filter_map(|(text, about)| Some((Range::parse(text).ok()?, *text, *about)))
}

/// Whether every address of a range is one of an own network.
pub(crate) fn is_own(range: Range) -> bool {
    parsed(OWN).any(|(own, ..)| range.inside(own))
}

/// Whether any address of a range is loopback.
pub(crate) fn is_loopback(range: Range) -> bool {
    let loopback = parsed(OWN).filter(|(_, _, what)| *what == "loopback");
    loopback.into_iter().any(|(own, ..)| range.first <= own.last && own.first <= range.last)
}

impl Permission {
    /// Own networks, and nobody else's.
    pub fn own_networks() -> Permission {
        Permission::default()
    }

    /// What the allow-list in that file covers. `contact`: whether those who are called are told one.
    pub fn listed(path: &Path, contact: bool) -> Result<Permission, TargetError> {
        let ranges = TargetSet::read_ranges(path)?.into_iter().map(|(_, range)| range);
        let (v4, v6): (Vec<Range>, Vec<Range>) = ranges.partition(|range| range.inside(IPV4));
        // Networks of IPv6 as large as ::/0 hold the place of IPv4 as well; who writes one means IPv6.
        let v6 = Ranges::new(v6).without(&Ranges::new(vec![IPV4]));
        Ok(Permission { allow: Some(Ranges::new(v4.into_iter().chain(v6.iter().copied()).collect())), contact })
    }

    /// Whether every address of a range may be called.
    pub(crate) fn check(&self, range: Range) -> Result<(), Denied> {
        let own = is_own(range);
        let Some(allow) = &self.allow else { return if own { Ok(()) } else { Err(Denied::NoAllowList) } };
        // A range that reaches out of an own network is no own network, and no public one.
        let touched = parsed(SPECIAL).chain(parsed(OWN)).find(|(other, ..)| range.first <= other.last && other.first <= range.last);
        match touched {
            Some((_, range, source_of)) if !own => Err(Denied::Special { range, source_of }),
            _ if !own && !self.contact => Err(Denied::NoContact),
            _ if allow.iter().any(|allowed| range.inside(*allowed)) => Ok(()),
            _ => Err(Denied::NotListed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn permission(allow: &str, contact: bool) -> Permission {
        let directory = tempfile::tempdir().expect("directory");
        let path = directory.path().join("allow");
        std::fs::write(&path, allow).expect("write");
        Permission::listed(&path, contact).expect("an allow-list")
    }

    fn check(permission: &Permission, range: &str) -> Result<(), Denied> {
        permission.check(Range::parse(range).expect(range))
    }

    #[test]
    fn every_range_of_the_tables_is_one() {
        for (range, _) in OWN.iter().chain(SPECIAL) {
            Range::parse(range).expect(range);
        }
    }

    #[test]
    fn public_addresses_need_an_allow_list_that_covers_them_and_a_contact() {
        assert_eq!(check(&Permission::own_networks(), "8.8.8.8"), Err(Denied::NoAllowList));
        assert_eq!(check(&permission("8.8.8.0/24\n", false), "8.8.8.8"), Err(Denied::NoContact));
        let listed = permission("8.8.8.0/25\n8.8.8.128/25 # touching\n127.0.0.0/24\n", true);
        assert_eq!(check(&listed, "8.8.8.0/24"), Ok(()));
        assert_eq!(check(&listed, "8.8.8.0-8.8.9.0"), Err(Denied::NotListed));
        assert_eq!(check(&listed, "127.0.0.9"), Ok(()));
        assert_eq!(check(&listed, "127.0.1.0"), Err(Denied::NotListed));
        let v6 = permission("::/0\n", true);
        assert_eq!((check(&v6, "8.8.8.8"), check(&v6, "2400:cb00::1")), (Err(Denied::NotListed), Ok(())));
    }

    #[test]
    fn no_allow_list_opens_special_ranges() {
        let everything = permission("0.0.0.0/0\n::/0\n", true);
        for (range, _) in SPECIAL {
            let denied = check(&everything, range).expect_err(range);
            assert!(matches!(denied, Denied::Special { range: found, .. } if found == *range), "{range}: {denied}");
        }
        for range in ["0.0.0.0/0", "::/0", "10.0.0.0/7", "126.0.0.0-127.0.0.1", "::ffff:224.0.0.1"] {
            assert!(matches!(check(&everything, range), Err(Denied::Special { .. })), "{range}");
        }
        assert_eq!(check(&everything, "10.0.0.0/8"), Ok(()));
    }
}
