//! How a POSIX shell splits a command into words ("Token Recognition" and "Quoting" of the Shell Command Language): as much of it as commands in
//! pages may use.

/// A command in words.
#[derive(Debug)]
pub(crate) struct Split {
    /// The words, without their quotes.
    pub(crate) words: Vec<String>,
    /// What the shell would do more than split, in order: expansions, operators, patterns, comments.
    pub(crate) special: String,
}

/// Splits a command; `None` if its quotes do not end.
pub(crate) fn split(command: &str) -> Option<Split> {
    let (mut words, mut word, mut special) = (Vec::new(), None::<String>, String::new());
    let mut chars = command.chars();
    while let Some(c) = chars.next() {
        match c {
            ' ' | '\t' => words.extend(word.take()),
            '\'' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next()? {
                        '\'' => break,
                        c => word.push(c),
                    }
                }
            }
            '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next()? {
                        '"' => break,
                        '\\' => match chars.next()? {
                            c @ ('$' | '`' | '"' | '\\') => word.push(c),
                            // History would be expanded here by an interactive shell.
                            c => word.extend(['\\', c]),
                        },
                        c => {
                            if matches!(c, '$' | '`' | '!') {
                                special.push(c);
                            }
                            word.push(c);
                        }
                    }
                }
            }
            '\\' => word.get_or_insert_default().push(chars.next()?),
            c => {
                // `{`, `}`, `[` and `]` are judged by what the templates have.
                let acts = "$`;&|<>()*?!~\n".contains(c) || c == '#' && word.is_none();
                special.extend(Some(c).filter(|_| acts));
                word.get_or_insert_default().push(c);
            }
        }
    }
    words.extend(word);
    Some(Split { words, special })
}

/// Whether a command has the words of a template, with anything in the places of its placeholders.
pub(crate) fn is_instance(found: &Split, template: &Split) -> bool {
    found.words.len() == template.words.len()
        && found.words.iter().zip(&template.words).all(|(word, template)| fits(word, template))
}

fn fits(word: &str, template: &str) -> bool {
    let Some((before, rest)) = template.split_once('{').filter(|(_, rest)| is_placeholder(rest)) else {
        return word == template;
    };
    let Some(word) = word.strip_prefix(before) else { return false };
    let after = rest.split_once('}').map_or("", |(_, after)| after);
    let mut places = word.char_indices().map(|(place, _)| place).chain([word.len()]);
    places.any(|place| fits(&word[place..], after))
}

fn is_placeholder(rest: &str) -> bool {
    let name = rest.split_once('}').map(|(name, _)| name);
    name.is_some_and(|name| responder_core::rules::PLACEHOLDERS.contains(&name))
}
