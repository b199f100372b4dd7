//! The file of the events: each event is in it once, however often the lookup is interrupted.
//!
//! Beside a file `FILE` there is `FILE.state` until the lookup is complete: how much of the file counts, and how far each Region was
//! read. A page is written first and counted afterwards. A page that was half written when the doctor died is therefore cut off
//! again.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use responder_core::time::Timestamp;
use serde::{Deserialize, Serialize};

use super::event_lookup::EventLookup;

/// Why events cannot be written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EventFileError {
    /// The file, its state or standard output cannot be written.
    #[error("cannot write {file}: {error}")]
    Write {
        /// The file.
        file: String,
        /// Why it cannot be written.
        error: io::Error,
    },
    /// The state beside the file is of another lookup.
    #[error(
        "{file} belongs to another lookup ({difference}): delete it and its events to begin again, or choose another --out"
    )]
    OtherLookup {
        /// The state file.
        file: String,
        /// In what the lookups differ.
        difference: &'static str,
    },
}

/// An event as `CloudTrail` returns it.
#[derive(Clone, Copy, Debug)]
pub(super) struct TrailEvent<'p> {
    /// Its id.
    pub(super) id: Option<&'p str>,
    /// When it happened, to the second.
    pub(super) at: Option<Timestamp>,
    /// Its record, in JSON.
    pub(super) record: &'p str,
}

/// A file or standard output, and how far the lookup is.
pub(super) struct EventFile {
    output: Box<dyn Write>,
    /// The file and its state file; none for standard output.
    paths: Option<(PathBuf, PathBuf)>,
    progress: LookupProgress,
    /// Whether an earlier lookup was interrupted and goes on here.
    pub(super) is_resumed: bool,
}

/// How far a lookup is: the content of the state file.
#[derive(Debug, Serialize, Deserialize)]
struct LookupProgress {
    account: String,
    #[serde(rename = "wanted")]
    lookup: EventLookup,
    /// How many bytes of the file count.
    #[serde(rename = "length")]
    counted_bytes: u64,
    /// How far each Region and source was read; absent before its first page.
    #[serde(rename = "reached")]
    positions: BTreeMap<String, ReadPosition>,
    /// The Regions and sources that are complete.
    #[serde(rename = "done")]
    complete: BTreeSet<String>,
}

/// The oldest second that was read, and the events of it that were read. Other events of that second may still come.
#[derive(Debug, Serialize, Deserialize)]
struct ReadPosition {
    at: Timestamp,
    ids: BTreeSet<String>,
}

impl EventFile {
    /// Begins a file, or resumes what the same command began.
    pub(super) fn open(
        account: &str,
        lookup: EventLookup,
        file: Option<&Path>,
    ) -> Result<Self, EventFileError> {
        let new = LookupProgress {
            account: account.to_owned(),
            lookup,
            counted_bytes: 0,
            positions: BTreeMap::new(),
            complete: BTreeSet::new(),
        };
        let Some(file) = file else {
            return Ok(Self {
                output: Box::new(io::stdout()),
                paths: None,
                progress: new,
                is_resumed: false,
            });
        };
        let state_file = PathBuf::from(format!("{}.state", file.display()));
        let paths = Some((file.to_owned(), state_file.clone()));
        let Some(progress) = new.read_interrupted(&state_file)? else {
            let output = Box::new(File::create(file).map_err(|error| cannot_write(file, error))?);
            return Ok(Self { output, paths, progress: new, is_resumed: false });
        };
        let output = open_counted_part(file, progress.counted_bytes);
        match output.map_err(|error| cannot_write(file, error))? {
            Some(output) => Ok(Self { output: Box::new(output), paths, progress, is_resumed: true }),
            None => Err(other_lookup(&state_file, "its events are gone")),
        }
    }

    /// The lookup: a resumed one is as it was begun.
    pub(super) fn lookup(&self) -> &EventLookup {
        &self.progress.lookup
    }

    /// Whether all events of a Region and source are written.
    pub(super) fn is_complete(&self, name: &str) -> bool {
        self.progress.complete.contains(name)
    }

    /// The instant up to which a Region and source is still to be read. The second that was reached is read again, as it may have
    /// further events.
    pub(super) fn unread_until(&self, name: &str) -> Timestamp {
        match self.progress.positions.get(name) {
            Some(position) => position.at,
            None => self.progress.lookup.until,
        }
    }

