//! Which numbers compare as numbers.

/// The double a number compares by, or `None` if only its identical spelling matches it.
///
/// The engine (`ComparableNumber.generate`, event-ruler 2.0) compares doubles, but only those whose decimal text (Java's
/// `Double.toString`, the shortest that reads back) says the same as the number: nothing is rounded silently.
pub(super) fn comparable(spelling: &str) -> Option<f64> {
    let bytes = spelling.as_bytes();
    if !matches!(bytes.first(), Some(b'-' | b'0'..=b'9')) {
        return None;
    }
    let value: f64 = spelling.parse().ok()?;
    let plain = bytes.iter().skip(1).all(u8::is_ascii_digit);
    // Below 2^53 every integer is a double, and its text is exact.
    if plain && bytes.len() <= 15 {
        return Some(value + 0.0);
    }
    if !value.is_finite() || decimal(spelling)? != decimal(&java_text(value))? {
        return None;
    }
    // Minus zero is zero.
    Some(value + 0.0)
}

/// A finite double as Java (from JDK 19 on) writes it, up to layout: the shortest text of at least two digits.
fn java_text(value: f64) -> String {
    let shortest = format!("{value:e}");
    let digits = shortest.bytes().take_while(|b| *b != b'e').filter(u8::is_ascii_digit).count();
    if digits == 1 {
        let two = format!("{value:.1e}");
        if two.parse() == Ok(value) {
            return two;
        }
    }
    shortest
}

/// Sign, significant digits and the power of ten of the last of them: equal for equal numbers.
fn decimal(spelling: &str) -> Option<(bool, String, i64)> {
    let negative = spelling.starts_with('-');
    let unsigned = spelling.trim_start_matches('-');
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    // Java's BigDecimal knows no larger exponents.
    let exponent = i64::from(exponent.trim_start_matches('+').parse::<i32>().ok()?);
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all = format!("{whole}{fraction}");
    let digits = all.trim_start_matches('0');
    let kept = digits.trim_end_matches('0');
    if kept.is_empty() {
        return Some((false, String::new(), 0));
    }
    let dropped = i64::try_from(digits.len() - kept.len()).ok()?;
    let scale = i64::try_from(fraction.len()).ok()?;
    Some((negative, kept.to_owned(), exponent - scale + dropped))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compares_what_a_double_says_exactly() {
        for (a, b) in [
            ("300", "300.0"),
            ("300", "3e2"),
            ("300", "3.00E+2"),
            ("-0", "0"),
            ("0e10", "-0.0"),
            ("0.1", "1e-1"),
        ] {
            assert!(comparable(a).is_some(), "{a}");
            assert_eq!(comparable(a), comparable(b), "{a} {b}");
        }
        assert_eq!(comparable("9007199254740992"), Some(9_007_199_254_740_992.0));
        assert_eq!(comparable("1e308"), comparable("10e307"));
        assert_eq!(comparable("4.9e-324"), Some(5e-324));
        assert_eq!(comparable("1.7976931348623157e308"), Some(f64::MAX));
    }

    #[test]
    fn leaves_the_others_to_their_spelling() {
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
            assert_eq!(comparable(spelling), None, "{spelling}");
        }
    }
}
