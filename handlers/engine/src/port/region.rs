//! The name of a Region.

/// A Region's name, such as `us-west-2`, `us-gov-east-1` or `us-iso-east-1`. It comes from an event and becomes a part of a
/// host's name: a signed request must not go anywhere else.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Region(String);

impl Region {
    /// Reads a name; `None` if it is no Region's.
    pub fn of(text: &str) -> Option<Self> {
        is_region(text).then(|| Self(text.to_owned()))
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.0
    }
}

fn is_region(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let Some((number, words)) = parts.split_last() else { return false };
    let word = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase());
    text.len() <= 32
        && words.len() >= 2
        && words.iter().all(word)
        && (1..=2).contains(&number.len())
        && number.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::Region;

    #[test]
    fn only_a_regions_name_becomes_a_host() {
        for region in ["us-west-2", "us-gov-east-1", "ap-southeast-7", "us-isob-east-1", "eusc-de-east-1"] {
            assert_eq!(Region::of(region).unwrap().name(), region);
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
            assert_eq!(Region::of(text), None, "{text}");
        }
    }
}
