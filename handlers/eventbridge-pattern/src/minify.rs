//! The text of a pattern without the white space that counts against its length.

/// Drops the white space of a JSON text that stands outside strings; the rest stays as it is.
pub(crate) fn minify(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    let mut is_in_string = false;
    let mut is_escaped = false;
    for c in json.chars() {
        if !is_in_string && matches!(c, ' ' | '\t' | '\r' | '\n') {
            continue;
        }
        if c == '"' && !is_escaped {
            is_in_string = !is_in_string;
        }
        is_escaped = c == '\\' && !is_escaped;
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_in_strings_is_kept() {
        assert_eq!(minify(" { \"a b\\\" c\" :\n\t[ \"\\\\\" , 1 ] } "), "{\"a b\\\" c\":[\"\\\\\",1]}");
    }
}
