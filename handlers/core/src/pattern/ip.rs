//! Addresses and ranges of addresses, compared as strings of hexadecimal digits.

/// The digits of an IP address literal: 8 for version 4, 32 for version 6.
///
/// # Errors
/// The engine's words: `Nonstandard IP address` for what does not look like one, `Invalid IP address` for what does.
pub(super) fn digits(text: &str) -> Result<Vec<u8>, String> {
    if !looks_like_v4(text) && !looks_like_v6(text) {
        return Err(format!("Nonstandard IP address: {text}"));
    }
    let address = if text.contains(':') { v6(text) } else { v4(text).map(|octets| octets.to_vec()) };
    let address = address.ok_or_else(|| format!("Invalid IP address: {text}"))?;
    let hex = |nibble: u8| if nibble < 10 { b'0' + nibble } else { b'A' + nibble - 10 };
    Ok(address.iter().flat_map(|byte| [hex(byte >> 4), hex(byte & 15)]).collect())
}

/// A range of digit strings of one length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct DigitRange {
    bottom: Vec<u8>,
    open_bottom: bool,
    top: Vec<u8>,
    open_top: bool,
    /// The first digit where bottom and top differ.
    fork: usize,
}

impl DigitRange {
    /// The range that holds one address, if the text is an address.
    pub(super) fn literal(text: &str) -> Option<Self> {
        let digits = digits(text).ok()?;
        let (mut bottom, mut top) = (digits.clone(), digits);
        let last = bottom.len() - 1;
        // As in the engine: a half-open range of one, towards the side where there is a digit left.
        let high = top[last] == b'F';
        if high {
            bottom[last] = b'E';
        } else {
            top[last] = if top[last] == b'9' { b'A' } else { top[last] + 1 };
        }
        Some(Self { bottom, open_bottom: high, top, open_top: !high, fork: last })
    }

    /// The range of `{"cidr": text}`: from the address as written (host bits count) to the last of its block.
    ///
    /// # Errors
    /// The engine's words.
    pub(super) fn cidr(text: &str) -> Result<Self, String> {
        // Java's split drops empty parts at the end.
        let mut parts: Vec<&str> = text.split('/').collect();
        while parts.len() > 1 && parts.last() == Some(&"") {
            parts.pop();
        }
        let [address, mask] = parts[..] else { return Err("Malformed CIDR, one '/' required".to_owned()) };
        let mask: i32 =
            mask.parse().map_err(|_| "Malformed CIDR, mask bits must be an integer".to_owned())?;
        if mask < 0 {
            return Err("Malformed CIDR, mask bits must not be negative".to_owned());
        }
        let mask = usize::try_from(mask).unwrap_or(usize::MAX);
        let bottom = digits(address)?;
        if bottom.len() == 8 && mask > 31 {
            return Err("IPv4 mask bits must be < 32".to_owned());
        }
        if mask > 127 {
            return Err("IPv6 mask bits must be < 128".to_owned());
        }
        let top: Vec<u8> =
            bottom.iter().enumerate().map(|(i, digit)| fill(*digit, mask.saturating_sub(4 * i))).collect();
        let length = bottom.len();
        let fork = (0..length).find(|&i| bottom[i] != top[i]);
        // The engine walks off the end of an address whose host bits are all ones already.
        let fork = fork.ok_or_else(|| format!("Index {length} out of bounds for length {length}"))?;
        Ok(Self { bottom, open_bottom: false, top, open_top: false, fork })
    }

    /// Whether digits begin with a string of the range.
    ///
    /// The engine decides at the first digit that settles it and looks no further, so a longer string (an address of the
    /// other version, a number) can match: kept, because AWS answers so.
    pub(super) fn contains(&self, value: &[u8]) -> bool {
        let last = self.bottom.len() - 1;
        if value.len() <= self.fork || value[..self.fork] != self.bottom[..self.fork] {
            return false;
        }
        let (low, high) = (self.bottom[self.fork], self.top[self.fork]);
        let digit = value[self.fork];
        if !is_digit(digit) {
            return false;
        }
        if digit > low && digit < high {
            return true;
        }
        let (bound, open, rising) = if digit == low {
            (&self.bottom, self.open_bottom, true)
        } else if digit == high {
            (&self.top, self.open_top, false)
        } else {
            return false;
        };
        if self.fork == last {
            return !open;
        }
        for (at, bound) in bound.iter().enumerate().skip(self.fork + 1) {
            let Some(digit) = value.get(at).filter(|digit| is_digit(**digit)) else { return false };
            if digit != bound {
                return (digit > bound) == rising;
            }
        }
        !open
    }
}

fn is_digit(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'A'..=b'F')
}

/// Sets the bits of a hexadecimal digit that are behind the first `kept`.
fn fill(digit: u8, kept: usize) -> u8 {
    let value = if digit <= b'9' { digit - b'0' } else { digit - b'A' + 10 };
    let filled = value | (15_u8 >> kept.min(4));
    if filled < 10 { b'0' + filled } else { b'A' + filled - 10 }
}

fn looks_like_v4(text: &str) -> bool {
    let part = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    text.split('.').count() == 4 && text.split('.').all(part)
}

fn looks_like_v6(text: &str) -> bool {
    text.contains(':') && text.bytes().all(|b| b == b':' || b.is_ascii_hexdigit())
}

/// Java's `IPAddressUtil.textToNumericFormatV4`: decimal, leading zeroes and all, at most 15 characters.
fn v4(text: &str) -> Option<[u8; 4]> {
    let mut octets = [0; 4];
    if text.len() > 15 {
        return None;
    }
    for (octet, part) in octets.iter_mut().zip(text.split('.')) {
        *octet = part.parse::<u64>().ok().and_then(|value| u8::try_from(value).ok())?;
    }
    Some(octets)
}

