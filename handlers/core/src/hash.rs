//! Identifiers derived by hash, never drawn: the same input gives the same identifier everywhere.

use sha2::{Digest as _, Sha256};

/// Thirty-two hexadecimal digits from the SHA-256 of the parts. A part's length goes in before it, so that no two
/// different lists of parts run together into the same bytes.
pub fn id(parts: &[&str]) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part.as_bytes());
    }
    hex(hasher)
}

/// Thirty-two hexadecimal digits from the SHA-256 of some bytes: what `sha256sum` begins with.
pub fn id_of(bytes: &[u8]) -> String {
    let mut hasher = Sha256::new();
    hasher.update(bytes);
    hex(hasher)
}

fn hex(hasher: Sha256) -> String {
    hasher.finalize().iter().take(16).flat_map(|byte| [byte >> 4, byte & 15]).map(digit).collect()
}

fn digit(value: u8) -> char {
    char::from_digit(value.into(), 16).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::id;

    #[test]
    fn parts_do_not_run_together() {
        assert_eq!(id(&["a", "b"]).len(), 32);
        assert_ne!(id(&["ab", "c"]), id(&["a", "bc"]));
        assert_eq!(id(&["a"]), id(&["a"]));
    }
}
