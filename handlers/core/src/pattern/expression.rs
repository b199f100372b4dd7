//! Reading one field's array: values, and match expressions such as `{"prefix": "x"}`.
//!
//! The order of the checks, and the words, are those of event-ruler 2.0.1 (`JsonRuleCompiler`).

use super::PatternError;
use super::fold::Folded;
use super::ip::DigitRange;
use super::matcher::{Matcher, Text};
use super::number::comparable;
use super::wildcard::Wildcard;
use crate::json::{Reader, Token};

type Result<T> = std::result::Result<T, PatternError>;

const ONE_KEY: &str = "Only one key allowed in match expression";
const TOO_MANY: &str = "Too many elements in numeric expression";

/// Reads the entries of a field's array, whose opening bracket is behind.
///
/// # Errors
/// The array is empty, or an entry is no value or match expression.
pub(super) fn entries(reader: &mut Reader<'_>) -> Result<Vec<Matcher>> {
    let mut matchers = Vec::new();
    loop {
        let matcher = match reader.next_token()? {
            Token::EndArray => break,
            Token::StartObject => expression(reader)?,
            Token::String => {
                let text = reader.string()?.to_string_with('?');
                match DigitRange::literal(&text) {
                    Some(range) => Matcher::Address(range, text),
                    None => Matcher::Exact(quoted(reader)?),
                }
            }
            Token::Number => Matcher::Number(reader.spelling().to_owned(), comparable(reader.spelling())),
            Token::True | Token::False | Token::Null => {
                let word = reader.spelling();
                Matcher::Exact(Text { text: word.to_owned(), exact: word.into() })
            }
            _ => return fail(reader, "Match value must be String, number, true, false, or null"),
        };
        matchers.push(matcher);
    }
    if matchers.is_empty() {
        return fail(reader, "Empty arrays are not allowed");
    }
    Ok(matchers)
}

/// An error at the place where reading is.
pub(super) fn fail<T>(reader: &Reader<'_>, message: impl Into<String>) -> Result<T> {
    Err(PatternError { message: message.into(), offset: Some(reader.offset()) })
}

fn expression(reader: &mut Reader<'_>) -> Result<Matcher> {
    expect(reader, Token::Field, "Match expression name not found")?;
    let name = reader.name().to_string_with('?');
    match name.as_str() {
        "exactly" => {
            expect(reader, Token::String, "exact match pattern must be a string")?;
            let text = quoted(reader)?;
            close(reader, Matcher::Exact(text), ONE_KEY)
        }
        "prefix" | "suffix" => affix(reader, &name),
        "numeric" => {
            expect(reader, Token::StartArray, "Value of numeric must be an array.")?;
            let range = numeric(reader)?;
            close(reader, range, TOO_MANY)
        }
        "anything-but" => anything_but(reader),
        "exists" => {
            let matcher = match reader.next_token()? {
                Token::True => Matcher::Exists,
                Token::False => Matcher::Absent,
                _ => return fail(reader, "exists match pattern must be either true or false."),
            };
            close(reader, matcher, ONE_KEY)
        }
        "cidr" => {
            // The engine's own words, which name the wrong operator.
            expect(reader, Token::String, "prefix match pattern must be a string")?;
            let text = text(reader)?;
            match DigitRange::cidr(&text) {
                Ok(range) => close(reader, Matcher::Cidr(range, text), ONE_KEY),
                Err(message) => fail(reader, message),
            }
        }
        "equals-ignore-case" => {
            expect(reader, Token::String, "equals-ignore-case match pattern must be a string")?;
            let text = text(reader)?;
            close(reader, Matcher::Folded(Folded::new(&format!("\"{text}\"")), text), ONE_KEY)
        }
        "wildcard" => {
            expect(reader, Token::String, "wildcard match pattern must be a string")?;
            let text = text(reader)?;
            let wildcard = wildcard(reader, &text)?;
            close(reader, Matcher::Wildcard(wildcard, text), ONE_KEY)
        }
        other => fail(reader, format!("Unrecognized match type {other}")),
    }
}

