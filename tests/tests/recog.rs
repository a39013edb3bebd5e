//! Recog's own examples: each is matched by the signature that was imported for it, first and with every value.

use ksig_tests::recog::verify;

#[test]
fn every_example_of_recog_is_answered() {
    let Some(folder) = ksig_tests::binary::shared("peers/recog") else {
        println!("not run: there is no folder shared/peers/recog beside the working copy");
        return;
    };
    let report = verify(&folder).expect("the databases can be read");
    assert!(report.differences.is_empty() && report.refused.is_empty(), "{:#?}\n{:#?}", report.differences, report.refused);
    assert_eq!((report.patterns_refused, report.values_different), (0, 0));
    assert_eq!((report.matched, report.first_match_kept), (report.examples, report.examples));
}
