//! Comparison that ignores case, one UTF-16 unit at a time.

/// A text whose every UTF-16 unit matches in lower or in upper case.
///
/// Java changes the case of single `char`s: `ß` becomes `SS`, and half of a surrogate pair has no case and, encoded alone,
/// becomes `?`. So `straße` equals `STRASSE` but not `strasse`, and an emoji equals `??`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Folded(Vec<(String, String)>);

impl Folded {
    /// Prepares a text.
    pub(super) fn new(text: &str) -> Self {
        let mut units = Vec::with_capacity(text.len());
        for c in text.chars() {
            if c.len_utf16() == 1 {
                units.push((c.to_lowercase().collect(), c.to_uppercase().collect()));
            } else {
                units.extend([(); 2].map(|()| ("?".to_owned(), "?".to_owned())));
            }
        }
        Self(units)
    }

    /// Whether a value is the text.
    pub(super) fn equals(&self, value: &str) -> bool {
        self.strip_start(value) == Some("")
    }

    /// Whether a value begins with the text.
    pub(super) fn starts(&self, value: &str) -> bool {
        self.strip_start(value).is_some()
    }

    /// Whether a value ends with the text.
    pub(super) fn ends(&self, value: &str) -> bool {
        let step = |rest: &'_ str, (lower, upper): &(String, String)| {
            rest.strip_suffix(lower.as_str()).or_else(|| rest.strip_suffix(upper.as_str())).map(str::len)
        };
        let mut end = value.len();
        for unit in self.0.iter().rev() {
            match step(&value[..end], unit) {
                Some(rest) => end = rest,
                None => return false,
            }
        }
        true
    }

    fn strip_start<'v>(&self, value: &'v str) -> Option<&'v str> {
        self.0.iter().try_fold(value, |rest, (lower, upper)| {
            rest.strip_prefix(lower.as_str()).or_else(|| rest.strip_prefix(upper.as_str()))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folds_by_unit() {
        assert!(Folded::new("straße").equals("STRASSE") && !Folded::new("straße").equals("strasse"));
        assert!(Folded::new("Σίσυφος").equals("σίσυφος") && !Folded::new("I").equals("İ"));
        assert!(
            Folded::new("ⱥ").equals("Ⱥ") && Folded::new("😀").equals("??") && !Folded::new("😀").equals("😀")
        );
        assert!(Folded::new("").equals("") && !Folded::new("a").equals("ab"));
    }

    #[test]
    fn folds_ends() {
        assert!(Folded::new("EventB").starts("eVENTbus") && !Folded::new("EventB").starts("xEventB"));
        assert!(
            Folded::new(".PnG").ends("a.png")
                && Folded::new("é").ends("cafÉ")
                && !Folded::new("é").ends("cafe")
        );
    }
}
