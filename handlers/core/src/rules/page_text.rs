//! The text of a response for pages: what an incident means, how sure that is, and the next steps.

use std::ops::RangeInclusive;

use super::field_problems::FieldProblems;

/// The names that may stand between braces in a line of `next_steps`; the page puts their values there, quoted where a shell
/// would read them otherwise, and leaves out the lines of which it has not every value.
pub const PLACEHOLDERS: [&str; 30] = [
    "account",
    "region",
    "secret",
    "principal",
    "role",
    "identity-center-user",
    "user",
    "session-user",
    "access-key",
    "rds-secret",
    "start",
    "end",
    "function",
    "service",
    "cluster",
    "service-region",
    "forced-service",
    "forced-region",
    "forced-cluster",
    "code-deploy-service",
    "code-deploy-region",
    "code-deploy-cluster",
    "queue-address",
    "dead-letter-queue-address",
    "link:cloudtrail",
    "link:secret",
    "link:logs",
    "link:service",
    "link:role",
    "link:key",
];

/// The beginning of a name that stands for nothing: the line is left out if the response behind it found the incident as well.
/// `{without:forced-deletion}` keeps a command that restores a secret off the page of secrets that cannot be restored.
pub const WITHOUT_PREFIX: &str = "without:";

/// Whether a name between braces is a placeholder.
pub fn is_placeholder(name: &str) -> bool {
    PLACEHOLDERS.contains(&name) || name.starts_with(WITHOUT_PREFIX)
}

/// The longest `means` and `sure`, in characters.
const SENTENCES_MAX_CHARS: usize = 400;

/// The longest line of `next_steps`, in characters: long enough for a policy document on the command line.
const LINE_MAX_CHARS: usize = 600;

/// How many lines `next_steps` has: a page shows the first three for which it has all values.
const LINE_COUNT: RangeInclusive<usize> = 3..=10;

/// Finds the names between braces in a line, known or not. Other braces (JSON, `--query`) are text.
pub fn find_placeholders(line: &str) -> Vec<&str> {
    let mut names = Vec::new();
    for text_after_brace in line.split('{').skip(1) {
        let Some((name, _)) = text_after_brace.split_once('}') else { continue };
        let has_name_characters = name.bytes().all(|b| b.is_ascii_lowercase() || b == b'-' || b == b':');
        if has_name_characters && !name.is_empty() {
            names.push(name);
        }
    }
    names
}

/// Checks the three fields of a row that are for pages: `means`, `sure` and `next_steps`.
pub(super) fn check_page_text(
    meaning: &str,
    certainty: &str,
    next_steps: &[String],
    problems: &mut FieldProblems,
) {
    let is_all_given = !meaning.is_empty() && !certainty.is_empty() && !next_steps.is_empty();
    let is_none_given = meaning.is_empty() && certainty.is_empty() && next_steps.is_empty();
    problems.add_if(
        !is_all_given && !is_none_given,
        "means",
        "`means`, `sure` and `next_steps` belong together: give all three, or none",
    );
    for (field, sentences) in [("means", meaning), ("sure", certainty)] {
        problems.add_if(
            !is_printable_within(sentences, SENTENCES_MAX_CHARS),
            field,
            "at most 400 printable characters on one line",
        );
    }
    problems.add_if(
        !next_steps.is_empty() && !LINE_COUNT.contains(&next_steps.len()),
        "next_steps",
        "give three to ten lines: the first three that have all their values are shown",
    );
    problems.add_if(
        next_steps.iter().any(|line| line.is_empty() || !is_printable_within(line, LINE_MAX_CHARS)),
        "next_steps",
        "a line is 1 to 600 printable characters",
    );
    problems.add_if(
        next_steps.iter().any(|line| has_unknown_placeholder(line)),
        "next_steps",
        "a name between braces that the page has no value for; rules/README.md lists them",
    );
}

fn has_unknown_placeholder(line: &str) -> bool {
    find_placeholders(line).iter().any(|name| !is_placeholder(name))
}

/// Whether a text has letters, digits and punctuation alone, which pages show as they are.
fn is_printable_within(text: &str, max_chars: usize) -> bool {
    let is_printable = text.chars().all(|c| matches!(c, ' '..='~') || !c.is_ascii() && c.is_alphanumeric());
    is_printable && text.chars().count() <= max_chars
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields_with_problems(means: &str, sure: &str, next_steps: &[&str]) -> Vec<&'static str> {
        let next_steps: Vec<String> = next_steps.iter().map(|line| (*line).to_owned()).collect();
        let mut problems = FieldProblems::default();
        check_page_text(means, sure, &next_steps, &mut problems);
        problems.into_list().into_iter().map(|problem| problem.field).collect()
    }

    #[test]
    fn text_for_pages_is_complete_and_fits_a_page() {
        assert!(fields_with_problems("", "", &[]).is_empty());
        assert!(fields_with_problems("Gestohlen, für immer.", "s", &["a", "b", "c {role}"]).is_empty());
        assert!(fields_with_problems("m", "s", &["a", "b", "{without:bulk-read}c"]).is_empty());
        assert_eq!(fields_with_problems("m", "", &[]), ["means"]);
        assert_eq!(fields_with_problems("m", "s", &["a", "b"]), ["next_steps"]);
        assert_eq!(fields_with_problems("m", "s", &["a", "b", ""]), ["next_steps"]);
        assert_eq!(fields_with_problems("m", "s", &["a"; 11]), ["next_steps"]);
        assert_eq!(
            fields_with_problems("two\nlines", "left\u{202e}", &["a", "b", "c\u{7f}"]),
            ["means", "sure", "next_steps"]
        );
        let long_line = "c".repeat(601);
        assert_eq!(
            fields_with_problems(&"m".repeat(401), "s", &["a", "b", &long_line]),
            ["means", "next_steps"]
        );
    }

    #[test]
    fn braces_of_json_and_queries_are_no_placeholders() {
        let line = r#"aws x --policy {"Version":1} --query '{f:A,g:B}' {role}{link:key} {} {never closed"#;
        assert_eq!(find_placeholders(line), ["role", "link:key"]);
        assert_eq!(fields_with_problems("m", "s", &["a", "b", "c {secrets}"]), ["next_steps"]);
    }
}
