use std::convert::Infallible;

use super::*;
use ksig_schema::Transport;

/// A SYNTHETIC device of ACME at 10.0.x.y.
fn device(number: u16, port: u16, version: Option<&str>) -> Entry {
    let [high, low] = number.to_be_bytes();
    let address = std::net::IpAddr::from([10, 0, high, low]);
    let latest = match version {
        Some("1.20") => Known::Yes,
        Some(_) => Known::No,
        None => Known::Unknown,
    };
    Entry {
        host: address.to_string(),
        address: Some(address),
        port,
        transport: Transport::Tcp,
        time: Some(Time::new(1_793_491_200 + i64::from(number), 0).expect("time")),
        facet: Some("device".into()),
        vendor: Some("acme".into()),
        brand: None,
        series: None,
        model: Some("AR-100X".into()),
        version: version.map(str::to_string),
        class: Some("router".into()),
        cpe: None,
        tags: Vec::new(),
        signature: None,
        confidence: None,
        evidence: None,
        support_ended: Known::Yes,
        support_ends: Some("2024-03-31".parse().expect("day")),
        latest,
        latest_version: Some("1.20".into()),
        components: Vec::new(),
        title: None,
        server: None,
        charset: None,
        text: String::new(),
        digest: None,
        release: "2026-11-01".into(),
    }
}

fn population(groups: &[(Option<&str>, u16)]) -> Vec<Entry> {
    let mut number = 0;
    let mut entries = Vec::new();
    for (version, count) in groups {
        for _ in 0..*count {
            number += 1;
            entries.push(device(number, 80, *version));
        }
    }
    entries
}

fn report(entries: Vec<Entry>, cell_min: Option<u64>) -> VersionReport {
    let question = VersionQuestion { vendor: "acme".into(), model: "ar100x".into(), cell_min };
    versions(entries.into_iter().map(Ok::<_, Infallible>), &question).unwrap_or_else(|never| match never {})
}

fn rows(report: &VersionReport) -> Vec<(&str, u64, bool)> {
    report.rows.iter().map(|row| (row.version.as_str(), row.share.part, row.latest)).collect()
}

#[test]
fn versions_are_counted_highest_first_with_the_latest_marked() {
    let found = report(population(&[(Some("1.9"), 50), (Some("1.20"), 30), (Some("beta"), 5), (None, 15)]), None);
    assert_eq!(rows(&found), [("1.20", 30, true), ("1.9", 50, false), ("beta", 5, false)]);
    assert_eq!((found.total, found.unknown.map(|share| share.part), found.model.as_str()), (100, Some(15), "AR-100X"));
    assert_eq!(found.support, SupportLine { ended: Known::Yes, ends: Some("2024-03-31".parse().expect("day")) });
    let on_latest = found.on_latest.expect("shown");
    assert_eq!((on_latest.yes, on_latest.no, on_latest.unknown), (30, 55, 15));
    assert_eq!(on_latest.share_of_known.map(|share| (share.part, share.of)), Some((30, 85)));
    assert_eq!(found.past_support.and_then(|tally| tally.share_of_known).map(|share| share.share), Some(1.0));
    assert_eq!(found.about.entries, 100);
    assert_eq!(found.about.releases, ["2026-11-01"]);
    assert_eq!(found.about.date.map(|date| date.to_string()).as_deref(), Some("2026-11-01"));
    let shown = found.rows.iter().map(|row| row.share.part).sum::<u64>() + found.unknown.map_or(0, |share| share.part);
    assert_eq!(shown, found.total);
}

#[test]
fn the_rows_of_unknown_and_latest_are_always_there() {
    let found = report(population(&[(Some("1.9"), 3)]), None);
    assert_eq!(rows(&found), [("1.20", 0, true), ("1.9", 3, false)]);
    assert_eq!(found.unknown.map(|share| share.part), Some(0));
    let nothing = report(Vec::new(), None);
    assert_eq!((nothing.total, nothing.rows.len(), nothing.unknown.map(|share| share.part)), (0, 0, Some(0)));
    assert_eq!((nothing.model.as_str(), nothing.support.ended), ("ar100x", Known::Unknown));
}

#[test]
fn an_address_counts_once_for_each_version() {
    let entries = vec![
        device(1, 80, Some("1.9")),
        device(1, 443, Some("1.9")),
        device(1, 8080, None),
        device(2, 80, Some("1.9")),
        device(2, 8080, Some("1.20")),
        device(3, 80, None),
    ];
    let found = report(entries, None);
    assert_eq!(rows(&found), [("1.20", 1, true), ("1.9", 2, false)]);
    assert_eq!((found.total, found.unknown.map(|share| share.part), found.about.entries), (4, Some(1), 6));
}

#[test]
fn other_products_and_the_order_of_entries_do_not_matter() {
    let entries = population(&[(Some("1.9"), 4), (Some("1.20"), 3), (None, 2)]);
    let mut mixed = entries.clone();
    mixed.reverse();
    mixed.push(Entry { model: Some("AR-100X4".into()), ..device(900, 80, Some("1.0")) });
    mixed.push(Entry { vendor: Some("other".into()), ..device(901, 80, Some("1.0")) });
    assert_eq!(report(mixed, None), report(entries.clone(), None));
    let changed = report(entries[1..].to_vec(), None);
    assert_ne!(changed.about.snapshot, report(entries, None).about.snapshot);
}

#[test]
fn small_cells_are_shown_together_when_asked_for() {
    let groups = [(Some("1.9"), 100), (Some("1.20"), 60), (Some("1.2"), 20), (Some("1.1"), 15), (None, 40)];
    let found = report(population(&groups), Some(30));
    assert_eq!(rows(&found), [("1.20", 60, true), ("1.9", 100, false)]);
    assert_eq!(found.rare.as_ref().map(|rare| (rare.versions, rare.share.part)), Some((2, 35)));
    assert_eq!(found.unknown.map(|share| share.part), Some(40));
    assert_eq!(found.on_latest.map(|tally| tally.yes), Some(60));
    assert_eq!(report(population(&groups), None).rare, None);
}

#[test]
fn one_small_cell_takes_the_next_with_it_so_that_the_total_hides_it() {
    let found = report(population(&[(Some("1.9"), 100), (Some("1.20"), 60), (None, 5)]), Some(30));
    assert_eq!(rows(&found), [("1.9", 100, false)]);
    assert_eq!(found.rare.as_ref().map(|rare| (rare.versions, rare.share.part)), Some((2, 65)));
    assert_eq!((found.unknown, found.on_latest), (None, None), "60 of them would give the 5 away");
    assert_eq!(found.total, 165);
}

#[test]
fn a_report_is_plain_json() {
    let json = serde_json::to_value(report(population(&[(Some("1.9"), 50), (Some("1.20"), 50)]), None)).expect("json");
    assert_eq!(json["rows"][0]["version"], "1.20");
    assert_eq!(json["rows"][0]["share"], 0.5);
    assert_eq!(json["support"]["ended"], "yes");
    assert_eq!(json["about"]["unit"], "address_and_version");
}
