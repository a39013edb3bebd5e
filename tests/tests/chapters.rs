//! The generated chapters of the spec are those that the code makes. `KSIG_UPDATE=1 cargo test -p ksig-tests --test chapters` writes them.

use std::path::Path;

use ksig::chapters;

#[test]
fn generated_chapters_are_fresh() {
    let spec = Path::new(env!("CARGO_MANIFEST_DIR")).join("../spec");
    let update = std::env::var_os("KSIG_UPDATE").is_some();
    for name in chapters::NAMES {
        let path = spec.join(format!("{name}.md"));
        let made = chapters::chapter(name).expect("every named chapter is made");
        if update {
            std::fs::write(&path, &made).expect("the chapter can be written");
        }
        let stands = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(stands == made, "spec/{name}.md is not what the code says: run this test with KSIG_UPDATE=1 and read the change");
    }
}

#[test]
fn every_generated_chapter_is_in_the_list_of_chapters() {
    let list = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../spec/README.md")).expect("the spec has a list");
    for name in chapters::NAMES {
        assert!(list.contains(&format!("[{name}]({name}.md)")), "{name} is not in spec/README.md");
    }
}
