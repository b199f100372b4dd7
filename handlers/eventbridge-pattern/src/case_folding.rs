//! Comparison that ignores case, one UTF-16 unit at a time.

/// A text to compare values with, whatever their case.
///
/// Java changes the case of one `char` at a time. `ß` has the upper case `SS`, and half of a surrogate pair has no case and becomes
/// `?` when it is encoded alone. So `straße` equals `STRASSE` but not `strasse`, and an emoji equals `??` but not itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CaseFoldedText(Vec<CaseVariants>);

/// The two spellings of one UTF-16 unit.
#[derive(Clone, Debug, PartialEq, Eq)]
struct CaseVariants {
    lower: String,
    upper: String,
}

impl CaseFoldedText {
    /// Prepares a text for comparison.
    pub(crate) fn new(text: &str) -> Self {
        let mut units = Vec::with_capacity(text.len());
        for c in text.chars() {
            if c.len_utf16() == 1 {
                units.push(CaseVariants {
                    lower: c.to_lowercase().collect(),
                    upper: c.to_uppercase().collect(),
                });
            } else {
                let half = CaseVariants { lower: "?".to_owned(), upper: "?".to_owned() };
                units.push(half.clone());
                units.push(half);
            }
        }
        Self(units)
    }

    /// Whether a value is the text.
    pub(crate) fn equals(&self, value: &str) -> bool {
        self.strip_from_start(value) == Some("")
    }

    /// Whether a value begins with the text.
    pub(crate) fn starts(&self, value: &str) -> bool {
        self.strip_from_start(value).is_some()
    }

    /// Whether a value ends with the text.
    pub(crate) fn ends(&self, value: &str) -> bool {
        let mut rest = value;
        for unit in self.0.iter().rev() {
            if let Some(shorter) = rest.strip_suffix(unit.lower.as_str()) {
                rest = shorter;
            } else if let Some(shorter) = rest.strip_suffix(unit.upper.as_str()) {
                rest = shorter;
            } else {
                return false;
            }
        }
        true
    }

    fn strip_from_start<'v>(&self, value: &'v str) -> Option<&'v str> {
        let mut rest = value;
        for unit in &self.0 {
            if let Some(shorter) = rest.strip_prefix(unit.lower.as_str()) {
                rest = shorter;
            } else {
                rest = rest.strip_prefix(unit.upper.as_str())?;
            }
        }
        Some(rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn equals(text: &str, value: &str) -> bool {
        CaseFoldedText::new(text).equals(value)
    }

    #[test]
    fn case_is_ignored_one_utf16_unit_at_a_time() {
        assert!(equals("straße", "STRASSE") && !equals("straße", "strasse"));
        assert!(equals("Σίσυφος", "σίσυφος") && !equals("I", "İ"));
        assert!(equals("ⱥ", "Ⱥ") && equals("😀", "??") && !equals("😀", "😀"));
        assert!(equals("", "") && !equals("a", "ab"));
    }

    #[test]
    fn case_is_ignored_at_either_end() {
        let starts = |text: &str, value: &str| CaseFoldedText::new(text).starts(value);
        let ends = |text: &str, value: &str| CaseFoldedText::new(text).ends(value);
        assert!(starts("EventB", "eVENTbus") && !starts("EventB", "xEventB"));
        assert!(ends(".PnG", "a.png") && ends("é", "cafÉ") && !ends("é", "cafe"));
    }
}
