//! Output that all commands share: JSON lines, text tables, warnings, progress.

mod json_lines;
mod progress_bar;
mod report_header;
mod text_layout;
mod text_table;
mod warnings;

pub(crate) use json_lines::{JsonLines, write_json};
pub(crate) use progress_bar::TerminalProgress;
pub(crate) use report_header::ReportHeader;
pub(crate) use text_layout::TextLayout;
pub(crate) use text_table::{write_counts, write_table};
pub(crate) use warnings::{describe_problem, warn, warn_of_problems};
