//! Lists the files below the paths that somebody named.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::input_kind::{is_digest_folder, is_fixture_companion, marks_fixture};
use super::input_problem::InputProblem;
use super::read_content::is_standard_input;

/// A file of the input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct InputFile {
    /// Its path; `-` is standard input.
    pub(super) path: PathBuf,
    /// Its size on disk, in bytes; 0 for standard input.
    pub(super) size: u64,
}

/// The files below some paths, in the order in which they are read, and the paths that cannot be listed.
#[derive(Debug, Default)]
pub(super) struct FileList {
    pub(super) files: Vec<InputFile>,
    pub(super) problems: Vec<InputProblem>,
    /// How many files were skipped because they lie in a folder of digests.
    pub(super) digests: usize,
}

impl FileList {
    /// Walks these paths. Folders are walked in the order of their names. Links to files are followed, links to folders
    /// are not. A file that is named twice is listed once.
    pub(super) fn collect(paths: &[PathBuf]) -> Self {
        let mut walked = Self::default();
        for path in paths {
            walked.walk_path(path, false);
        }
        let mut list = Self { files: Vec::new(), problems: walked.problems, digests: walked.digests };
        let mut seen = BTreeSet::new();
        for file in walked.files {
            // Standard input has no canonical path, and is known by its `-`.
            let identity = fs::canonicalize(&file.path).unwrap_or_else(|_| file.path.clone());
            if seen.insert(identity) {
                list.files.push(file);
            }
        }
        list
    }

    /// Walks one path. A nested one was found in a folder; the others were named.
    fn walk_path(&mut self, path: &Path, is_nested: bool) {
        if is_standard_input(path) {
            self.files.push(InputFile { path: path.to_owned(), size: 0 });
            return;
        }
        let metadata = match fs::metadata(path) {
            Ok(metadata) => metadata,
            Err(error) => return self.report_problem(path, error.to_string()),
        };
        if !metadata.is_dir() {
            // Reading a pipe or a device that somebody left in a folder could take for ever.
            if is_nested && !metadata.is_file() {
                return self.report_problem(path, "neither a file nor a folder");
            }
            self.files.push(InputFile { path: path.to_owned(), size: metadata.len() });
            return;
        }
        if is_nested && path.is_symlink() {
            return self.report_problem(path, "a link to a folder; name the folder itself");
        }
        match fs::read_dir(path).and_then(Iterator::collect::<io::Result<Vec<_>>>) {
            Ok(entries) => self.walk_folder(entries),
            Err(error) => self.report_problem(path, error.to_string()),
        }
    }

    /// Walks the entries of a folder, except those that are known to hold no events.
    fn walk_folder(&mut self, mut entries: Vec<fs::DirEntry>) {
        entries.sort_by_key(fs::DirEntry::file_name);
        let is_fixture = entries.iter().any(|entry| marks_fixture(&entry.file_name()));
        for entry in entries {
            let name = entry.file_name();
            if is_digest_folder(&name) {
                self.count_digests(&entry.path());
            } else if !(is_fixture && is_fixture_companion(&name)) {
                self.walk_path(&entry.path(), true);
            }
        }
    }

    fn count_digests(&mut self, folder: &Path) {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => self.count_digests(&entry.path()),
                _ => self.digests += 1,
            }
        }
    }

    fn report_problem(&mut self, path: &Path, reason: impl Into<String>) {
        self.problems.push(InputProblem::of_file(path.display().to_string(), reason));
    }
}
