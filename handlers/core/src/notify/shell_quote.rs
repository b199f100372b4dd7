//! Commands for a POSIX shell with values from outside in them.

use super::placeholders::TemplatePiece;
use crate::text::Untrusted;

/// The longest value in a command: an ARN has at most 2,048 characters.
const MAX: usize = 2_048;

/// A command with its values in place; `None` if one is missing or must not stand in a command.
///
/// A value cannot leave its word, whatever it holds and wherever in quotes its place is.
pub(super) fn command<'v>(
    pieces: &[TemplatePiece<'_>],
    value: impl Fn(&str) -> Option<&'v str>,
) -> Option<String> {
    let nested = pieces
        .iter()
        .any(|piece| matches!(piece, TemplatePiece::Text(text) if text.contains("$(") || text.contains('`')));
    let (mut out, mut quote) = (String::new(), QuoteState::None);
    for piece in pieces {
        match piece {
            TemplatePiece::Text(text) => {
                quote = quote.after(text);
                out.push_str(text);
            }
            TemplatePiece::Name(name) => {
                let value = value(name).filter(|value| is_fit(value))?;
                if is_plain(value) {
                    out.push_str(value);
                } else if nested {
                    // Quotes begin anew inside of a substitution.
                    return None;
                } else {
                    let (leave, enter) = quote.observations();
                    out.extend([leave, &quoted(value), enter]);
                }
            }
        }
    }
    Some(out)
}

/// Whether a value may stand in a command: a person sees it as it is, no option begins like it, and the AWS CLI does not
/// take it for the name of a file to send (`file://`) or of a page to fetch.
fn is_fit(value: &str) -> bool {
    !value.is_empty()
        && !value.starts_with('-')
        && !value.starts_with('@')
        && Untrusted::new(value).show(MAX) == value
}

/// Whether no shell reads a value otherwise than it is, in quotes or out of them.
fn is_plain(value: &str) -> bool {
    // At the beginning of a word, zsh takes `=` for a command's place.
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_./:@+=,".contains(&b);
    value.bytes().all(plain) && !value.starts_with('=')
}

/// The value as one word, or a part of one.
fn quoted(value: &str) -> String {
    format!("'{}'", value.replace('\'', r"'\''"))
}

/// What a shell is in.
#[derive(Clone, Copy)]
enum QuoteState {
    None,
    Single,
    Double,
}

impl QuoteState {
    fn after(self, text: &str) -> Self {
        let (mut now, mut chars) = (self, text.chars());
        while let Some(c) = chars.next() {
            now = match (now, c) {
                (Self::None, '\'') => Self::Single,
                (Self::None, '"') => Self::Double,
                (Self::Single, '\'') | (Self::Double, '"') => Self::None,
                (Self::None | Self::Double, '\\') => {
                    chars.next();
                    now
                }
                _ => now,
            };
        }
        now
    }

    /// How to leave the quotes, and how to get back into them.
    fn observations(self) -> (&'static str, &'static str) {
        match self {
            Self::None => ("", ""),
            Self::Single => ("'", "'"),
            Self::Double => ("\"", "\""),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::placeholders::pieces;
    use super::command;

    fn with(template: &str, value: &str) -> Option<String> {
        command(&pieces(template), |name| (name == "secret").then_some(value))
    }

    #[test]
    fn what_no_shell_reads_otherwise_stands_as_it_is() {
        assert_eq!(with("aws x --id {secret}", "prod/db").unwrap(), "aws x --id prod/db");
        assert_eq!(with("aws x --id {secret}", "rds!db-1").unwrap(), "aws x --id 'rds!db-1'");
    }

    #[test]
    fn quotes_around_the_place_are_left_and_entered_again() {
        let value = "it's $(id)";
        assert_eq!(with("aws x \"a {secret} b\"", value).unwrap(), r#"aws x "a "'it'\''s $(id)'" b""#);
        assert_eq!(with("aws x 'a {secret} b'", value).unwrap(), r"aws x 'a ''it'\''s $(id)'' b'");
        assert_eq!(with("aws x \"$(date {secret})\"", value), None, "quotes begin anew in there");
    }

    #[test]
    fn what_is_missing_or_not_as_it_seems_leaves_the_command_out() {
        assert_eq!(with("aws x {secret} {role}", "a"), None);
        for value in
            ["", "a\nb", "a\u{202e}b", "--endpoint-url", "file:///etc/passwd", "fileb://x", "<a>", "@x"]
        {
            assert_eq!(with("aws x {secret}", value), None, "{value:?}");
        }
    }
}
