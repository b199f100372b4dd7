//! How a POSIX shell splits a command into words ("Token Recognition" and "Quoting" of the Shell Command Language): as much of it as commands in
//! pages may use.

use std::str::Chars;

/// A command in words.
#[derive(Debug, Default)]
pub(crate) struct ShellWords {
    /// The words, without their quotes.
    pub(crate) words: Vec<String>,
    /// Every character by which the shell would do more than split, in order: expansions, operators, patterns, comments.
    pub(crate) special: String,
}

/// Splits a command; `None` if its quotes do not end.
pub(crate) fn split_command(command: &str) -> Option<ShellWords> {
    let mut split = ShellWords::default();
    let mut word: Option<String> = None;
    let mut chars = command.chars();
    while let Some(c) = chars.next() {
        match c {
            ' ' | '\t' => split.words.extend(word.take()),
            '\'' => read_single_quoted(&mut chars, word.get_or_insert_default())?,
            '"' => read_double_quoted(&mut chars, word.get_or_insert_default(), &mut split.special)?,
            '\\' => word.get_or_insert_default().push(chars.next()?),
            c => {
                // `{`, `}`, `[` and `]` are judged by the templates.
                let begins_comment = c == '#' && word.is_none();
                if begins_comment || "$`;&|<>()*?!~\n".contains(c) {
                    split.special.push(c);
                }
                word.get_or_insert_default().push(c);
            }
        }
    }
    split.words.extend(word);
    Some(split)
}

fn read_single_quoted(chars: &mut Chars<'_>, word: &mut String) -> Option<()> {
    loop {
        match chars.next()? {
            '\'' => return Some(()),
            c => word.push(c),
        }
    }
}

fn read_double_quoted(chars: &mut Chars<'_>, word: &mut String, special: &mut String) -> Option<()> {
    loop {
        match chars.next()? {
            '"' => return Some(()),
            '\\' => match chars.next()? {
                c @ ('$' | '`' | '"' | '\\') => word.push(c),
                c => word.extend(['\\', c]),
            },
            c => {
                // An interactive shell would expand history at `!`.
                if matches!(c, '$' | '`' | '!') {
                    special.push(c);
                }
                word.push(c);
            }
        }
    }
}

/// Whether a command has the words of a template, with anything in the places of its placeholders.
pub(crate) fn is_instance(found: &ShellWords, template: &ShellWords) -> bool {
    if found.words.len() != template.words.len() {
        return false;
    }
    let mut pairs = found.words.iter().zip(&template.words);
    pairs.all(|(word, template)| fits_template(word, template))
}

/// Whether a word fits one of a template, whose placeholders stand for any text.
fn fits_template(word: &str, template: &str) -> bool {
    let Some((before, rest)) = template.split_once('{') else { return word == template };
    let Some((name, after)) = rest.split_once('}') else { return word == template };
    if !responder_core::rules::is_placeholder(name) {
        return word == template;
    }
    let Some(value) = word.strip_prefix(before) else { return false };
    (0..=value.len()).any(|end| value.is_char_boundary(end) && fits_template(&value[end..], after))
}
