//! The secret of a local installation: a file that only its owner reads.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use shared::random;
use shared::secrets::MasterKey;

const FILE: &str = "master.key";

/// The master key in a directory; made at the first start.
pub(crate) fn master_key(data_dir: &Path) -> io::Result<MasterKey> {
    let path = data_dir.join(FILE);
    match fs::read_to_string(&path) {
        Ok(text) => Ok(MasterKey::new(text.trim())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => make(&path),
        Err(error) => Err(error),
    }
}

fn make(path: &Path) -> io::Result<MasterKey> {
    let text = random::text(64);
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    Ok(MasterKey::new(text))
}
