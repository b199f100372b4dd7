//! Writes the list of the rules' fixtures, so that AWS's matcher can be asked about them anywhere.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures").canonicalize()?;
    println!("cargo::rerun-if-changed={}", root.display());
    let mut rows = Vec::new();
    for handler in ["rotation", "access", "failure", "sweep"] {
        for rule in folders(&root.join(handler))? {
            for case in folders(&rule)? {
                let event = case.join("event.json");
                let names = [&rule, &case].map(|path| path.file_name().unwrap_or_default().to_string_lossy());
                if event.is_file() {
                    let [rule, case] = names;
                    let path = event.display().to_string();
                    rows.push(format!("    ({rule:?}, {case:?}, include_bytes!({path:?})),\n"));
                }
            }
        }
    }
    let code = format!("const EVENTS: &[(&str, &str, &[u8])] = &[\n{}];\n", rows.concat());
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    fs::write(out.join("fixtures.rs"), code)
}

fn folders(of: &Path) -> io::Result<Vec<PathBuf>> {
    let mut folders: Vec<PathBuf> =
        fs::read_dir(of)?.map(|entry| Ok(entry?.path())).collect::<io::Result<_>>()?;
    folders.retain(|path| path.is_dir());
    folders.sort();
    Ok(folders)
}
