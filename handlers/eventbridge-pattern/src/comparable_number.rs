//! Which numbers compare as numbers.

/// The double that a number compares by, or `None` if only its identical spelling matches it.
///
/// AWS's engine (`ComparableNumber.generate`, event-ruler 2.0) compares doubles, but only those whose decimal text
/// (`Double.toString`, the shortest text that reads back) says the same as the number, so that nothing is rounded silently.
/// The checks run in this order:
///
/// 1. A text that does not begin like a number is none.
/// 2. An integer of up to 15 characters is exact as a double, and so is its text.
/// 3. A number beyond the range of doubles compares by its spelling.
/// 4. Any other number compares as a double if it is worth the same as the double's text: `300.0` and `3e2` do, and
///    `9007199254740993`, whose double says `9007199254740992`, does not.
pub(crate) fn comparable_number(spelling: &str) -> Option<f64> {
    let bytes = spelling.as_bytes();
    // 1.
    if !matches!(bytes.first(), Some(b'-' | b'0'..=b'9')) {
        return None;
    }
    let value: f64 = spelling.parse().ok()?;
    // 2. Adding zero makes minus zero zero, here and below.
    if bytes.len() <= 15 && bytes[1..].iter().all(u8::is_ascii_digit) {
        return Some(value + 0.0);
    }
    // 3.
    if !value.is_finite() {
        return None;
    }
    // 4.
    let is_exact = DecimalWorth::parse(spelling)? == DecimalWorth::parse(&java_text(value))?;
    is_exact.then_some(value + 0.0)
}

/// A finite double as Java (from JDK 19 on) writes it, up to layout: the shortest text that reads back, and of the texts with two
/// digits the nearest one. `5e-324` is the shortest text of the smallest double, and Java writes `4.9e-324`.
fn java_text(value: f64) -> String {
    let shortest = format!("{value:e}");
    let mantissa = shortest.split('e').next().unwrap_or_default();
    let has_one_digit = mantissa.trim_start_matches('-').len() == 1;
    if has_one_digit {
        let two_digits = format!("{value:.1e}");
        if two_digits.parse() == Ok(value) {
            return two_digits;
        }
    }
    shortest
}

/// The worth of a decimal text: equal for texts of equal worth, however they are spelled.
#[derive(PartialEq, Eq)]
struct DecimalWorth {
    is_negative: bool,
    /// The digits from the first to the last that is not zero; none for zero.
    digits: String,
    /// The power of ten of the last digit.
    exponent: i64,
}

impl DecimalWorth {
    fn parse(spelling: &str) -> Option<Self> {
        let unsigned = spelling.trim_start_matches('-');
        let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
        // Java's BigDecimal takes no exponent beyond 32 bits.
        let exponent: i32 = exponent.trim_start_matches('+').parse().ok()?;
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all_digits = format!("{whole}{fraction}");
        let without_leading = all_digits.trim_start_matches('0');
        let digits = without_leading.trim_end_matches('0');
        if digits.is_empty() {
            return Some(Self { is_negative: false, digits: String::new(), exponent: 0 });
        }
        let trailing_zeros = i64::try_from(without_leading.len() - digits.len()).ok()?;
        let scale = i64::try_from(fraction.len()).ok()?;
        Some(Self {
            is_negative: spelling.starts_with('-'),
            digits: digits.to_owned(),
            exponent: i64::from(exponent) - scale + trailing_zeros,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_equal_worth_compare_as_equal() {
        for (a, b) in [
            ("300", "300.0"),
            ("300", "3e2"),
            ("300", "3.00E+2"),
            ("-0", "0"),
            ("0e10", "-0.0"),
            ("0.1", "1e-1"),
        ] {
            assert!(comparable_number(a).is_some(), "{a}");
            assert_eq!(comparable_number(a), comparable_number(b), "{a} {b}");
        }
        assert_eq!(comparable_number("9007199254740992"), Some(9_007_199_254_740_992.0));
        assert_eq!(comparable_number("1e308"), comparable_number("10e307"));
        assert_eq!(comparable_number("4.9e-324"), Some(5e-324));
        assert_eq!(comparable_number("1.7976931348623157e308"), Some(f64::MAX));
    }

    #[test]
    fn numbers_that_a_double_would_round_do_not_compare() {
        for spelling in [
            "9007199254740993",
            "300.0000000000000001",
            "1e309",
            "-1e309",
            "5e-324",
            "1e-400",
            "12345678901234567890",
            "0.10000000000000001",
            "1e99999999999",
            "0e99999999999",
            "true",
            "\"5\"",
            "",
        ] {
            assert_eq!(comparable_number(spelling), None, "{spelling}");
        }
    }
}
