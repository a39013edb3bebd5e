//! Files of the regional registries on who holds which addresses: delegated and delegated-extended.
//!
//! In: the text of such a file and a country. Out: the IPv4 ranges that are allocated or assigned to that country. Absent: AS numbers, what
//! is available or reserved, other countries, and IPv6, whose smallest delegation has more addresses than a scan can take.
//!
//! Source: RIR statistics exchange format, `registry|cc|type|start|value|date|status[|extensions...]`. The value of an IPv4 record is a
//! count of addresses, which need be no power of two; that of an IPv6 record is the length of a prefix.

use std::net::{Ipv4Addr, Ipv6Addr};

use ipnet::Ipv6Net;

use crate::ranges::{Range, number};
use crate::targets::entries;

/// The ranges of a country, such as `JP`, each with its line. An error is a line, from 1, and what is wrong with it.
pub(crate) fn ranges(text: &str, country: &str) -> Result<Vec<(usize, Range)>, (usize, String)> {
    let mut found = Vec::new();
    for (line, record) in entries(text) {
        if let Some(range) = range(record, country).map_err(|reason| (line, reason))? {
            found.push((line, range));
        }
    }
    Ok(found)
}

/// The range of one record; absent for one that is not about addresses of that country.
fn range(record: &str, country: &str) -> Result<Option<Range>, String> {
    let fields: Vec<&str> = record.split('|').collect();
    let [_, holder, family, start, value, _, status, ..] = fields[..] else {
        // The first line of a file begins with its version; lines of totals end with `summary`.
        let head = fields.len() == 6 && fields[5] == "summary";
        return if head { Ok(None) } else { Err(format!("`{record}` has {} fields; a record has 7", fields.len())) };
    };
    let version = fields[0].starts_with(|first: char| first.is_ascii_digit());
    if version || !holder.eq_ignore_ascii_case(country) || !matches!(status, "allocated" | "assigned") {
        return Ok(None);
    }
    match family {
        "ipv4" => {
            let first: Ipv4Addr = start.parse().map_err(|_| format!("`{start}` is not an IPv4 address"))?;
            let count: u32 =
                value.parse().ok().filter(|count| *count > 0).ok_or_else(|| format!("`{value}` is not a count of addresses"))?;
            let last =
                u32::from(first).checked_add(count - 1).ok_or_else(|| format!("{count} addresses from {start} pass the last one"))?;
            Ok(Some(Range { first: number(first.into()), last: number(Ipv4Addr::from(last).into()) }))
        }
        "ipv6" => {
            let first: Ipv6Addr = start.parse().map_err(|_| format!("`{start}` is not an IPv6 address"))?;
            let length = value.parse().ok().and_then(|length| Ipv6Net::new(first, length).ok());
            length.ok_or_else(|| format!("`{value}` is not the length of a prefix"))?;
            Ok(None)
        }
        "asn" => Ok(None),
        other => Err(format!("`{other}` is none of ipv4, ipv6 and asn")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ipv4_ranges_of_a_country_are_read_from_both_forms() {
        // Lines in the form that the registries' description gives, with addresses for documentation.
        let text = "2|apnic|20240101|4|19830613|20240101|+1000\napnic|*|ipv4|*|4|summary\n# a remark\n\
            apnic|JP|ipv4|192.0.2.0|96|20000101|allocated\n\
            apnic|JP|ipv4|198.51.100.0|256|20000101|assigned|A91\n\
            apnic|JP|ipv4|203.0.113.0|256|20000101|reserved\napnic|AU|ipv4|203.0.113.0|256|20000101|allocated\n\
            apnic|JP|asn|64496|1|20000101|allocated\napnic|JP|ipv6|2001:db8::|32|20000101|allocated\n\
            apnic||ipv4|203.0.113.0|256||available|\n";
        let found: Vec<_> = ranges(text, "jp").expect("ranges").iter().map(|(line, range)| format!("{line} {range}")).collect();
        assert_eq!(found, ["4 192.0.2.0-192.0.2.95", "5 198.51.100.0-198.51.100.255"]);
    }

    #[test]
    fn mistakes_name_their_line() {
        for (record, reason) in [
            ("apnic|JP|ipv4|192.0.2.0", "has 4 fields"),
            ("apnic|JP|ipv4|192.0.2|8|20000101|allocated", "`192.0.2` is not an IPv4 address"),
            ("apnic|JP|ipv4|192.0.2.0|0|20000101|allocated", "`0` is not a count"),
            ("apnic|JP|ipv4|255.255.255.0|257|20000101|allocated", "pass the last one"),
            ("apnic|JP|ipv6|2001:db8::|129|20000101|allocated", "`129` is not the length"),
            ("apnic|JP|ipv5|192.0.2.0|8|20000101|allocated", "`ipv5` is none of"),
        ] {
            let (line, told) = ranges(&format!("# first\n{record}\n"), "JP").expect_err(record);
            assert!(line == 2 && told.contains(reason), "{line}: {told}");
        }
    }
}