fn affix(reader: &mut Reader<'_>, name: &str) -> Result<Matcher> {
    let prefix = name == "prefix";
    match reader.next_token()? {
        Token::String => {
            let text = text(reader)?;
            let matcher = if prefix {
                Matcher::Prefix(format!("\"{text}"))
            } else {
                Matcher::Suffix(format!("{text}\""))
            };
            close(reader, matcher, ONE_KEY)
        }
        Token::StartObject => {
            let title = if prefix { "Prefix" } else { "Suffix" };
            expect(reader, Token::Field, &format!("{title} expression name not found"))?;
            let inner = reader.name().to_string_with('?');
            if inner != "equals-ignore-case" {
                return fail(reader, format!("Unsupported {name} pattern: {inner}"));
            }
            expect(reader, Token::String, "equals-ignore-case match pattern must be a string")?;
            let text = text(reader)?;
            let matcher = if prefix {
                Matcher::PrefixFolded(Folded::new(&format!("\"{text}")), text)
            } else {
                Matcher::SuffixFolded(Folded::new(&format!("{text}\"")), text)
            };
            expect(reader, Token::EndObject, ONE_KEY)?;
            close(reader, matcher, ONE_KEY)
        }
        _ => fail(reader, format!("{name} match pattern must be a string")),
    }
}

/// Which texts an `anything-but` excludes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum But {
    Prefix,
    Suffix,
    Folded,
    Wildcard,
}

fn anything_but(reader: &mut Reader<'_>) -> Result<Matcher> {
    let mut token = reader.next_token()?;
    let mut kind = None;
    if token == Token::StartObject {
        expect(reader, Token::Field, "Anything-But expression name not found")?;
        let name = reader.name().to_string_with('?');
        kind = Some(match name.as_str() {
            "prefix" => But::Prefix,
            "suffix" => But::Suffix,
            "equals-ignore-case" => But::Folded,
            "wildcard" => But::Wildcard,
            other => return fail(reader, format!("Unsupported anything-but pattern: {other}")),
        });
        token = reader.next_token()?;
    }
    if !matches!(token, Token::StartArray | Token::String | Token::Number) {
        return fail(reader, "Value of anything-but must be an array or single string/number value.");
    }
    let Some(kind) = kind else {
        let matcher = plain_but(reader, token)?;
        return close(reader, matcher, TOO_MANY);
    };
    let mut texts = Vec::new();
    if token == Token::StartArray {
        loop {
            match reader.next_token()? {
                Token::EndArray => break,
                token => texts.push(but_text(reader, token, kind)?),
            }
        }
    } else {
        texts.push(but_text(reader, token, kind)?);
    }
    if texts.is_empty() {
        // Passes the engine's compiler, but its machine has no state for it to lead to.
        return fail(reader, "Inside anything but list, at least one value is needed");
    }
    let matcher = match kind {
        But::Prefix => Matcher::NotPrefixes(texts.iter().map(|text| format!("\"{text}")).collect()),
        But::Suffix => Matcher::NotSuffixes(texts.iter().map(|text| format!("{text}\"")).collect()),
        But::Folded => Matcher::NotFolded(
            texts.into_iter().map(|text| (Folded::new(&format!("\"{text}\"")), text)).collect(),
        ),
        But::Wildcard => {
            let compiled = texts.into_iter().map(|text| Ok((wildcard(reader, &text)?, text)));
            Matcher::NotWildcards(compiled.collect::<Result<_>>()?)
        }
    };
    expect(reader, Token::EndObject, TOO_MANY)?;
    close(reader, matcher, TOO_MANY)
}

fn but_text(reader: &mut Reader<'_>, token: Token, kind: But) -> Result<String> {
    if token != Token::String {
        let message = match kind {
            But::Folded => {
                "Inside anything-but/equals-ignore-case list, number|start|null|boolean is not supported."
            }
            But::Wildcard => "wildcard match pattern must be a string",
            But::Prefix | But::Suffix => "prefix/suffix match pattern must be a string",
        };
        return fail(reader, message);
    }
    let text = text(reader)?;
    if text.is_empty() && matches!(kind, But::Prefix | But::Suffix) {
        return fail(reader, "Null prefix/suffix not allowed");
    }
    Ok(text)
}