    /// Writes the new events of a page, whose newest event comes first, and then how far that is. Returns the number of new events.
    pub(super) fn write_page(
        &mut self,
        name: &str,
        page: &[TrailEvent<'_>],
        is_last: bool,
    ) -> Result<usize, EventFileError> {
        let position = self.progress.positions.get(name);
        let mut new_events = Vec::new();
        let mut text = String::new();
        for event in page {
            if let (Some(position), Some(id)) = (position, event.id)
                && position.ids.contains(id)
            {
                continue;
            }
            new_events.push(*event);
            // A record is JSON of one line. Should it have several, the replay says that the line is broken.
            text.push_str(&event.record.replace(['\n', '\r'], " "));
            text.push('\n');
        }
        if let Err(error) = self.output.write_all(text.as_bytes()).and_then(|()| self.output.flush()) {
            let file = self.paths.as_ref().map_or(Path::new("standard output"), |(file, _)| file);
            return Err(cannot_write(file, error));
        }
        self.progress.counted_bytes += text.len() as u64;
        self.progress.advance(name, &new_events);
        if is_last {
            self.progress.complete.insert(name.to_owned());
        }
        self.save_state()?;
        Ok(new_events.len())
    }

    /// Removes the state file: the lookup is complete.
    pub(super) fn remove_state(self) -> Result<(), EventFileError> {
        match &self.paths {
            Some((_, state_file)) if state_file.exists() => {
                fs::remove_file(state_file).map_err(|error| cannot_write(state_file, error))
            }
            _ => Ok(()),
        }
    }

    /// Replaces the state file in one step: there is an old or a new state, whenever the doctor dies.
    fn save_state(&self) -> Result<(), EventFileError> {
        let Some((_, state_file)) = &self.paths else { return Ok(()) };
        let new_file = PathBuf::from(format!("{}.new", state_file.display()));
        let saved = serde_json::to_string(&self.progress)
            .map_err(io::Error::from)
            .and_then(|text| fs::write(&new_file, text))
            .and_then(|()| fs::rename(&new_file, state_file));
        saved.map_err(|error| cannot_write(state_file, error))
    }
}

/// Opens a file to append to the part of it that counts; nothing where the file is shorter than that.
fn open_counted_part(file: &Path, counted_bytes: u64) -> io::Result<Option<File>> {
    let output = OpenOptions::new().append(true).create(true).open(file)?;
    if output.metadata()?.len() < counted_bytes {
        return Ok(None);
    }
    output.set_len(counted_bytes)?;
    Ok(Some(output))
}

impl LookupProgress {
    /// The progress of an earlier, interrupted run of the same command; nothing where there is no state file.
    fn read_interrupted(&self, state_file: &Path) -> Result<Option<Self>, EventFileError> {
        let text = match fs::read_to_string(state_file) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(cannot_write(state_file, error)),
        };
        let Ok(interrupted) = serde_json::from_str::<Self>(&text) else {
            return Err(other_lookup(state_file, "it cannot be read"));
        };
        let lookup = &interrupted.lookup;
        if interrupted.account != self.account {
            return Err(other_lookup(state_file, "the account"));
        }
        if lookup.regions != self.lookup.regions || lookup.sources != self.lookup.sources {
            return Err(other_lookup(state_file, "its Regions or sources"));
        }
        // The period is compared as it was typed: `90d` means another instant a minute later. The lookup that goes on keeps the
        // instants with which it began.
        if lookup.typed_period != self.lookup.typed_period {
            return Err(other_lookup(state_file, "--since or --until"));
        }
        Ok(Some(interrupted))
    }

