//! Input: files, folders, standard input, gzip; what cannot be read is a problem, never the end.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, IsTerminal as _, Read};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use responder_audit::input;

/// A file, or a part of one, that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub(crate) struct Problem {
    /// The file.
    pub(crate) file: String,
    /// Where in it, in bytes of its uncompressed content; absent for the whole file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) offset: Option<usize>,
    /// What is wrong.
    pub(crate) reason: String,
}

/// The most that is read of one file. CloudTrail's are at most 50 MB; what unpacks to more than this is made to harm.
const CONTENT_MAX: u64 = 1 << 30;

/// Takes a file's name and content, and notes what it cannot read of it.
pub(crate) type Each<'e> = dyn FnMut(&str, &[u8], &mut Vec<Problem>) + 'e;

/// Hands the content of every file below `paths` to `each`, with the file's name, and returns what could not be
/// read. Folders are walked in order of names; links to files are followed, links to folders are not.
pub(crate) fn each_file(paths: &[PathBuf], each: &mut Each<'_>) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut files = Vec::new();
    for path in paths {
        walk(path, false, &mut files, &mut problems);
    }
    let mut seen = BTreeSet::new();
    // A file that is named twice is read once; standard input has no name.
    files.retain(|(path, _)| seen.insert(fs::canonicalize(path).unwrap_or_else(|_| path.clone())));
    let bar = progress(files.iter().map(|(_, size)| size).sum());
    for (path, size) in files {
        let name = path.display().to_string();
        match read(&path) {
            Ok((bytes, complete)) => {
                each(&name, &bytes, &mut problems);
                if let Err(reason) = complete {
                    problems.push(Problem { file: name, offset: Some(bytes.len()), reason });
                }
            }
            Err(error) => problems.push(Problem { file: name, offset: None, reason: error.to_string() }),
        }
        bar.inc(size);
    }
    bar.finish_and_clear();
    problems
}

/// Hands the text of every event below `paths` to `each`, which says what is wrong with it. Returns everything that could not be
/// read, by file and place.
pub(crate) fn each_event(
    paths: &[PathBuf],
    each: &mut dyn FnMut(&str) -> Result<(), String>,
) -> Vec<Problem> {
    let mut problems = each_file(paths, &mut |file, bytes, problems| {
        input::read(bytes, &mut |found| {
            let taken = found
                .map_err(|error| (error.offset, error.reason))
                .and_then(|document| each(&document.text).map_err(|reason| (document.offset, reason)));
            if let Err((offset, reason)) = taken {
                problems.push(Problem { file: file.to_owned(), offset: Some(offset), reason });
            }
        });
    });
    problems.sort();
    problems
}

/// One whole file, unpacked if it is gzip; `-` is standard input. The second part says why it is not complete, if so.
pub(crate) fn read(path: &Path) -> io::Result<(Vec<u8>, Result<(), String>)> {
    let (bytes, complete) =
        if path == Path::new("-") { bounded(io::stdin().lock()) } else { bounded(fs::File::open(path)?) };
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        // What could be read before an error is worth nothing if that is nothing.
        return if bytes.is_empty() {
            complete.map(|()| (bytes, Ok(())))
        } else {
            Ok((bytes, notified(complete)))
        };
    }
    let (unpacked, complete) = bounded(MultiGzDecoder::new(bytes.as_slice()));
    Ok((unpacked, complete.map_err(|error| format!("gzip: {error}; what comes before was read"))))
}

/// Reads until the end or an error, but not without end; what was read before an error is kept.
fn bounded(from: impl Read) -> (Vec<u8>, io::Result<()>) {
    let mut bytes = Vec::new();
    let done = from.take(CONTENT_MAX).read_to_end(&mut bytes).and_then(|size| {
        let full = size as u64 == CONTENT_MAX;
        if full { Err(io::Error::other("more than 1 GiB; the rest was not read")) } else { Ok(()) }
    });
    (bytes, done)
}

fn notified(complete: io::Result<()>) -> Result<(), String> {
    complete.map_err(|error| error.to_string())
}

fn walk(path: &Path, nested: bool, files: &mut Vec<(PathBuf, u64)>, problems: &mut Vec<Problem>) {
    let mut problem = |path: &Path, reason: String| {
        problems.push(Problem { file: path.display().to_string(), offset: None, reason });
    };
    if path == Path::new("-") {
        files.push((path.to_owned(), 0));
        return;
    }
    let entries = match fs::metadata(path) {
        // Reading a pipe or a device that somebody left in a folder could take for ever.
        Ok(meta) if !meta.is_dir() && !meta.is_file() && nested => {
            return problem(path, "neither a file nor a folder".to_owned());
        }
        Ok(meta) if meta.is_dir() && nested && path.is_symlink() => {
            return problem(path, "a link to a folder; name the folder itself".to_owned());
        }
        Ok(meta) if meta.is_dir() => fs::read_dir(path).and_then(Iterator::collect::<io::Result<Vec<_>>>),
        Ok(meta) => {
            files.push((path.to_owned(), meta.len()));
            return;
        }
        Err(error) => return problem(path, error.to_string()),
    };
    let mut entries = match entries {
        Ok(entries) => entries,
        Err(error) => return problem(path, error.to_string()),
    };
    entries.sort_by_key(fs::DirEntry::file_name);
    let is_case = entries.iter().any(|entry| entry.file_name() == "about.json");
    for entry in entries {
        let (name, path) = (entry.file_name(), entry.path());
        let companion = is_case && COMPANIONS.iter().any(|companion| name == *companion);
        if !companion && name != "CloudTrail-Digest" {
            walk(&path, true, files, problems);
        }
    }
}

/// What lies beside the events of a fixture.
pub(crate) const COMPANIONS: [&str; 3] = ["about.json", "facts.json", "expected.json"];

/// A bar on a terminal, nothing in a pipe.
fn progress(total: u64) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::hidden());
    // Small inputs are done before a bar could be read.
    if io::stderr().is_terminal() && total > 8 << 20 {
        bar.set_draw_target(ProgressDrawTarget::stderr());
        if let Ok(style) =
            ProgressStyle::with_template("{bar:40} {bytes}/{total_bytes} {bytes_per_sec} {eta}")
        {
            bar.set_style(style);
        }
    }
    bar
}
