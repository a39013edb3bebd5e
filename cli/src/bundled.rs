//! What the binary carries: the signatures and the demo's population.

use ksig_compiler::Input;

use crate::load::{LoadError, add};

include!(concat!(env!("OUT_DIR"), "/bundled.rs"));

/// The bundled signatures as sources.
pub fn signatures() -> Result<Input, LoadError> {
    let mut input = Input::default();
    add_all(&mut input, "signatures", SIGNATURES.iter().map(|(name, bytes)| (*name, *bytes)))?;
    Ok(input)
}

/// The demo's own signatures: those of its fictitious maker.
pub fn add_demo(input: &mut Input) -> Result<(), LoadError> {
    add_all(input, "populations", POPULATIONS.iter().filter(|(name, _)| name.starts_with("demo/")).map(|(name, bytes)| (*name, *bytes)))
}

/// A bundled population file, `demo.toml`.
pub fn population(name: &str) -> Option<&'static str> {
    let (_, bytes) = POPULATIONS.iter().find(|(file, _)| *file == name)?;
    std::str::from_utf8(bytes).ok()
}

fn add_all<'a>(input: &mut Input, root: &str, files: impl Iterator<Item = (&'a str, &'a [u8])>) -> Result<(), LoadError> {
    for (name, bytes) in files {
        add(input, &format!("{root}/{name}"), name, bytes.to_vec())?;
    }
    Ok(())
}
