//! The name of a Region.

/// A Region's name, such as `us-west-2`, `us-gov-east-1` or `us-iso-east-1`. It comes from an event and becomes a part of a
/// host's name: a signed request must not go anywhere else.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Region(String);

/// No Region's name is longer; the longest today, `us-gov-east-1`, has 13 bytes.
const MAX_NAME_BYTES: usize = 32;

impl Region {
    /// Parses a name; `None` if it does not look like a Region's.
    pub fn parse(text: &str) -> Option<Self> {
        is_region_name(text).then(|| Self(text.to_owned()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// At least two words of lowercase letters and a number of one or two digits, with hyphens between.
fn is_region_name(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let Some((number, words)) = parts.split_last() else { return false };
    for word in words {
        if word.is_empty() || !word.bytes().all(|byte| byte.is_ascii_lowercase()) {
            return false;
        }
    }
    text.len() <= MAX_NAME_BYTES
        && words.len() >= 2
        && matches!(number.len(), 1..=2)
        && number.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::Region;

    #[test]
    fn only_a_regions_name_becomes_a_host() {
        for region in ["us-west-2", "us-gov-east-1", "ap-southeast-7", "us-isob-east-1", "eusc-de-east-1"] {
            assert_eq!(Region::parse(region).unwrap().as_str(), region);
        }
        for text in [
            "",
            "us-west",
            "us-west-2.evil.example",
            "us-west-2/",
            "US-WEST-2",
            "us--2",
            "a-b-c#-1",
            "us-west-",
        ] {
            assert_eq!(Region::parse(text), None, "{text}");
        }
    }
}
