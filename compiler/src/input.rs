//! What is compiled: texts and files as data. The caller reads them; nothing here touches a disk.

use std::collections::BTreeMap;

use ksig_runtime::plan::Datum;

/// A set of sources and the files beside them.
#[derive(Clone, Debug, Default)]
pub struct Input {
    /// `.ksig` files.
    pub sources: Vec<Source>,
    /// Tables and fixtures by their path from the root, `router/buffalo/airstation.csv`.
    pub assets: BTreeMap<String, Vec<u8>>,
    /// Rows that stand in for a table's own, by its full name: what `with` in a test says.
    pub rows: BTreeMap<String, Vec<Vec<Datum>>>,
}

/// One `.ksig` file.
#[derive(Clone, Debug)]
pub struct Source {
    /// As problems should name it.
    pub path: String,
    /// Its path from the root without `.ksig`, with dots: what `module` must say. Absent when the file stands outside a root.
    pub module: Option<String>,
    /// Its folder from the root, `router/buffalo`: tables and fixtures are looked up below it. Empty for the root itself.
    pub folder: String,
    /// Its text.
    pub text: String,
}

impl Input {
    /// One source alone, as in a fence of the spec.
    pub fn single(path: &str, text: &str) -> Input {
        let source = Source { path: path.into(), module: None, folder: String::new(), text: text.into() };
        Input { sources: vec![source], ..Input::default() }
    }

    /// The asset that a source calls `name`.
    pub fn asset(&self, source: &Source, name: &str) -> Option<&[u8]> {
        let path = if source.folder.is_empty() { name.to_string() } else { format!("{}/{name}", source.folder) };
        self.assets.get(&path).map(Vec::as_slice)
    }
}
