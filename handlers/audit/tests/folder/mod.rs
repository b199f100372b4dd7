//! A folder of its own for each test, removed afterwards.

#![expect(clippy::disallowed_methods, reason = "a test writes its own input")]

use std::fs;
use std::path::Path;

/// Its path.
pub(crate) struct Folder(pub(crate) String);

impl Folder {
    pub(crate) fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Self(path.to_str().unwrap().to_owned())
    }

    /// Writes a file, with the folders that it is in; gives its path back, as an argument.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = Path::new(&self.0).join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
