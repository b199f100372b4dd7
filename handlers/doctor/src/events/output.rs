//! Where the events go: every one once, however often the lookup is interrupted.
//!
//! Beside a file `FILE` there is `FILE.state` until all is done: how much of the file counts, and how far each Region was read. A
//! page is written first and counted then, so that a page that was half written when the doctor died is cut off again.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use responder_core::time::Timestamp;
use serde::{Deserialize, Serialize};

use super::{EventsError, Wanted};

/// An event as `CloudTrail` hands it out.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found<'p> {
    /// Its id.
    pub(super) id: Option<&'p str>,
    /// When it happened, to the second.
    pub(super) at: Option<Timestamp>,
    /// Its record, in JSON.
    pub(super) record: &'p str,
}

/// A file or standard output, and how far it is.
pub(super) struct Output {
    to: Box<dyn Write>,
    /// The file and its state's; none for standard output.
    files: Option<(PathBuf, PathBuf)>,
    state: State,
    /// Whether it goes on where an earlier lookup was interrupted.
    pub(super) resumed: bool,
}

/// How far a lookup is.
#[derive(Debug, Serialize, Deserialize)]
struct State {
    account: String,
    wanted: Wanted,
    /// How many bytes of the file count.
    length: u64,
    /// Up to where each Region and source was read; absent before the first page.
    reached: BTreeMap<String, Reached>,
    /// The Regions and sources that are done.
    done: BTreeSet<String>,
}

/// The oldest second that was read, and which of its events.
#[derive(Debug, Serialize, Deserialize)]
struct Reached {
    at: Timestamp,
    ids: BTreeSet<String>,
}

impl Output {
    /// Begins, or goes on with what the same command began.
    pub(super) fn open(account: &str, wanted: Wanted, file: Option<&Path>) -> Result<Self, EventsError> {
        let (reached, done) = (BTreeMap::new(), BTreeSet::new());
        let fresh = State { account: account.to_owned(), wanted, length: 0, reached, done };
        let Some(file) = file else {
            return Ok(Self { to: Box::new(io::stdout()), files: None, state: fresh, resumed: false });
        };
        let beside = PathBuf::from(format!("{}.state", file.display()));
        let failed = |error| EventsError::Output { file: file.display().to_string(), error };
        let files = Some((file.to_owned(), beside.clone()));
        let Some(state) = fresh.begun(&beside)? else {
            let to = Box::new(File::create(file).map_err(failed)?);
            return Ok(Self { to, files, state: fresh, resumed: false });
        };
        let to = OpenOptions::new().append(true).create(true).open(file).map_err(failed)?;
        if to.metadata().map_err(failed)?.len() < state.length {
            return Err(other(&beside, "its events are gone"));
        }
        to.set_len(state.length).map_err(failed)?;
        Ok(Self { to: Box::new(to), files, state, resumed: true })
    }

    /// What is looked up.
    pub(super) fn wanted(&self) -> &Wanted {
        &self.state.wanted
    }

    /// Whether a Region and source is done.
    pub(super) fn is_done(&self, name: &str) -> bool {
        self.state.done.contains(name)
    }

    /// Until when a Region and source is still to be read: the second that was reached comes again, as it may go on.
    pub(super) fn until(&self, name: &str) -> Timestamp {
        self.state.reached.get(name).map_or(self.state.wanted.until, |reached| reached.at)
    }

    /// Writes what is new of a page, newest first, and then how far that is; gives the number of new events back.
    pub(super) fn write(
        &mut self,
        name: &str,
        page: &[Found<'_>],
        is_last: bool,
    ) -> Result<usize, EventsError> {
        let reached = self.state.reached.get(name);
        let is_new = |found: &&Found<'_>| {
            found.id.is_none_or(|id| reached.is_none_or(|reached| !reached.ids.contains(id)))
        };
        let new: Vec<Found<'_>> = page.iter().filter(is_new).copied().collect();
        let mut text = String::new();
        for found in &new {
            // JSON of one line; should it not be, the line says that it is broken when it is read.
            text.push_str(&found.record.replace(['\n', '\r'], " "));
            text.push('\n');
        }
        self.to
            .write_all(text.as_bytes())
            .and_then(|()| self.to.flush())
            .map_err(|error| self.failed(error))?;
        self.state.length += text.len() as u64;
        self.state.reach(name, &new);
        if is_last {
            self.state.done.insert(name.to_owned());
        }
        self.save()?;
        Ok(new.len())
    }

    /// All was read: nothing is left to go on with.
    pub(super) fn finish(self) -> Result<(), EventsError> {
        match &self.files {
            Some((_, beside)) if beside.exists() => fs::remove_file(beside)
                .map_err(|error| EventsError::Output { file: beside.display().to_string(), error }),
            _ => Ok(()),
        }
    }

    /// In one step, so that there is an old or a new state whenever the doctor dies.
    fn save(&self) -> Result<(), EventsError> {
        let Some((_, beside)) = &self.files else { return Ok(()) };
        let failed = |error| EventsError::Output { file: beside.display().to_string(), error };
        let text = serde_json::to_string(&self.state).map_err(|error| failed(error.into()))?;
        let new = PathBuf::from(format!("{}.new", beside.display()));
        fs::write(&new, text).and_then(|()| fs::rename(&new, beside)).map_err(failed)
    }

    fn failed(&self, error: io::Error) -> EventsError {
        let file =
            self.files.as_ref().map_or("standard output".to_owned(), |(file, _)| file.display().to_string());
        EventsError::Output { file, error }
    }
}

