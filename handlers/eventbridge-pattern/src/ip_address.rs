//! IP addresses as Java reads them.

/// Reads an IP address literal: four bytes of version 4, sixteen of version 6.
///
/// # Errors
/// The engine's words: `Nonstandard IP address` for a text that does not look like an address, `Invalid IP address` for one that
/// does.
pub(crate) fn parse_ip_address(text: &str) -> Result<Vec<u8>, String> {
    if looks_like_v4(text) {
        return match parse_v4(text) {
            Some(octets) => Ok(octets.to_vec()),
            None => Err(format!("Invalid IP address: {text}")),
        };
    }
    if looks_like_v6(text) {
        return parse_v6(text).ok_or_else(|| format!("Invalid IP address: {text}"));
    }
    Err(format!("Nonstandard IP address: {text}"))
}

/// Reads an IP address literal as its upper-case hexadecimal digits, eight or 32 of them; `None` for any other text.
pub(crate) fn ip_address_digits(text: &str) -> Option<Vec<u8>> {
    if !looks_like_v4(text) && !looks_like_v6(text) {
        return None;
    }
    let octets = parse_ip_address(text).ok()?;
    Some(hexadecimal_digits(&octets))
}

/// The upper-case hexadecimal digits of an address: `10.0.0.1` is `0A000001`.
pub(crate) fn hexadecimal_digits(octets: &[u8]) -> Vec<u8> {
    let mut digits = Vec::with_capacity(octets.len() * 2);
    for octet in octets {
        digits.push(hexadecimal_digit(octet >> 4));
        digits.push(hexadecimal_digit(octet & 15));
    }
    digits
}

fn hexadecimal_digit(value: u8) -> u8 {
    if value < 10 { b'0' + value } else { b'A' + value - 10 }
}

fn looks_like_v4(text: &str) -> bool {
    let mut parts = 0;
    for part in text.split('.') {
        parts += 1;
        if part.is_empty() || !part.bytes().all(|byte| byte.is_ascii_digit()) {
            return false;
        }
    }
    parts == 4
}

fn looks_like_v6(text: &str) -> bool {
    text.contains(':') && text.bytes().all(|byte| byte == b':' || byte.is_ascii_hexdigit())
}

/// Java's `IPAddressUtil.textToNumericFormatV4`: decimal numbers with any leading zeros, at most 15 characters in all.
fn parse_v4(text: &str) -> Option<[u8; 4]> {
    if text.len() > 15 {
        return None;
    }
    let mut octets = [0; 4];
    for (octet, part) in octets.iter_mut().zip(text.split('.')) {
        *octet = part.parse().ok()?;
    }
    Some(octets)
}

/// Java's `IPAddressUtil.textToNumericFormatV6`. An address that maps version 4, such as `::ffff:0a00:0001`, becomes one of version 4.
fn parse_v6(text: &str) -> Option<Vec<u8>> {
    let mut address = Vec::with_capacity(16);
    match text.split_once("::") {
        Some((_, tail)) if tail.contains("::") || tail.starts_with(':') => return None,
        Some((head, tail)) => {
            push_groups(head, &mut address)?;
            let mut behind = Vec::with_capacity(16);
            push_groups(tail, &mut behind)?;
            // `::` stands for at least one group of zeros.
            let missing = 16_usize.checked_sub(address.len() + behind.len())?;
            if missing == 0 {
                return None;
            }
            address.resize(16 - behind.len(), 0);
            address.append(&mut behind);
        }
        None => push_groups(text, &mut address)?,
    }
    if address.len() != 16 {
        return None;
    }
    let maps_v4 = address[..10] == [0; 10] && address[10..12] == [0xff; 2];
    Some(if maps_v4 { address.split_off(12) } else { address })
}

/// Appends groups of up to four hexadecimal digits and any number of leading zeros, with colons between them.
fn push_groups(text: &str, address: &mut Vec<u8>) -> Option<()> {
    if text.is_empty() {
        return Some(());
    }
    for group in text.split(':') {
        let significant = group.trim_start_matches('0');
        if group.is_empty() || significant.len() > 4 {
            return None;
        }
        let last_four = group.get(group.len().saturating_sub(4)..)?;
        let value = u16::from_str_radix(last_four, 16).ok()?;
        address.extend_from_slice(&value.to_be_bytes());
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digits(address: &str) -> String {
        match parse_ip_address(address) {
            Ok(octets) => String::from_utf8(hexadecimal_digits(&octets)).unwrap(),
            Err(words) => words,
        }
    }

    #[test]
    fn addresses_are_read_as_by_java() {
        assert_eq!(digits("10.0.0.1"), "0A000001");
        assert_eq!(digits("010.0.0.001"), "0A000001");
        assert_eq!(digits("::1"), digits("0:0:0:0:0:0:0:1"));
        assert_eq!(digits("::"), "0".repeat(32));
        assert_eq!(digits("1:2:3:4:5:6:7::"), digits("1:2:3:4:5:6:7:0"));
        assert_eq!(digits("::ffff:0102:0304"), "01020304");
        assert_eq!(digits("00001::"), digits("1::"));
    }

    #[test]
    fn faulty_addresses_are_invalid() {
        for bad in [
            "300.0.0.0",
            "12:30",
            ":",
            ":::",
            "1::2::3",
            "1:2:3:4:5:6:7:8::",
            "1:",
            ":1:2",
            "12345::",
            "1.2.3.4444444444444",
        ] {
            assert_eq!(digits(bad), format!("Invalid IP address: {bad}"));
            assert_eq!(ip_address_digits(bad), None);
        }
    }

    #[test]
    fn other_texts_are_nonstandard_addresses() {
        for odd in ["", "1.2.3", "1.2.3.4.5", "a.b.c.d", "::ffff:1.2.3.4", "fe80::1%eth0", "10.0.0.1 "] {
            assert_eq!(digits(odd), format!("Nonstandard IP address: {odd}"));
            assert_eq!(ip_address_digits(odd), None);
        }
    }
}
