//! Ranges of IP addresses, compared as texts of hexadecimal digits.

use crate::ip_address::{hexadecimal_digits, ip_address_digits, parse_ip_address};

/// A range of IP addresses of one version.
///
/// AWS's engine has no notion of an address. It writes each one as hexadecimal digits, eight of version 4 and 32 of version 6, and
/// compares those as texts from left to right. `10.1.2.3/8` becomes the range from `0A000000` to `0AFFFFFF`. The first digit in
/// which the two bounds differ, here the third, is the fork: up to it a value must spell the same, at it a digit strictly between
/// the bounds settles the matter, and only a digit on a bound needs a look at the digits behind it.
///
/// A single address is a range, too, closed on its own side and open on the other: `0A000001` is everything from `0A000001` to
/// just below `0A000002`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AddressRange {
    bottom: Vec<u8>,
    is_bottom_open: bool,
    top: Vec<u8>,
    is_top_open: bool,
    /// The index of the first digit in which bottom and top differ.
    fork: usize,
}

impl AddressRange {
    /// The range that holds one address, if the text is an address.
    pub(crate) fn from_address(text: &str) -> Option<Self> {
        let bottom = ip_address_digits(text)?;
        let top = bottom.clone();
        let last = bottom.len() - 1;
        let mut range = Self { bottom, is_bottom_open: false, top, is_top_open: true, fork: last };
        match range.top[last] {
            // Above `F` there is no digit: the range starts just above the digit below it.
            b'F' => {
                range.bottom[last] = b'E';
                range.is_bottom_open = true;
                range.is_top_open = false;
            }
            b'9' => range.top[last] = b'A',
            digit => range.top[last] = digit + 1,
        }
        Some(range)
    }

    /// The range of `{"cidr": text}`: all addresses that share the first bits, as many as the mask says, with the given one.
    ///
    /// Bits of the address behind the mask do not count: `10.1.2.3/8` is `10.0.0.0/8`. (Since event-ruler's pull request 89;
    /// earlier versions began the range at the address.) The checks run in this order:
    ///
    /// 1. The text has exactly one `/` with something behind it.
    /// 2. The mask is an integer, and not negative.
    /// 3. The part before the `/` is an address.
    /// 4. The mask leaves at least one bit: at most 31 of version 4, 127 of version 6.
    ///
    /// # Errors
    /// The engine's words.
    pub(crate) fn parse_cidr(text: &str) -> Result<Self, String> {
        // 1. Java's `split` drops empty parts at the end, so `10.0.0.0/8/` is well-formed.
        let Some((address, mask)) = text.trim_end_matches('/').split_once('/') else {
            return Err("Malformed CIDR, one '/' required".to_owned());
        };
        if mask.contains('/') {
            return Err("Malformed CIDR, one '/' required".to_owned());
        }
        // 2.
        let Ok(mask_bits) = mask.parse::<i32>() else {
            return Err("Malformed CIDR, mask bits must be an integer".to_owned());
        };
        let Ok(mask_bits) = usize::try_from(mask_bits) else {
            return Err("Malformed CIDR, mask bits must not be negative".to_owned());
        };
        // 3.
        let mut bottom = parse_ip_address(address)?;
        // 4.
        if bottom.len() == 4 && mask_bits > 31 {
            return Err("IPv4 mask bits must be < 32".to_owned());
        }
        if mask_bits > 127 {
            return Err("IPv6 mask bits must be < 128".to_owned());
        }
        let mut top = bottom.clone();
        for index in 0..bottom.len() {
            let host_bits = host_bits_of_octet(index, mask_bits);
            bottom[index] &= !host_bits;
            top[index] |= host_bits;
        }
        Ok(Self::between(hexadecimal_digits(&bottom), hexadecimal_digits(&top)))
    }

    /// The range from one address to another, both included. They must differ.
    fn between(bottom: Vec<u8>, top: Vec<u8>) -> Self {
        let mut fork = 0;
        while fork + 1 < bottom.len() && bottom[fork] == top[fork] {
            fork += 1;
        }
        Self { bottom, is_bottom_open: false, top, is_top_open: false, fork }
    }

