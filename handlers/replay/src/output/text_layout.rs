//! The layout of a text report: narrow and short on a terminal, whole in a pipe.

use std::io::{self, IsTerminal as _, Write};

/// The width of a terminal that every line fits.
const TERMINAL_COLUMNS: usize = 80;
/// The height of a terminal: how many lines of details it shows.
const TERMINAL_LINES: usize = 24;

/// How wide a text report may be, and how many lines of details it may have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct TextLayout {
    /// The longest line; without it lines are as long as they are.
    pub(crate) columns: Option<usize>,
    /// The most lines of details; without it all details are shown.
    pub(crate) detail_lines: Option<usize>,
}

impl TextLayout {
    /// The layout for standard output: whole if it is no terminal, and with all details if `shows_all`.
    pub(crate) fn for_output(shows_all: bool) -> Self {
        if !io::stdout().is_terminal() {
            return Self::default();
        }
        let detail_lines = if shows_all { None } else { Some(TERMINAL_LINES) };
        Self { columns: Some(TERMINAL_COLUMNS), detail_lines }
    }

    /// Folds lines that are too long at a space, else where they end. The rest is indented more than the line.
    pub(crate) fn fold(self, text: &str) -> Vec<String> {
        let mut lines = Vec::new();
        for line in text.lines() {
            match self.columns {
                Some(columns) => fold_line(line, columns, &mut lines),
                None => lines.push(line.to_owned()),
            }
        }
        lines
    }

    /// Writes a text, folded.
    pub(crate) fn write(self, text: &str, out: &mut impl Write) -> io::Result<()> {
        for line in self.fold(text) {
            writeln!(out, "{line}")?;
        }
        Ok(())
    }

    /// Returns how many of some texts fit, from the first one on: at least one, if there is one.
    pub(crate) fn count_fitting(self, texts: &[String]) -> usize {
        let Some(lines_max) = self.detail_lines else { return texts.len() };
        let mut lines = 0;
        for (index, text) in texts.iter().enumerate() {
            lines += self.fold(text).len();
            if lines > lines_max {
                return index.max(1);
            }
        }
        texts.len()
    }
}

fn fold_line(line: &str, columns: usize, lines: &mut Vec<String>) {
    let indent = line.chars().take_while(|c| *c == ' ').count().min(columns / 2);
    let indent = " ".repeat(indent + 2);
    let mut rest: Vec<char> = line.chars().collect();
    while rest.len() > columns {
        // A space within the indentation is no place to fold.
        let space = rest.iter().take(columns + 1).rposition(|c| *c == ' ').filter(|at| *at > indent.len());
        let end = space.unwrap_or(columns);
        let head: String = rest.iter().take(end).collect();
        lines.push(head.trim_end().to_owned());
        let tail: String = rest.iter().skip(end).collect();
        rest = indent.chars().chain(tail.trim_start().chars()).collect();
    }
    lines.push(rest.into_iter().collect());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_are_folded_at_a_space_or_where_they_end_and_nothing_is_lost() {
        let layout = TextLayout { columns: Some(12), detail_lines: None };
        assert_eq!(layout.fold("short\n\n  also short"), ["short", "", "  also short"]);
        assert_eq!(layout.fold("  one two three four"), ["  one two", "    three", "    four"]);
        assert_eq!(layout.fold("0123456789abcdef"), ["0123456789ab", "  cdef"]);
        assert_eq!(TextLayout::default().fold("0123456789abcdef"), ["0123456789abcdef"]);
    }

    #[test]
    fn texts_are_shown_as_long_as_they_fit_and_the_first_always() {
        let texts = ["a\nb".to_owned(), "c".to_owned(), "d".to_owned()];
        let count = |lines| TextLayout { columns: None, detail_lines: Some(lines) }.count_fitting(&texts);
        assert_eq!([count(1), count(2), count(3), count(4)], [1, 1, 2, 3]);
        assert_eq!(TextLayout::default().count_fitting(&texts), 3);
        assert_eq!(TextLayout::default().count_fitting(&[]), 0);
    }
}
