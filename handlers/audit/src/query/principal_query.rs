//! The principal of a query.

use super::name_pattern::NamePattern;
use responder_core::text::Untrusted;

/// The principal of a query: its ARN, the end of its ARN, or the name of its session, each with wildcards. IAM has no
/// two names that differ in their case only, so the case does not count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrincipalQuery {
    text: String,
    names: NamePattern,
    /// The same for a role whose path and partition are unknown: `111122223333:role/app`.
    pathless: NamePattern,
}

impl PrincipalQuery {
    /// Parses an ARN or a name. Returns `None` for the empty string.
    pub fn parse(text: &str) -> Option<Self> {
        if text.is_empty() {
            return None;
        }
        let names = text.to_lowercase();
        let pathless = remove_path(&names);
        Some(Self {
            text: text.to_owned(),
            names: NamePattern::new(&names),
            pathless: NamePattern::new(&pathless),
        })
    }

    /// The query as it was typed.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it means this principal or this session. Of `arn:aws:iam::111122223333:role/batch/app`, it may be the
    /// whole, or what follows a `:` or a `/`: `role/batch/app`, `batch/app`, `app`.
    pub fn may_mean(&self, principal: &Untrusted, session: Option<&Untrusted>) -> bool {
        if session.is_some_and(|session| self.names.fits(&session.raw().to_lowercase())) {
            return true;
        }
        fits_an_end(&self.names, principal)
    }

    /// Whether it means a role of which only account and name are known, written as `111122223333:role/app`.
    pub fn may_mean_role(&self, role: &Untrusted) -> bool {
        fits_an_end(&self.pathless, role)
    }
}

/// Whether the whole principal fits, or what follows a `:` or a `/` in it.
fn fits_an_end(names: &NamePattern, principal: &Untrusted) -> bool {
    let principal = principal.raw().to_lowercase();
    let mut rest = principal.as_str();
    loop {
        if names.fits(rest) {
            return true;
        }
        let Some((_, end)) = rest.split_once([':', '/']) else { return false };
        rest = end;
    }
}

/// Removes what precedes the account in the ARN of a role, and the role's path.
fn remove_path(text: &str) -> String {
    let text = text.split_once("::").map_or(text, |(_, after)| after);
    match text.split_once("role/") {
        Some((before, path)) => format!("{before}role/{}", path.rsplit('/').next().unwrap_or(path)),
        None => text.rsplit('/').next().unwrap_or(text).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_principal_is_meant_by_its_arn_by_an_end_of_it_or_by_its_session() {
        let principal = Untrusted::new("arn:aws:iam::111122223333:role/batch/App");
        let session = Untrusted::new("zoe@example.com");
        for (typed, is_meant) in [
            ("arn:aws:iam::111122223333:role/batch/app", true),
            ("role/batch/App", true),
            ("app", true),
            ("APP", true),
            ("*:role/batch/*", true),
            ("zoe@*", true),
            ("ap", false),
            ("role", false),
            ("role/app", false),
        ] {
            let query = PrincipalQuery::parse(typed).unwrap();
            assert_eq!(query.may_mean(&principal, Some(&session)), is_meant, "{typed}");
        }
        assert!(PrincipalQuery::parse("").is_none());
        let role = Untrusted::new("111122223333:role/App");
        for (typed, is_meant) in [
            ("arn:aws-cn:iam::111122223333:role/batch/app", true),
            ("role/batch/App", true),
            ("batch/app", true),
            ("a?p", true),
            ("arn:aws:iam::444455556666:role/app", false),
        ] {
            assert_eq!(PrincipalQuery::parse(typed).unwrap().may_mean_role(&role), is_meant, "{typed}");
        }
    }
}
