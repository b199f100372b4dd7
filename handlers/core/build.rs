//! Writes the list of the rule files, so that they are compiled into the binaries.

#![expect(clippy::disallowed_methods, reason = "a build script reads and writes files; the crate does not")]

use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../rules").canonicalize()?;
    println!("cargo::rerun-if-changed={}", root.display());
    let mut files = vec![root.join("responses.json")];
    for folder in ["rotation", "access", "failure", "sweep"] {
        for entry in fs::read_dir(root.join(folder))? {
            files.push(entry?.path());
        }
    }
    files.retain(|file| file.extension().is_some_and(|extension| extension == "json"));
    files.sort();
    let entries: Vec<String> = files.iter().map(|file| format_entry(&root, file)).collect();
    let code = format!("const RULE_FILES: &[(&str, &str)] = &[\n{}];\n", entries.concat());
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    fs::write(out.join("builtin_rules.rs"), code)
}

/// The path of a file below `rules/`, and an expression for its text.
fn format_entry(root: &Path, file: &Path) -> String {
    let below = file.strip_prefix(root).unwrap_or(file).to_string_lossy().replace('\\', "/");
    format!("    ({below:?}, include_str!({:?})),\n", file.display().to_string())
}