    /// Moves the position of a Region and source back to the oldest of the new events.
    fn advance(&mut self, name: &str, new_events: &[TrailEvent<'_>]) {
        let Some(oldest) = new_events.iter().filter_map(|event| event.at).min() else { return };
        let start = || ReadPosition { at: oldest, ids: BTreeSet::new() };
        let position = self.positions.entry(name.to_owned()).or_insert_with(start);
        if oldest.truncate_to_second() < position.at.truncate_to_second() {
            *position = start();
        }
        position.at = position.at.min(oldest);
        for event in new_events {
            if let (Some(id), Some(at)) = (event.id, event.at)
                && at.truncate_to_second() == position.at.truncate_to_second()
            {
                position.ids.insert(id.to_owned());
            }
        }
    }
}

fn cannot_write(file: &Path, error: io::Error) -> EventFileError {
    EventFileError::Write { file: file.display().to_string(), error }
}

fn other_lookup(state_file: &Path, difference: &'static str) -> EventFileError {
    EventFileError::OtherLookup { file: state_file.display().to_string(), difference }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Events of a busy minute, newest first, several in one second; the number is the id.
    fn history() -> Vec<(String, Timestamp)> {
        let at = |number: i64| Timestamp::from_millis(1_777_000_000_000 - number / 7 * 1_000);
        (0..100).map(|number| (number.to_string(), at(number))).collect()
    }

    fn lookup(typed: &str) -> EventLookup {
        EventLookup {
            typed_period: typed.to_owned(),
            since: Timestamp::from_millis(1_776_000_000_000),
            until: Timestamp::from_millis(1_777_000_000_000),
            sources: vec!["s".to_owned()],
            regions: vec!["r".to_owned()],
        }
    }

    fn temporary_file(name: &str) -> PathBuf {
        let file = std::env::temp_dir().join(format!("doctor-{}-{name}", std::process::id()));
        drop(fs::remove_file(state_file(&file)));
        file
    }

    fn state_file(file: &Path) -> PathBuf {
        PathBuf::from(format!("{}.state", file.display()))
    }

    /// Reads at most `pages` further pages of `size` events; returns whether that was the end.
    fn read_pages(file: &Path, size: usize, pages: usize) -> bool {
        let mut output = EventFile::open("1", lookup("90d"), Some(file)).unwrap();
        let until = output.unread_until("r s");
        let history: Vec<_> = history().into_iter().filter(|(_, at)| *at <= until).collect();
        let all: Vec<TrailEvent<'_>> =
            history.iter().map(|(id, at)| TrailEvent { id: Some(id), at: Some(*at), record: id }).collect();
        let last = all.chunks(size).count();
        for (page, number) in all.chunks(size).zip(1..).take(pages) {
            output.write_page("r s", page, number == last).unwrap();
        }
        let is_done = output.is_complete("r s");
        if is_done {
            output.remove_state().unwrap();
        }
        is_done
    }

    #[test]
    fn every_event_is_written_once_however_often_the_lookup_is_interrupted() {
        let expected: Vec<String> = history().into_iter().map(|(id, _)| id).collect();
        for size in 1..=20 {
            for pages in (1..=12).filter(|pages| size * pages > 7) {
                let file = temporary_file("often");
                let runs = (1..100).find(|_| {
                    let is_done = read_pages(&file, size, pages);
                    // Half a page that the state does not count.
                    let mut torn = OpenOptions::new().append(true).open(&file).unwrap();
                    if !is_done {
                        torn.write_all(b"99\n{\"half").unwrap();
                    }
                    is_done
                });
                assert!(runs.is_some(), "{size} {pages}: it ends");
                let text = fs::read_to_string(&file).unwrap();
                assert_eq!(text.lines().collect::<Vec<_>>(), expected, "{size} {pages}");
                assert!(!state_file(&file).exists());
                fs::remove_file(&file).unwrap();
            }
        }
    }

    #[test]
    fn a_file_that_another_command_began_is_left_alone() {
        let file = temporary_file("other");
        assert!(!read_pages(&file, 10, 2));
        let before = fs::read(&file).unwrap();
        let refused = |account: &str, lookup: EventLookup| match EventFile::open(account, lookup, Some(&file))
        {
            Err(EventFileError::OtherLookup { difference, .. }) => difference,
            _ => "nothing",
        };
        assert_eq!(refused("2", lookup("90d")), "the account");
        assert_eq!(refused("1", lookup("1d")), "--since or --until");
        assert_eq!(
            refused("1", EventLookup { regions: Vec::new(), ..lookup("90d") }),
            "its Regions or sources"
        );
        assert_eq!(fs::read(&file).unwrap(), before);
        fs::write(&file, "").unwrap();
        assert_eq!(refused("1", lookup("90d")), "its events are gone");
        fs::write(state_file(&file), "{").unwrap();
        assert_eq!(refused("1", lookup("90d")), "it cannot be read");
        fs::remove_file(&file).unwrap();
        fs::remove_file(state_file(&file)).unwrap();
    }
}
