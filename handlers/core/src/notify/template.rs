//! Lines of `next_steps` as templates: text, and placeholders between braces.

use crate::rules::is_placeholder;

/// A piece of a line of `next_steps`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TemplatePiece<'t> {
    /// Our own words.
    Text(&'t str),
    /// The name of a placeholder.
    Placeholder(&'t str),
}

/// Splits a line into its pieces. Braces around anything else than a placeholder are text.
pub(super) fn split_template(line: &str) -> Vec<TemplatePiece<'_>> {
    let mut pieces = Vec::new();
    // The start of the text that is in no piece yet, and of the text in which no brace was looked for yet.
    let mut text_start = 0;
    let mut search_start = 0;
    while let Some(brace) = find_brace(line, search_start) {
        search_start = brace + 1;
        let after_brace = line.get(search_start..).unwrap_or_default();
        let Some((name, _)) = after_brace.split_once('}') else { break };
        if is_placeholder(name) {
            push_text(&mut pieces, line.get(text_start..brace));
            pieces.push(TemplatePiece::Placeholder(name));
            search_start += name.len() + 1;
            text_start = search_start;
        }
    }
    push_text(&mut pieces, line.get(text_start..));
    pieces
}

fn find_brace(line: &str, search_start: usize) -> Option<usize> {
    let offset = line.get(search_start..)?.find('{')?;
    Some(search_start + offset)
}

fn push_text<'t>(pieces: &mut Vec<TemplatePiece<'t>>, text: Option<&'t str>) {
    match text {
        None | Some("") => {}
        Some(text) => pieces.push(TemplatePiece::Text(text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_text_and_placeholders() {
        let line = r"a {role} {x} --query '{f:A}' {link:key}{region}";
        let expected = [
            TemplatePiece::Text("a "),
            TemplatePiece::Placeholder("role"),
            TemplatePiece::Text(" {x} --query '{f:A}' "),
            TemplatePiece::Placeholder("link:key"),
            TemplatePiece::Placeholder("region"),
        ];
        assert_eq!(split_template(line), expected);
        assert_eq!(split_template("{ {role"), [TemplatePiece::Text("{ {role")]);
    }
}