fn plain_but(reader: &mut Reader<'_>, first: Token) -> Result<Matcher> {
    let mut strings = Vec::new();
    let mut numbers = Vec::new();
    let list = first == Token::StartArray;
    let mut token = if list { reader.next_token()? } else { first };
    while token != Token::EndArray {
        match token {
            Token::String => strings.push(quoted(reader)?.text),
            Token::Number => numbers.push((reader.spelling().to_owned(), number(reader)?)),
            _ => return fail(reader, "Inside anything but list, start|null|boolean is not supported."),
        }
        if !list {
            break;
        }
        token = reader.next_token()?;
    }
    if strings.is_empty() == numbers.is_empty() {
        return fail(
            reader,
            "Inside anything but list, either all values are number or string, mixed type is not supported",
        );
    }
    Ok(if numbers.is_empty() { Matcher::NotStrings(strings) } else { Matcher::NotNumbers(numbers) })
}

fn numeric(reader: &mut Reader<'_>) -> Result<Matcher> {
    if reader.next_token()? != Token::String {
        return fail(reader, format!("Invalid member in numeric match: {}", reader.spelling()));
    }
    let operator = text(reader)?;
    let token = reader.next_token()?;
    if !matches!(operator.as_str(), "=" | ">=" | ">" | "<=" | "<") {
        return fail(reader, format!("Unrecognized numeric range operator: {operator}"));
    }
    if token != Token::Number {
        let shown = if operator == "=" { "equals" } else { &operator };
        return fail(reader, format!("Value of {shown} must be numeric"));
    }
    let spelling = reader.spelling().to_owned();
    let words = format!("{operator} {spelling}");
    let everything = ((f64::NEG_INFINITY, false), (f64::INFINITY, false));
    if !operator.starts_with('>') {
        expect(reader, Token::EndArray, TOO_MANY)?;
        let value = number_of(reader, &spelling)?;
        return Ok(match operator.as_str() {
            "=" => Matcher::Range { low: (value, false), high: (value, false), words },
            _ => Matcher::Range { low: everything.0, high: (value, operator == "<"), words },
        });
    }
    let open = operator == ">";
    let token = reader.next_token()?;
    if token == Token::EndArray {
        let value = number_of(reader, &spelling)?;
        return Ok(Matcher::Range { low: (value, open), high: everything.1, words });
    }
    if token != Token::String {
        return fail(reader, format!("Bad value in numeric range: {}", reader.spelling()));
    }
    let upper = text(reader)?;
    if upper != "<" && upper != "<=" {
        return fail(reader, format!("Bad numeric range operator: {upper}"));
    }
    if reader.next_token()? != Token::Number {
        return fail(reader, format!("Value of {upper} must be numeric"));
    }
    let top = reader.spelling().to_owned();
    expect(reader, Token::EndArray, "Too many terms in numeric range expression")?;
    let low = number_of(reader, &spelling)?;
    let high = number_of(reader, &top)?;
    if low >= high {
        return fail(reader, "Bottom must be less than top");
    }
    Ok(Matcher::Range {
        low: (low, open),
        high: (high, upper == "<"),
        words: format!("{words} and {upper} {top}"),
    })
}

fn number(reader: &Reader<'_>) -> Result<f64> {
    number_of(reader, reader.spelling())
}

fn number_of(reader: &Reader<'_>, spelling: &str) -> Result<f64> {
    match comparable(spelling) {
        Some(value) => Ok(value),
        None => fail(reader, format!("Cannot compare number : {spelling}")),
    }
}

fn wildcard(reader: &Reader<'_>, text: &str) -> Result<Wildcard> {
    Wildcard::new(&format!("\"{text}\"")).or_else(|message| fail(reader, message))
}

fn text(reader: &mut Reader<'_>) -> Result<String> {
    Ok(reader.string()?.to_string_with('?'))
}

fn quoted(reader: &mut Reader<'_>) -> Result<Text> {
    let raw = reader.string()?;
    let mut exact = vec![b'"'];
    raw.decode_into(&mut exact);
    exact.push(b'"');
    Ok(Text { text: format!("\"{}\"", raw.to_string_with('?')), exact })
}

fn expect(reader: &mut Reader<'_>, token: Token, message: &str) -> Result<()> {
    if reader.next_token()? == token { Ok(()) } else { fail(reader, message) }
}

fn close(reader: &mut Reader<'_>, matcher: Matcher, message: &str) -> Result<Matcher> {
    expect(reader, Token::EndObject, message)?;
    Ok(matcher)
}