    /// Whether digits lie within the range.
    ///
    /// Decides where the engine decides and looks no further. So a longer text can match, such as an address of the other version
    /// (`0a12:3456::` is in `10.0.0.0/8`) or a number that is spelled like the digits (`18` is in `16.0.0.0/4`). AWS answers so.
    ///
    /// 1. Up to the fork the value must spell what both bounds spell.
    /// 2. At the fork it needs a digit. One strictly between the bounds is enough, one outside of them is not.
    /// 3. If the fork is the last digit, the value is on a bound, and belongs to the range if the bound does.
    /// 4. Behind the fork the first digit that differs from the bound decides: above the bottom or below the top.
    /// 5. If none differs, the value is on the bound, as in 3.
    pub(crate) fn contains(&self, value: &[u8]) -> bool {
        // 1.
        if value.len() <= self.fork || value[..self.fork] != self.bottom[..self.fork] {
            return false;
        }
        // 2.
        let digit = value[self.fork];
        let lowest = self.bottom[self.fork];
        let highest = self.top[self.fork];
        if !is_hexadecimal_digit(digit) || digit < lowest || digit > highest {
            return false;
        }
        if digit > lowest && digit < highest {
            return true;
        }
        let is_at_bottom = digit == lowest;
        let bound = if is_at_bottom { &self.bottom } else { &self.top };
        let is_bound_open = if is_at_bottom { self.is_bottom_open } else { self.is_top_open };
        // 3. Nothing comes behind the last digit, so the loop does not run.
        for (index, &bound_digit) in bound.iter().enumerate().skip(self.fork + 1) {
            // 4.
            let Some(&digit) = value.get(index) else { return false };
            if !is_hexadecimal_digit(digit) {
                return false;
            }
            if digit != bound_digit {
                return (digit > bound_digit) == is_at_bottom;
            }
        }
        // 5.
        !is_bound_open
    }
}

/// The bits of an octet that belong to the host: those behind the mask. Octet 1 of a mask of 12 has the lower four.
fn host_bits_of_octet(index: usize, mask_bits: usize) -> u8 {
    let kept = mask_bits.saturating_sub(8 * index).min(8);
    // A shift by all eight bits leaves nothing.
    0xff_u8.checked_shr(u32::try_from(kept).unwrap_or(8)).unwrap_or(0)
}

