//! The corpus's vocabulary: what its parts say of each other.

use std::collections::BTreeMap;

use ksig_compiler::Analysis;
use ksig_runtime::plan::{Datum, Table};

fn corpus() -> Analysis {
    ksig::analysis::check(&ksig::bundled::signatures().expect("the bundled signatures are text"))
}

fn table<'a>(corpus: &'a Analysis, name: &str) -> &'a Table {
    corpus.program.tables.iter().find(|table| table.name == name).unwrap_or_else(|| panic!("there is no table {name}"))
}

/// The texts of two columns, row by row.
fn pairs<'a>(table: &'a Table, one: &str, other: &str) -> Vec<(&'a str, &'a str)> {
    let at = |name: &str| table.columns.iter().position(|column| column.name == name).unwrap_or_else(|| panic!("no column {name}"));
    let text = |datum: &'a Datum| if let Datum::Text(text) = datum { text.as_str() } else { "" };
    let (one, other) = (at(one), at(other));
    table.rows.iter().map(|row| (text(&row[one]), text(&row[other]))).collect()
}

#[test]
fn the_table_of_enterprise_numbers_and_the_vendors_say_the_same() {
    let corpus = corpus();
    let rows: BTreeMap<String, String> = pairs(table(&corpus, "vocab.vendors.makers.from_pen"), "number", "vendor")
        .into_iter()
        .map(|(number, vendor)| (number.to_string(), vendor.to_string()))
        .collect();
    let vendors = &corpus.program.vocabulary.vendors;
    let said: BTreeMap<String, String> =
        vendors.iter().flat_map(|(id, term)| term.enterprise_numbers.iter().map(move |number| (number.to_string(), id.clone()))).collect();
    assert!(said.len() > 300, "{}", said.len());
    assert_eq!(rows, said);
}

#[test]
fn a_brand_in_a_device_id_is_a_vendor_that_sells_the_makers_machines() {
    let corpus = corpus();
    let vendors = &corpus.program.vocabulary.vendors;
    let brands = pairs(table(&corpus, "vocab.vendors.makers.from_ieee1284"), "brand", "vendor");
    assert!(brands.contains(&("savin", "ricoh")));
    for (brand, maker) in brands {
        assert!(brand.is_empty() || vendors[brand].rebrand_of.iter().any(|of| of == maker), "{brand} does not say `rebrand of {maker}`");
    }
}

#[test]
fn every_row_about_makers_names_its_source() {
    let corpus = corpus();
    for (name, key) in [("from_upnp", "name"), ("from_ieee1284", "name"), ("from_pen", "number")] {
        for (key, source) in pairs(table(&corpus, &format!("vocab.vendors.makers.{name}")), key, "source") {
            assert!(!source.trim().is_empty(), "{name}: {key} has no source");
        }
    }
}

#[test]
fn a_vendor_stands_in_the_file_of_its_first_letter() {
    let input = ksig::bundled::signatures().expect("the bundled signatures are text");
    let mut vendors = 0;
    for source in &input.sources {
        for line in source.text.lines() {
            let Some(id) = line.strip_prefix("vendor ").and_then(|rest| rest.strip_suffix(" {")) else { continue };
            vendors += 1;
            let module = format!("vocab.vendors.{}", &id[..1]);
            assert_eq!(source.module.as_deref(), Some(module.as_str()), "{id} stands in {}", source.path);
        }
    }
    assert!(vendors > 800, "{vendors}");
}
