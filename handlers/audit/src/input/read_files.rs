//! Reads every file below some paths and hands its content, or the events in it, to a visitor.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::beside_kind::BesideKind;
use super::coverage::InputCoverage;
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

/// What a pass over the input found beside the events that it handed on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InputReading {
    /// The parts that could not be read, by file and position.
    pub problems: Vec<InputProblem>,
    /// What was looked at.
    pub coverage: InputCoverage,
}

/// Hands the content of every file below `paths` to `visit`, with the name of the file, and what was looked at so far.
/// `visit` returns the parts of the content that it cannot use.
///
/// A path that cannot be read does not stop the others. The problems come by file and position.
pub fn read_files(
    paths: &[PathBuf],
    progress: &mut dyn ReadProgress,
    visit: &mut ContentVisit<'_>,
) -> InputReading {
    let mut reader = ContentReader::default();
    reader.read_paths(paths, progress, visit);
    reader.reading
}

/// Hands every event below `paths` to `visit`, which returns an error about an event that it cannot use.
pub fn read_events(
    paths: &[PathBuf],
    progress: &mut dyn ReadProgress,
    visit: &mut EventVisit<'_>,
) -> InputReading {
    read_files(paths, progress, &mut |name, bytes, coverage| {
        read_content_events(name, bytes, coverage, visit)
    })
}

/// An event of the input, and where it was found.
#[derive(Clone, Copy, Debug)]
pub struct LocatedEvent<'e> {
    /// The event, as the text of an EventBridge event.
    pub text: &'e str,
    /// The name of its file.
    pub file: &'e str,
}

/// Uses one event. Returns an error about an event that it cannot use.
pub type EventVisit<'v> = dyn FnMut(&LocatedEvent<'_>) -> Result<(), String> + 'v;

/// Uses one content, with its name. Returns the parts that it cannot use.
pub type ContentVisit<'v> = dyn FnMut(&str, &[u8], &mut InputCoverage) -> Vec<ContentProblem> + 'v;

/// Reads one content after the other.
#[derive(Default)]
struct ContentReader {
    reading: InputReading,
}

impl ContentReader {
    fn read_paths(
        &mut self,
        paths: &[PathBuf],
        progress: &mut dyn ReadProgress,
        visit: &mut ContentVisit<'_>,
    ) {
        let list = FileList::collect(paths);
        self.reading.problems.extend(list.problems);
        self.reading.coverage.add_beside(BesideKind::Digest, list.digests);
        progress.start(list.files.iter().map(|file| file.size).sum());
        for file in list.files {
            let read = visit_contents(&file.path, &mut |content| self.read_content(content, visit));
            if let Err(error) = read {
                let problem = InputProblem::of_file(file.path.display().to_string(), error.to_string());
                self.reading.problems.push(problem);
            }
            progress.advance(file.size);
        }
        progress.finish();
        self.reading.problems.sort();
    }

    /// Hands on one content, unless its name shows that it lies beside events.
    fn read_content(&mut self, content: FileContent, visit: &mut ContentVisit<'_>) {
        let FileContent { name, bytes, cut } = content;
        if let Some(kind) = BesideKind::from_name(&name) {
            return self.reading.coverage.add_beside(kind, 1);
        }
        let mut problems = Vec::new();
        // Of a file that cannot be unpacked at all there is nothing more to say.
        if !bytes.is_empty() || cut.is_none() {
            problems = visit(&name, &bytes, &mut self.reading.coverage);
        }
        if let Some(reason) = cut {
            problems.push(ContentProblem { offset: bytes.len(), reason });
        }
        for problem in problems {
            self.reading.problems.push(InputProblem::in_file(&name, problem));
        }
    }
}

/// Hands on the events of one content of the file `name`. What all records of it lack is one problem.
pub fn read_content_events(
    name: &str,
    bytes: &[u8],
    coverage: &mut InputCoverage,
    visit: &mut EventVisit<'_>,
) -> Vec<ContentProblem> {
    let mut problems = Vec::new();
    let mut missing: BTreeMap<MissingMember, (usize, usize)> = BTreeMap::new();
    let mut events = 0;
    let tally = find_events(bytes, &mut |found| match found {
        Ok(event) => {
            events += 1;
            coverage.add_event(&event.origin);
            if let Some(member) = event.origin.missing {
                let (_, count) = missing.entry(member).or_insert((event.offset, 0));
                *count += 1;
            }
            if let Err(reason) = visit(&LocatedEvent { text: &event.text, file: name }) {
                problems.push(ContentProblem { offset: event.offset, reason });
            }
        }
        Err(problem) => problems.push(problem),
    });
    coverage.add_content(bytes.len(), events, &tally.beside);
    for (member, (offset, count)) in missing {
        let name = member.as_str();
        let effect = member.describe_effect();
        let reason =
            format!("{count} records without `{name}`, from here on: {effect}; export that member as well");
        problems.push(ContentProblem { offset, reason });
    }
    problems
}
