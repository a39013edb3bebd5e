//! Files that are written whole or not at all: beside their place first, then renamed into it.
//!
//! A pipe or a device is written where it is: a rename would put a file in its place, as root even in that of `/dev/null`.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// Writes a file that our own end at any moment leaves as it was, or as it shall be.
///
/// # Errors
/// What the system says; the file of before stays.
pub fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    put(path, bytes, false)
}

/// The same, and a crash of the machine too.
///
/// # Errors
/// What the system says; the file of before stays.
pub fn write_synced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    put(path, bytes, true)
}

fn put(path: &Path, bytes: &[u8], sync: bool) -> io::Result<()> {
    let write = |path: &Path| File::create(path).and_then(|mut file| file.write_all(bytes).map(|()| file));
    if path.metadata().is_ok_and(|there| !there.is_file()) {
        return write(path).map(drop);
    }
    // A link stays one: what it leads to is replaced.
    let target = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
    let mut beside = target.clone().into_os_string();
    beside.push(".part");
    let beside = PathBuf::from(beside);
    let written =
        write(&beside).and_then(|file| if sync { file.sync_all() } else { Ok(()) }).and_then(|()| std::fs::rename(&beside, &target));
    if written.is_err() {
        let _ = std::fs::remove_file(&beside);
    }
    written
}