fn is_hexadecimal_digit(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'A'..=b'F')
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use proptest::prelude::*;

    use super::*;

    fn is_inside(cidr: &str, address: &str) -> bool {
        AddressRange::parse_cidr(cidr).unwrap().contains(&ip_address_digits(address).unwrap())
    }

    #[test]
    fn a_range_holds_its_first_and_last_address_and_no_neighbour() {
        assert!(is_inside("10.0.0.0/24", "10.0.0.0") && is_inside("10.0.0.0/24", "10.0.0.255"));
        assert!(!is_inside("10.0.0.0/24", "10.0.1.0") && !is_inside("10.0.0.0/24", "9.255.255.255"));
        assert!(is_inside("0.0.0.0/0", "255.255.255.255") && is_inside("128.0.0.0/1", "128.0.0.0"));
        assert!(is_inside("192.0.2.128/31", "192.0.2.129") && !is_inside("192.0.2.128/31", "192.0.2.130"));
        assert!(is_inside("2001:db8::/32", "2001:db8:ffff::1") && !is_inside("2001:db8::/32", "2001:db9::"));
    }

    #[test]
    fn bits_behind_the_mask_do_not_count() {
        assert!(is_inside("10.1.2.3/8", "10.0.0.0") && is_inside("10.1.2.3/8", "10.255.255.255"));
        assert!(!is_inside("10.1.2.3/8", "9.255.255.255") && !is_inside("10.1.2.3/8", "11.0.0.0"));
        assert!(is_inside("10.0.0.1/31", "10.0.0.0") && !is_inside("10.0.0.1/31", "10.0.0.2"));
        assert!(is_inside("::1/127", "::") && is_inside("::1/127", "::1") && !is_inside("::1/127", "::2"));
    }

    #[test]
    fn digits_of_another_kind_of_value_can_lie_in_a_range() {
        assert!(is_inside("10.0.0.0/8", "0a12:3456::"));
        assert!(AddressRange::parse_cidr("16.0.0.0/4").unwrap().contains(b"18"));
    }

    #[test]
    fn an_address_is_a_range_of_one() {
        for address in ["10.0.0.1", "10.0.0.9", "10.0.0.15", "10.0.0.0", "2001:db8::f", "::"] {
            let range = AddressRange::from_address(address).unwrap();
            assert!(range.contains(&ip_address_digits(address).unwrap()), "{address}");
        }
        assert!(!AddressRange::from_address("10.0.0.15").unwrap().contains(b"0A00000E"));
        assert!(!AddressRange::from_address("10.0.0.9").unwrap().contains(b"0A00000A"));
        assert_eq!(AddressRange::from_address("12:30"), None);
    }

    #[test]
    fn malformed_ranges_are_refused_in_the_engines_words() {
        for (cidr, message) in [
            ("10.0.0.0", "Malformed CIDR, one '/' required"),
            ("10.0.0.0/", "Malformed CIDR, one '/' required"),
            ("1/2/3", "Malformed CIDR, one '/' required"),
            ("", "Malformed CIDR, one '/' required"),
            ("/", "Malformed CIDR, one '/' required"),
            ("10.0.0.0//8", "Malformed CIDR, one '/' required"),
            ("10.0.0.0/x", "Malformed CIDR, mask bits must be an integer"),
            ("10.0.0.0/ 8", "Malformed CIDR, mask bits must be an integer"),
            ("10.0.0.0/99999999999", "Malformed CIDR, mask bits must be an integer"),
            ("10.0.0.0/-1", "Malformed CIDR, mask bits must not be negative"),
            ("/8", "Nonstandard IP address: "),
            ("10.0.0.0/32", "IPv4 mask bits must be < 32"),
            ("::ffff:0a00:0001/32", "IPv4 mask bits must be < 32"),
            ("::/128", "IPv6 mask bits must be < 128"),
        ] {
            assert_eq!(AddressRange::parse_cidr(cidr).unwrap_err(), message, "{cidr}");
        }
    }

    #[test]
    fn ranges_that_java_accepts_are_accepted() {
        for cidr in ["10.0.0.0/+8", "10.0.0.0/8/", "10.0.0.0/8///", "10.0.0.255/24", "10.0.0.1/31", "::1/127"]
        {
            assert!(AddressRange::parse_cidr(cidr).is_ok(), "{cidr}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(5000))]

        /// The addresses differ from the base in bits from some bit on, so that many lie in the range and many close to it.
        #[test]
        fn an_ipv4_range_holds_what_shares_the_masked_bits(
            base in any::<u32>(), mask_bits in 0..32_u32, difference in any::<u32>(), from_bit in 0..32_u32,
        ) {
            let address = base ^ (difference >> from_bit);
            let mask = u32::MAX.checked_shl(32 - mask_bits).unwrap_or(0);
            let range = AddressRange::parse_cidr(&format!("{}/{mask_bits}", Ipv4Addr::from(base))).unwrap();
            for candidate in [address, base & mask, base | !mask, (base & mask).wrapping_sub(1), (base | !mask).wrapping_add(1)] {
                let expected = base & mask == candidate & mask;
                let text = Ipv4Addr::from(candidate).to_string();
                let digits = ip_address_digits(&text).unwrap();
                prop_assert_eq!(range.contains(&digits), expected, "{}/{} {}", Ipv4Addr::from(base), mask_bits, text);
            }
        }

        #[test]
        fn an_ipv6_range_holds_what_shares_the_masked_bits(
            base in any::<u128>(), mask_bits in 0..128_u32, difference in any::<u128>(), from_bit in 0..128_u32,
        ) {
            let address = base ^ (difference >> from_bit);
            let mask = u128::MAX.checked_shl(128 - mask_bits).unwrap_or(0);
            let range = AddressRange::parse_cidr(&format!("{}/{mask_bits}", spell_v6(base))).unwrap();
            for candidate in [address, base & mask, base | !mask, (base & mask).wrapping_sub(1), (base | !mask).wrapping_add(1)] {
                let expected = base & mask == candidate & mask;
                let text = spell_v6(candidate);
                let digits = ip_address_digits(&text).unwrap();
                // An address that maps version 4 is one of version 4 to Java.
                if digits.len() == 32 {
                    prop_assert_eq!(range.contains(&digits), expected, "{}/{} {}", spell_v6(base), mask_bits, text);
                }
            }
        }
    }

    /// An address of version 6 in groups of hexadecimal digits alone: `Display` of some ends in an address of version 4, which
    /// is no standard address to the engine.
    fn spell_v6(address: u128) -> String {
        Ipv6Addr::from(address).segments().map(|group| format!("{group:x}")).join(":")
    }
}
