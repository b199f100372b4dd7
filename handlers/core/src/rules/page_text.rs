//! What a page says beyond the facts: what an incident means, how sure that is, and what to do first.

/// The names that may stand between braces in a line of `next_steps`; the page puts their values there, quoted where a shell
/// would read them otherwise, and leaves out the lines of which it has not every value.
pub const PLACEHOLDERS: [&str; 18] = [
    "account",
    "region",
    "secret",
    "principal",
    "role",
    "user",
    "access-key",
    "start",
    "end",
    "function",
    "service",
    "cluster",
    "link:cloudtrail",
    "link:secret",
    "link:logs",
    "link:service",
    "link:role",
    "link:key",
];

/// The names between braces in a line, known or not. Other braces (JSON, `--query`) are text.
pub fn placeholders(line: &str) -> impl Iterator<Item = &str> {
    line.split('{').skip(1).filter_map(|rest| {
        let (name, _) = rest.split_once('}')?;
        let named = name.bytes().all(|b| b.is_ascii_lowercase() || b == b'-' || b == b':');
        (named && !name.is_empty()).then_some(name)
    })
}

/// Everything that is wrong with the three fields, by field.
pub(super) fn problems(means: &str, sure: &str, first: &[String]) -> Vec<(&'static str, &'static str)> {
    let given = [!means.is_empty(), !sure.is_empty(), !first.is_empty()];
    let unknown = first.iter().flat_map(|line| placeholders(line)).any(|name| !PLACEHOLDERS.contains(&name));
    let checks = [
        (
            given.contains(&true) && given.contains(&false),
            "means",
            "`means`, `sure` and `next_steps` belong together: give all three, or none",
        ),
        (!fits(means, MAX_SENTENCES), "means", "at most 400 printable characters on one line"),
        (!fits(sure, MAX_SENTENCES), "sure", "at most 400 printable characters on one line"),
        (
            !first.is_empty() && !LINES.contains(&first.len()),
            "next_steps",
            "give three to eight lines: the first three that have all their values are shown",
        ),
        (
            first.iter().any(|line| line.is_empty() || !fits(line, MAX_LINE)),
            "next_steps",
            "a line is 1 to 600 printable characters",
        ),
        (
            unknown,
            "next_steps",
            "a name between braces that the page has no value for; rules/README.md lists them",
        ),
    ];
    checks.into_iter().filter(|(wrong, ..)| *wrong).map(|(_, field, reason)| (field, reason)).collect()
}

const MAX_SENTENCES: usize = 400;

/// Long enough for a policy document on the command line.
const MAX_LINE: usize = 600;

const LINES: std::ops::RangeInclusive<usize> = 3..=8;

/// Letters, digits and punctuation: what pages show as it is.
fn fits(text: &str, max: usize) -> bool {
    let printable = |c: char| matches!(c, ' '..='~') || !c.is_ascii() && c.is_alphanumeric();
    text.chars().count() <= max && text.chars().all(printable)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(means: &str, sure: &str, first: &[&str]) -> Vec<&'static str> {
        let first: Vec<String> = first.iter().map(|line| (*line).to_owned()).collect();
        problems(means, sure, &first).into_iter().map(|(field, _)| field).collect()
    }

    #[test]
    fn what_is_given_is_given_whole_and_fits_a_page() {
        assert!(fields("", "", &[]).is_empty());
        assert!(fields("Gestohlen, für immer.", "s", &["a", "b", "c {role}"]).is_empty());
        assert_eq!(fields("m", "", &[]), ["means"]);
        assert_eq!(fields("m", "s", &["a", "b"]), ["next_steps"]);
        assert_eq!(fields("m", "s", &["a", "b", ""]), ["next_steps"]);
        assert_eq!(fields("m", "s", &["a"; 9]), ["next_steps"]);
        assert_eq!(
            fields("two\nlines", "left\u{202e}", &["a", "b", "c\u{7f}"]),
            ["means", "sure", "next_steps"]
        );
        assert_eq!(fields(&"m".repeat(401), "s", &["a", "b", &"c".repeat(601)]), ["means", "next_steps"]);
    }

    #[test]
    fn braces_of_json_and_queries_are_no_placeholders() {
        let line = r#"aws x --policy {"Version":1} --query '{f:A,g:B}' {role}{link:key} {} {never closed"#;
        assert_eq!(placeholders(line).collect::<Vec<_>>(), ["role", "link:key"]);
        assert_eq!(fields("m", "s", &["a", "b", "c {secrets}"]), ["next_steps"]);
    }
}
