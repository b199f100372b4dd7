//! Reads variables: each problem is collected with the variable's name, and without its value.

use std::ops::RangeInclusive;

use responder_core::aws::arn::Arn;
use responder_core::time::Span;

/// The variables, and the problems with them.
pub(super) struct VariableReader<F> {
    pub(super) variable: F,
    /// One sentence for each problem, which begins with the variable's name.
    pub(super) problems: Vec<String>,
}

impl<F: Fn(&str) -> Option<String>> VariableReader<F> {
    pub(super) fn new(variable: F) -> Self {
        Self { variable, problems: Vec::new() }
    }

    /// A variable without the spaces around it; `None` if it is not set, or blank.
    pub(super) fn read_optional(&self, name: &str) -> Option<String> {
        let value = (self.variable)(name)?;
        let value = value.trim();
        (!value.is_empty()).then(|| value.to_owned())
    }

    /// A variable that must be set to `what`.
    pub(super) fn read_required(&mut self, name: &str, what: &str) -> String {
        if let Some(value) = self.read_optional(name) {
            return value;
        }
        self.add_problem(name, &format!("is missing: set it to {what}"));
        String::new()
    }

    /// A whole number of seconds within a range.
    pub(super) fn read_seconds(&mut self, name: &str, default: Span, range: RangeInclusive<i64>) -> Span {
        let default = default.millis() / 1_000;
        Span::from_secs(self.read_number(name, default, range, "a whole number of seconds"))
    }

    /// A whole number within a range; `what` says what it counts.
    pub(super) fn read_number(
        &mut self,
        name: &str,
        default: i64,
        range: RangeInclusive<i64>,
        what: &str,
    ) -> i64 {
        let Some(text) = self.read_optional(name) else { return default };
        match text.parse() {
            Ok(number) if range.contains(&number) => number,
            _ => {
                self.add_problem(name, &format!("must be {what} from {} to {}", range.start(), range.end()));
                default
            }
        }
    }

    /// A URL that paths are appended to; empty if it is not set.
    pub(super) fn read_base_url(&mut self, name: &str) -> String {
        let Some(mut url) = self.read_optional(name) else { return String::new() };
        let is_http = url.starts_with("https://") || url.starts_with("http://");
        if !is_http || !url.bytes().all(|byte| byte.is_ascii_graphic()) {
            self.add_problem(name, "must be a URL that begins with https://");
        }
        if !url.ends_with('/') {
            url.push('/');
        }
        url
    }

    /// The endpoint of a service.
    pub(super) fn read_endpoint(&self, name: &str) -> Option<String> {
        match self.read_optional(name) {
            Some(endpoint) => Some(endpoint),
            None => self.read_optional("AWS_ENDPOINT_URL"),
        }
    }

    /// Words, separated by spaces. If `parse` refuses one of them, the problem is `problem`, and there are no words.
    pub(super) fn read_words<T>(
        &mut self,
        name: &str,
        problem: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Vec<T> {
        let text = self.read_optional(name).unwrap_or_default();
        let mut words = Vec::new();
        for word in text.split_whitespace() {
            let Some(parsed) = parse(word) else {
                self.add_problem(name, problem);
                return Vec::new();
            };
            words.push(parsed);
        }
        words
    }

    /// Parses the ARN of a topic that was read from a variable.
    pub(super) fn parse_topic<'t>(&mut self, name: &str, topic: &'t str) -> Option<Arn<'t>> {
        let arn = Arn::parse_for_service("sns", topic)
            .filter(|arn| !arn.region.is_empty() && !arn.account.is_empty());
        if topic.rsplit('.').next() == Some("fifo") {
            self.add_problem(name, "is a FIFO topic: use a standard topic");
        } else if arn.is_none() && !topic.is_empty() {
            self.add_problem(name, "is not the ARN of an SNS topic");
        }
        arn
    }

    pub(super) fn add_problem(&mut self, name: &str, problem: &str) {
        self.problems.push(format!("{name} {problem}"));
    }
}