/// Java's `IPAddressUtil.textToNumericFormatV6`; an address that maps version 4 becomes one of version 4.
fn v6(text: &str) -> Option<Vec<u8>> {
    let (head, tail) = match text.split_once("::") {
        Some((_, tail)) if tail.contains("::") || tail.starts_with(':') => return None,
        Some((head, tail)) => (head, Some(tail)),
        None => (text, None),
    };
    let mut address = groups(head)?;
    if let Some(tail) = tail {
        let tail = groups(tail)?;
        let missing = 16_usize.checked_sub(address.len() + tail.len()).filter(|missing| *missing > 0)?;
        address.extend(std::iter::repeat_n(0, missing));
        address.extend(tail);
    }
    if address.len() != 16 {
        return None;
    }
    let mapped = address[..10].iter().all(|byte| *byte == 0) && address[10..12] == [0xff, 0xff];
    Some(if mapped { address.split_off(12) } else { address })
}

fn groups(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(16);
    if text.is_empty() {
        return Some(bytes);
    }
    for group in text.split(':') {
        // Any number of leading zeroes, but some digit.
        let significant = group.trim_start_matches('0');
        if group.is_empty() || significant.len() > 4 {
            return None;
        }
        let value = u16::from_str_radix(group.get(group.len().saturating_sub(4)..)?, 16).ok()?;
        bytes.extend(value.to_be_bytes());
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(address: &str) -> String {
        digits(address).map_or_else(|error| error, |digits| String::from_utf8(digits).unwrap())
    }

    #[test]
    fn reads_addresses_as_java_does() {
        assert_eq!(text("10.0.0.1"), "0A000001");
        assert_eq!(text("010.0.0.001"), "0A000001");
        assert_eq!(text("::1"), text("0:0:0:0:0:0:0:1"));
        assert_eq!(text("::"), "0".repeat(32));
        assert_eq!(text("1:2:3:4:5:6:7::"), text("1:2:3:4:5:6:7:0"));
        assert_eq!(text("::ffff:0102:0304"), "01020304");
        assert_eq!(text("00001::"), text("1::"));
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
            assert_eq!(text(bad), format!("Invalid IP address: {bad}"));
        }
        for odd in ["", "1.2.3", "1.2.3.4.5", "a.b.c.d", "::ffff:1.2.3.4", "fe80::1%eth0", "10.0.0.1 "] {
            assert_eq!(text(odd), format!("Nonstandard IP address: {odd}"));
        }
    }

    #[test]
    fn ranges() {
        let inside =
            |cidr: &str, address: &str| DigitRange::cidr(cidr).unwrap().contains(text(address).as_bytes());
        assert!(inside("10.0.0.0/24", "10.0.0.255") && inside("10.0.0.0/24", "10.0.0.0"));
        assert!(!inside("10.0.0.0/24", "10.0.1.0") && !inside("10.0.0.0/24", "9.255.255.255"));
        // The address as written is the lower bound.
        assert!(inside("10.0.0.5/24", "10.0.0.5") && !inside("10.0.0.5/24", "10.0.0.4"));
        assert!(inside("0.0.0.0/0", "255.255.255.255") && inside("128.0.0.0/1", "128.0.0.0"));
        assert!(inside("2001:db8::/32", "2001:db8:ffff::1") && !inside("2001:db8::/32", "2001:db9::"));
        assert!(inside("192.0.2.128/31", "192.0.2.129") && !inside("192.0.2.128/31", "192.0.2.130"));
        // Quirks: digits of another kind of value.
        assert!(inside("10.0.0.0/8", "0a12:3456::"));
        assert!(DigitRange::cidr("16.0.0.0/4").unwrap().contains(b"18"));
    }

    #[test]
    fn literals_equal_themselves() {
        for address in ["10.0.0.1", "10.0.0.9", "10.0.0.15", "10.0.0.0", "2001:db8::f", "::"] {
            assert!(DigitRange::literal(address).unwrap().contains(text(address).as_bytes()), "{address}");
        }
        assert!(!DigitRange::literal("10.0.0.15").unwrap().contains(b"0A00000E"));
        assert!(!DigitRange::literal("10.0.0.9").unwrap().contains(b"0A00000A"));
        assert_eq!(DigitRange::literal("12:30"), None);
    }

    #[test]
    fn refuses_malformed_ranges() {
        for (cidr, message) in [
            ("10.0.0.0", "Malformed CIDR, one '/' required"),
            ("10.0.0.0/", "Malformed CIDR, one '/' required"),
            ("1/2/3", "Malformed CIDR, one '/' required"),
            ("", "Malformed CIDR, one '/' required"),
            ("10.0.0.0/x", "Malformed CIDR, mask bits must be an integer"),
            ("10.0.0.0/ 8", "Malformed CIDR, mask bits must be an integer"),
            ("10.0.0.0/99999999999", "Malformed CIDR, mask bits must be an integer"),
            ("10.0.0.0/-1", "Malformed CIDR, mask bits must not be negative"),
            ("10.0.0.0/32", "IPv4 mask bits must be < 32"),
            ("::/128", "IPv6 mask bits must be < 128"),
            ("10.0.0.255/24", "Index 8 out of bounds for length 8"),
        ] {
            assert_eq!(DigitRange::cidr(cidr).unwrap_err(), message, "{cidr}");
        }
        assert!(DigitRange::cidr("10.0.0.0/+8").is_ok() && DigitRange::cidr("10.0.0.0/8/").is_ok());
    }
}