impl State {
    /// What the same command began and did not finish.
    fn begun(&self, beside: &Path) -> Result<Option<Self>, EventsError> {
        let text = match fs::read_to_string(beside) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(EventsError::Output { file: beside.display().to_string(), error }),
        };
        let Ok(begun) = serde_json::from_str::<Self>(&text) else {
            return Err(other(beside, "it cannot be read"));
        };
        if begun.account != self.account {
            return Err(other(beside, "the account"));
        }
        if (&begun.wanted.regions, &begun.wanted.sources) != (&self.wanted.regions, &self.wanted.sources) {
            return Err(other(beside, "its Regions or sources"));
        }
        // As it was typed: `90d` means another instant a minute later, and what was begun is finished.
        if begun.wanted.asked != self.wanted.asked {
            return Err(other(beside, "--since or --until"));
        }
        Ok(Some(begun))
    }

    fn reach(&mut self, name: &str, new: &[Found<'_>]) {
        let Some(oldest) = new.iter().filter_map(|found| found.at).min() else { return };
        let fresh = || Reached { at: oldest, ids: BTreeSet::new() };
        let reached = self.reached.entry(name.to_owned()).or_insert_with(fresh);
        if oldest.truncate_to_second() < reached.at.truncate_to_second() {
            *reached = fresh();
        }
        reached.at = reached.at.min(oldest);
        let second = reached.at.truncate_to_second();
        let same = new.iter().filter(|found| found.at.is_some_and(|at| at.truncate_to_second() == second));
        reached.ids.extend(same.filter_map(|found| found.id).map(str::to_owned));
    }
}

fn other(beside: &Path, what: &'static str) -> EventsError {
    EventsError::Other { file: beside.display().to_string(), what }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Events of a busy minute, newest first, several in one second; the number is the id.
    fn history() -> Vec<(String, Timestamp)> {
        let at = |number: i64| Timestamp::from_millis(1_777_000_000_000 - number / 7 * 1_000);
        (0..100).map(|number| (number.to_string(), at(number))).collect()
    }

    fn wanted(asked: &str) -> Wanted {
        Wanted {
            asked: asked.to_owned(),
            since: Timestamp::from_millis(1_776_000_000_000),
            until: Timestamp::from_millis(1_777_000_000_000),
            sources: vec!["s".to_owned()],
            regions: vec!["r".to_owned()],
        }
    }

    fn file(name: &str) -> PathBuf {
        let file = std::env::temp_dir().join(format!("doctor-{}-{name}", std::process::id()));
        drop(fs::remove_file(beside(&file)));
        file
    }

    fn beside(file: &Path) -> PathBuf {
        PathBuf::from(format!("{}.state", file.display()))
    }

    /// Reads on, in pages of `size`, for no more than `pages`; whether that was the end.
    fn read(file: &Path, size: usize, pages: usize) -> bool {
        let mut output = Output::open("1", wanted("90d"), Some(file)).unwrap();
        let until = output.until("r s");
        let history: Vec<_> = history().into_iter().filter(|(_, at)| *at <= until).collect();
        let all: Vec<Found<'_>> =
            history.iter().map(|(id, at)| Found { id: Some(id), at: Some(*at), record: id }).collect();
        let last = all.chunks(size).count();
        for (page, number) in all.chunks(size).zip(1..).take(pages) {
            output.write("r s", page, number == last).unwrap();
        }
        let is_done = output.is_done("r s");
        if is_done {
            output.finish().unwrap();
        }
        is_done
    }

    #[test]
    fn however_often_it_is_interrupted_every_event_is_there_once() {
        let expected: Vec<String> = history().into_iter().map(|(id, _)| id).collect();
        for size in 1..=20 {
            for pages in (1..=12).filter(|pages| size * pages > 7) {
                let file = file("often");
                let runs = (1..100).find(|_| {
                    let is_done = read(&file, size, pages);
                    // Half a page, of which the state knows nothing.
                    let mut torn = OpenOptions::new().append(true).open(&file).unwrap();
                    if !is_done {
                        torn.write_all(b"99\n{\"half").unwrap();
                    }
                    is_done
                });
                assert!(runs.is_some(), "{size} {pages}: it ends");
                let text = fs::read_to_string(&file).unwrap();
                assert_eq!(text.lines().collect::<Vec<_>>(), expected, "{size} {pages}");
                assert!(!beside(&file).exists());
                fs::remove_file(&file).unwrap();
            }
        }
    }

    #[test]
    fn what_another_command_began_is_left_alone() {
        let file = file("other");
        assert!(!read(&file, 10, 2));
        let before = fs::read(&file).unwrap();
        let refused = |account: &str, wanted: Wanted| match Output::open(account, wanted, Some(&file)) {
            Err(EventsError::Other { what, .. }) => what,
            _ => "nothing",
        };
        assert_eq!(refused("2", wanted("90d")), "the account");
        assert_eq!(refused("1", wanted("1d")), "--since or --until");
        assert_eq!(refused("1", Wanted { regions: Vec::new(), ..wanted("90d") }), "its Regions or sources");
        assert_eq!(fs::read(&file).unwrap(), before);
        fs::write(&file, "").unwrap();
        assert_eq!(refused("1", wanted("90d")), "its events are gone");
        fs::write(beside(&file), "{").unwrap();
        assert_eq!(refused("1", wanted("90d")), "it cannot be read");
        fs::remove_file(&file).unwrap();
        fs::remove_file(beside(&file)).unwrap();
    }
}
