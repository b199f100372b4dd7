//! Reading variables: each problem is noted with the variable's name and without its value.

use std::ops::RangeInclusive;

use responder_core::aws::arn::Arn;
use responder_core::time::Span;

/// Variables, and what is wrong with them.
pub(super) struct VariableReader<F> {
    pub(super) variable: F,
    pub(super) problems: Vec<String>,
}

impl<F: Fn(&str) -> Option<String>> VariableReader<F> {
    pub(super) fn optional(&self, name: &str) -> Option<String> {
        (self.variable)(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
    }

    pub(super) fn required(&mut self, name: &str, what: &str) -> String {
        self.optional(name).unwrap_or_else(|| {
            self.problem(name, &format!("is missing: set it to {what}"));
            String::new()
        })
    }

    pub(super) fn seconds(&mut self, name: &str, default: Span, range: RangeInclusive<i64>) -> Span {
        let default = default.millis() / 1_000;
        Span::from_secs(self.number(name, default, range, "a whole number of seconds"))
    }

    pub(super) fn number(&mut self, name: &str, default: i64, range: RangeInclusive<i64>, what: &str) -> i64 {
        let Some(text) = self.optional(name) else { return default };
        text.parse().ok().filter(|number| range.contains(number)).unwrap_or_else(|| {
            self.problem(name, &format!("must be {what} from {} to {}", range.start(), range.end()));
            default
        })
    }

    pub(super) fn base_url(&mut self, name: &str) -> String {
        let Some(mut url) = self.optional(name) else { return String::new() };
        let is_url = url.starts_with("https://") || url.starts_with("http://");
        if !is_url || !url.bytes().all(|byte| byte.is_ascii_graphic()) {
            self.problem(name, "must be a URL that begins with https://");
        }
        if !url.ends_with('/') {
            url.push('/');
        }
        url
    }

    pub(super) fn endpoint(&mut self, name: &str) -> Option<String> {
        self.optional(name).or_else(|| self.optional("AWS_ENDPOINT_URL"))
    }

    /// Takes the ARN of a topic apart.
    pub(super) fn topic<'t>(&mut self, name: &str, topic: &'t str) -> Option<Arn<'t>> {
        let arn = Arn::parse_for_service("sns", topic)
            .filter(|arn| !arn.region.is_empty() && !arn.account.is_empty());
        if topic.rsplit('.').next() == Some("fifo") {
            self.problem(name, "is a FIFO topic; a standard one is needed");
        } else if arn.is_none() && !topic.is_empty() {
            self.problem(name, "is not the ARN of an SNS topic");
        }
        arn
    }

    pub(super) fn problem(&mut self, name: &str, what: &str) {
        self.problems.push(format!("{name} {what}"));
    }
}
