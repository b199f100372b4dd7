//! Identifiers derived by hash, never drawn at random: the same input gives the same identifier everywhere.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

/// How many bytes of a SHA-256 an identifier keeps: 16 of 32, written as 32 hexadecimal digits.
const IDENTIFIER_BYTES: usize = 16;

/// Thirty-two hexadecimal digits from the SHA-256 of the parts. The length of each part is hashed before it, so that
/// no two different lists of parts (`ab`, `c` and `a`, `bc`) run together into the same bytes.
pub fn hash_parts(parts: &[&str]) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part.as_bytes());
    }
    format_identifier(hasher)
}

/// Thirty-two hexadecimal digits from the SHA-256 of some bytes: the beginning of what `sha256sum` prints.
pub fn hash_bytes(bytes: &[u8]) -> String {
    let mut hasher = Sha256::new();
    hasher.update(bytes);
    format_identifier(hasher)
}

fn format_identifier(hasher: Sha256) -> String {
    let mut identifier = String::with_capacity(2 * IDENTIFIER_BYTES);
    for byte in hasher.finalize().iter().take(IDENTIFIER_BYTES) {
        // Writing to a string cannot fail.
        let _ = write!(identifier, "{byte:02x}");
    }
    identifier
}

#[cfg(test)]
mod tests {
    use super::{hash_bytes, hash_parts};

    #[test]
    fn parts_do_not_run_together() {
        assert_eq!(hash_parts(&["a", "b"]).len(), 32);
        assert_ne!(hash_parts(&["ab", "c"]), hash_parts(&["a", "bc"]));
        assert_eq!(hash_parts(&["a"]), hash_parts(&["a"]));
    }

    #[test]
    fn the_hash_of_bytes_begins_like_sha256sum() {
        assert_eq!(hash_bytes(b""), "e3b0c44298fc1c149afbf4c8996fb924");
    }
}
