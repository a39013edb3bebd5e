//! The main job in one go: simulated devices are scanned over real sockets, identified, stored, searched, and held against the truth.

use ksig_tests::binary::run_in;

fn demo(folder: &tempfile::TempDir, seed: &str) -> serde_json::Value {
    let arguments = ["demo", "--hosts", "600", "--seed", seed, "--state", "state", "--format", "json"];
    let demo = run_in(folder.path(), &arguments);
    assert_eq!(demo.code, Some(0), "{}\n{}", demo.stderr, demo.stdout);
    assert_eq!(demo.stderr, "", "with --format json, nothing but the answer is printed");
    let mut lines = demo.json_lines();
    assert_eq!(lines.len(), 1, "one object");
    lines.remove(0)
}

#[test]
fn the_demo_names_no_device_wrongly_and_nearly_all_that_are_known() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for seed in ["20261123", "7"] {
        let found = demo(&folder, seed);
        let number = |key: &str| found[key].as_u64().unwrap_or_else(|| panic!("`{key}` is no number in {found}"));
        assert_eq!(number("hosts"), 600);
        assert_eq!(number("wrong"), 0, "seed {seed}: {}", found["wrong_hosts"]);
        assert!(number("known") > 300, "seed {seed}: most of the population is known: {}", number("known"));
        assert!(
            number("correct") * 100 >= number("known") * 95,
            "seed {seed}: {} of {} known are right",
            number("correct"),
            number("known")
        );
        assert_eq!(number("known") + number("unknown_ok"), 600, "seed {seed}: every host is known, or rightly unknown");
        for slot in ["vendor", "series", "model", "version"] {
            assert_eq!(found[slot]["wrong"], 0, "seed {seed}: {slot}");
            assert!(found[slot]["right"].as_u64().is_some_and(|right| right > 0), "seed {seed}: {slot}: {}", found[slot]);
        }
        for share in ["support_ended", "supported", "on_latest", "behind"] {
            assert!(found["population"][share].as_u64().is_some_and(|count| count > 0), "seed {seed}: {share}: {}", found["population"]);
        }
        assert!(found["search"]["count"].as_u64().is_some_and(|count| count > 0), "seed {seed}: {}", found["search"]);
        assert_eq!(found["engine"], "jit");
    }
}

#[test]
fn the_store_that_a_demo_leaves_can_be_searched() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    demo(&folder, "20261123");
    let search = run_in(folder.path(), &["search", "--state", "state", "--format", "json", "ルーター"]);
    assert_eq!(search.code, Some(0), "{}", search.stderr);
    assert!(search.stdout.contains("yukimi"), "the fictitious maker's routers are found by their Japanese class:\n{}", search.stdout);
}
