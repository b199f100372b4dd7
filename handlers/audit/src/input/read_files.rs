//! Reads every file below some paths and hands its content, or the events in it, to a visitor.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::beside_kind::BesideKind;
use super::event_origin::MissingMember;
use super::event_scanner::find_events;
use super::file_content::FileContent;
use super::file_list::FileList;
use super::input_problem::{ContentProblem, InputProblem};
use super::read_content::visit_contents;

/// Is called as the input is read, so that a person can see how far it is.
pub trait ReadProgress {
    /// Reading begins. The files have so many bytes on disk, all together.
    fn start(&mut self, total_bytes: u64);
    /// A file of so many bytes on disk has been read.
    fn advance(&mut self, bytes: u64);
    /// Everything has been read.
    fn finish(&mut self);
}

/// Shows no progress.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoProgress;

impl ReadProgress for NoProgress {
    fn start(&mut self, _total_bytes: u64) {}
    fn advance(&mut self, _bytes: u64) {}
    fn finish(&mut self) {}
}

/// Hands the content of every file below `paths` to `visit`, with the name of the file. `visit` returns the parts of
/// the content that it cannot use.
///
/// A path that cannot be read does not stop the others. Returns all problems, by file and position.
pub fn read_files(
    paths: &[PathBuf],
    progress: &mut dyn ReadProgress,
    visit: &mut dyn FnMut(&str, &[u8]) -> Vec<ContentProblem>,
) -> Vec<InputProblem> {
    let FileList { files, mut problems } = FileList::collect(paths);
    progress.start(files.iter().map(|file| file.size).sum());
    for file in files {
        let read = visit_contents(&file.path, &mut |content| visit_content(content, visit, &mut problems));
        if let Err(error) = read {
            problems.push(InputProblem::of_file(file.path.display().to_string(), error.to_string()));
        }
        progress.advance(file.size);
    }
    progress.finish();
    problems.sort();
    problems
}

/// Hands on one content, unless its name shows that it lies beside events.
fn visit_content(
    content: FileContent,
    visit: &mut dyn FnMut(&str, &[u8]) -> Vec<ContentProblem>,
    problems: &mut Vec<InputProblem>,
) {
    let FileContent { name, bytes, cut } = content;
    if BesideKind::from_name(&name).is_some() {
        return;
    }
    // Of a file that cannot be unpacked at all there is nothing more to say.
    if !bytes.is_empty() || cut.is_none() {
        for problem in visit(&name, &bytes) {
            problems.push(InputProblem::in_file(&name, problem));
        }
    }
    if let Some(reason) = cut {
        problems.push(InputProblem::in_file(&name, ContentProblem { offset: bytes.len(), reason }));
    }
}

/// Hands the text of every event below `paths` to `visit`, which returns an error about an event that it cannot use.
///
/// Returns all problems, by file and position.
pub fn read_events(
    paths: &[PathBuf],
    progress: &mut dyn ReadProgress,
    visit: &mut dyn FnMut(&str) -> Result<(), String>,
) -> Vec<InputProblem> {
    read_files(paths, progress, &mut |_, bytes| {
        let mut problems = Vec::new();
        let mut missing: BTreeMap<MissingMember, (usize, usize)> = BTreeMap::new();
        find_events(bytes, &mut |found| match found {
            Ok(event) => {
                if let Some(member) = event.origin.missing {
                    let (_, count) = missing.entry(member).or_insert((event.offset, 0));
                    *count += 1;
                }
                if let Err(reason) = visit(&event.text) {
                    problems.push(ContentProblem { offset: event.offset, reason });
                }
            }
            Err(problem) => problems.push(problem),
        });
        for (member, (offset, count)) in missing {
            let reason = format!(
                "{count} records without `{}`, from here on: {}; export that member as well",
                member.as_str(),
                member.describe_effect()
            );
            problems.push(ContentProblem { offset, reason });
        }
        problems
    })
}
