//! Commands for a POSIX shell with values from outside in them.

use super::template::TemplatePiece;
use crate::text::Untrusted;

/// The longest value in a command: an ARN has at most 2,048 characters.
const COMMAND_VALUE_MAX_CHARS: usize = 2_048;

/// Puts the values into a command; `None` if one is missing or must not stand in a command.
///
/// A value cannot leave its word, whatever it holds and wherever in quotes its place is.
pub(super) fn quote_command<'v>(
    pieces: &[TemplatePiece<'_>],
    find_value: impl Fn(&str) -> Option<&'v str>,
) -> Option<String> {
    let has_substitution = pieces.iter().any(is_substitution);
    let mut command = String::new();
    let mut quote = QuoteState::Unquoted;
    for piece in pieces {
        let name = match piece {
            TemplatePiece::Text(text) => {
                quote = quote.after_text(text);
                command.push_str(text);
                continue;
            }
            TemplatePiece::Placeholder(name) => name,
        };
        let value = find_value(name)?;
        if !may_stand_in_command(value) {
            return None;
        }
        if needs_no_quotes(value) {
            command.push_str(value);
        } else if has_substitution {
            // Quotes begin anew inside of a substitution.
            return None;
        } else {
            let mark = quote.mark();
            command.extend([mark, &format_quoted(value), mark]);
        }
    }
    Some(command)
}

/// Whether our own words hold a command substitution.
fn is_substitution(piece: &TemplatePiece<'_>) -> bool {
    match piece {
        TemplatePiece::Text(text) => text.contains("$(") || text.contains('`'),
        TemplatePiece::Placeholder(_) => false,
    }
}

/// Whether a value may stand in a command: a person sees it as it is, no option begins like it, and the AWS CLI does not
/// take it for the name of a file to send (`file://`) or of a page to fetch.
fn may_stand_in_command(value: &str) -> bool {
    !value.is_empty()
        && !value.starts_with('-')
        && !value.starts_with('@')
        && Untrusted::new(value).show(COMMAND_VALUE_MAX_CHARS) == value
}

/// Whether every shell reads a value as it is, in quotes or out of them.
fn needs_no_quotes(value: &str) -> bool {
    // At the beginning of a word, zsh replaces `=name` by the path of the command `name`.
    !value.starts_with('=') && value.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_./:@+=,".contains(&b))
}

/// Formats a value as one word, or a part of one.
fn format_quoted(value: &str) -> String {
    format!("'{}'", value.replace('\'', r"'\''"))
}

/// The quotes in which a shell is at some point of a command.
#[derive(Clone, Copy)]
enum QuoteState {
    Unquoted,
    InSingle,
    InDouble,
}

impl QuoteState {
    /// The state after some more text.
    fn after_text(self, text: &str) -> Self {
        let mut state = self;
        let mut chars = text.chars();
        while let Some(c) = chars.next() {
            state = match (state, c) {
                (Self::Unquoted, '\'') => Self::InSingle,
                (Self::Unquoted, '"') => Self::InDouble,
                (Self::InSingle, '\'') | (Self::InDouble, '"') => Self::Unquoted,
                (Self::Unquoted | Self::InDouble, '\\') => {
                    // The next character is escaped.
                    chars.next();
                    state
                }
                _ => state,
            };
        }
        state
    }

    /// The quotation mark that leaves the quotes, and that enters them again.
    fn mark(self) -> &'static str {
        match self {
            Self::Unquoted => "",
            Self::InSingle => "'",
            Self::InDouble => "\"",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::template::split_template;
    use super::quote_command;

    fn quote_with(template: &str, value: &str) -> Option<String> {
        quote_command(&split_template(template), |name| (name == "secret").then_some(value))
    }

    #[test]
    fn a_value_without_special_characters_stands_as_it_is() {
        assert_eq!(quote_with("aws x --id {secret}", "prod/db").unwrap(), "aws x --id prod/db");
        assert_eq!(quote_with("aws x --id {secret}", "rds!db-1").unwrap(), "aws x --id 'rds!db-1'");
    }

    #[test]
    fn quotes_around_the_place_are_left_and_entered_again() {
        let value = "it's $(id)";
        assert_eq!(quote_with("aws x \"a {secret} b\"", value).unwrap(), r#"aws x "a "'it'\''s $(id)'" b""#);
        assert_eq!(quote_with("aws x 'a {secret} b'", value).unwrap(), r"aws x 'a ''it'\''s $(id)'' b'");
        assert_eq!(quote_with("aws x \"$(date {secret})\"", value), None, "quotes begin anew in there");
    }

    #[test]
    fn a_missing_or_deceptive_value_leaves_the_command_out() {
        assert_eq!(quote_with("aws x {secret} {role}", "a"), None);
        for value in
            ["", "a\nb", "a\u{202e}b", "--endpoint-url", "file:///etc/passwd", "fileb://x", "<a>", "@x"]
        {
            assert_eq!(quote_with("aws x {secret}", value), None, "{value:?}");
        }
    }
}
