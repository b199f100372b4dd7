//! Messages for a person beside the output, on standard error.

use std::collections::BTreeMap;
use std::io::{self, Write as _};

use responder_audit::input::InputProblem;
use responder_core::text::Untrusted;

/// How many characters a line of a message may have.
const MESSAGE_LINE_LENGTH_MAX: usize = 2_000;

/// How many characters of the name of a file are shown.
const FILE_NAME_LENGTH_MAX: usize = 160;

/// Prints a message on standard error. A closed standard error is no reason to fail.
pub(crate) fn warn(message: &str) {
    let lines: Vec<String> =
        message.lines().map(|line| Untrusted::new(line).show(MESSAGE_LINE_LENGTH_MAX)).collect();
    let _ = writeln!(io::stderr(), "replay: {}", lines.join("\n"));
}

/// Prints a message about the parts of the input that could not be read: one for all parts of a file with one fault.
pub(crate) fn warn_of_problems(problems: &[InputProblem]) {
    let mut groups: Vec<(&InputProblem, usize)> = Vec::new();
    let mut places: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for problem in problems {
        let place = *places.entry((&problem.file, &problem.reason)).or_insert(groups.len());
        match groups.get_mut(place) {
            Some((_, count)) => *count += 1,
            None => groups.push((problem, 1)),
        }
    }
    for (first, count) in groups {
        let message = describe_problem(first);
        match count {
            1 => warn(&message),
            _ => warn(&format!("{message} (and {} more like it in this file)", count - 1)),
        }
    }
}

/// Describes a part of the input that could not be read, in one line.
pub(crate) fn describe_problem(problem: &InputProblem) -> String {
    let file = Untrusted::new(&*problem.file).show(FILE_NAME_LENGTH_MAX);
    match problem.offset {
        Some(offset) => format!("{file}: byte {offset}: {}", problem.reason),
        None => format!("{file}: {}", problem.reason),
    }
}
