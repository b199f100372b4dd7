//! Names with wildcards: `*` stands for any characters, `?` for one.

/// A name that may hold wildcards. AWS allows neither `*` nor `?` in the name of a secret, a role or a user, so that no
/// name has to be escaped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NamePattern {
    characters: Vec<char>,
}

impl NamePattern {
    pub(super) fn new(text: &str) -> Self {
        Self { characters: text.chars().collect() }
    }

    /// Whether a text holds a wildcard.
    pub(super) fn has_wildcards(text: &str) -> bool {
        text.contains(['*', '?'])
    }

    /// Whether the whole name fits. After a `*`, the shortest text is tried first; if the rest does not fit, the last `*`
    /// takes one character more. An earlier `*` never has to: the time is at most pattern times name.
    pub(super) fn fits(&self, name: &str) -> bool {
        let name: Vec<char> = name.chars().collect();
        let mut name_at = 0;
        let mut pattern_at = 0;
        let mut last_star: Option<(usize, usize)> = None;
        while name_at < name.len() {
            match self.characters.get(pattern_at) {
                Some('*') => {
                    last_star = Some((pattern_at, name_at));
                    pattern_at += 1;
                }
                Some(expected) if *expected == '?' || name.get(name_at) == Some(expected) => {
                    pattern_at += 1;
                    name_at += 1;
                }
                _ => {
                    let Some((star_at, taken_to)) = last_star else { return false };
                    last_star = Some((star_at, taken_to + 1));
                    pattern_at = star_at + 1;
                    name_at = taken_to + 1;
                }
            }
        }
        self.characters.iter().skip(pattern_at).all(|rest| *rest == '*')
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The definition, without regard for time.
    fn fits_by_definition(pattern: &[char], name: &[char]) -> bool {
        match (pattern, name) {
            ([], []) => true,
            (['*', rest @ ..], _) => (0..=name.len()).any(|taken| fits_by_definition(rest, &name[taken..])),
            (['?', rest @ ..], [_, after @ ..]) => fits_by_definition(rest, after),
            ([first, rest @ ..], [same, after @ ..]) => first == same && fits_by_definition(rest, after),
            _ => false,
        }
    }

    #[test]
    fn a_star_is_any_text_and_a_question_mark_is_one_character() {
        for (pattern, name, fits) in [
            ("prod/billing/*", "prod/billing/db", true),
            ("prod/billing/*", "prod/billing/", true),
            ("prod/billing/*", "prod/billing", false),
            ("*", "", true),
            ("prod/d?", "prod/db", true),
            ("prod/d?", "prod/d", false),
            ("*/db", "prod/billing/db", true),
            ("a*b*c", "abbc", true),
            ("prod", "PROD", false),
        ] {
            assert_eq!(NamePattern::new(pattern).fits(name), fits, "{pattern} {name}");
        }
    }

    proptest! {
        #[test]
        fn the_fast_answer_is_that_of_the_definition(pattern in "[ab*?]{0,7}", name in "[abé]{0,8}") {
            let characters: Vec<char> = pattern.chars().collect();
            let letters: Vec<char> = name.chars().collect();
            prop_assert_eq!(NamePattern::new(&pattern).fits(&name), fits_by_definition(&characters, &letters));
        }
    }
}
