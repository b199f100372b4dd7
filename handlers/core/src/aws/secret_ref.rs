//! References to a secret in its three spellings: name, partial ARN and full ARN.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::aws::arn::{Arn, find_partition};
use crate::text::Untrusted;

/// A secret as somebody spelled it: by friendly name, partial ARN or full ARN.
///
/// `CloudTrail` logs `secretId` exactly as the caller typed it (Stratus Red Team's captures; `API_GetSecretValue`), so one
/// secret comes under three spellings. Secrets Manager ends a full ARN with a hyphen and six random characters, which
/// makes an ARN of a name that itself ends so ambiguous ("Names ending with a hyphen and six characters",
/// Secrets Manager's troubleshooting page).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SecretRef {
    /// The owning account's id.
    pub account: String,
    /// The Region of the secret.
    pub region: String,
    /// The friendly name, or what follows `secret:` in an ARN.
    pub text: Untrusted,
    /// Whether `text` comes from an ARN and may therefore end with the six random characters.
    pub from_arn: bool,
}

impl SecretRef {
    /// Reads what a caller may type: a friendly name in (`account`, `region`), or an ARN, which holds its own account and
    /// Region.
    ///
    /// `None` for the empty string and for an ARN that is not a secret's.
    pub fn from_name_or_arn(text: &str, account: &str, region: &str) -> Option<Self> {
        if text.starts_with("arn:") {
            return Self::from_arn(text);
        }
        if text.is_empty() {
            return None;
        }
        Some(Self {
            account: account.to_owned(),
            region: region.to_owned(),
            text: Untrusted::new(text),
            from_arn: false,
        })
    }

    /// Reads a full or partial secret ARN; `None` for anything else.
    pub fn from_arn(text: &str) -> Option<Self> {
        let arn = Arn::parse_for_service("secretsmanager", text)?;
        let tail = arn.resource.strip_prefix("secret:")?;
        if arn.account.is_empty() || arn.region.is_empty() || tail.is_empty() || tail.contains(':') {
            return None;
        }
        Some(Self {
            account: arn.account.to_owned(),
            region: arn.region.to_owned(),
            text: Untrusted::new(tail),
            from_arn: true,
        })
    }

    /// The friendly name, as far as one spelling alone shows it.
    pub fn friendly_name(&self) -> Untrusted {
        match self.name_before_suffix() {
            Some(name) => Untrusted::new(name),
            None => self.text.clone(),
        }
    }

    /// The name for people: the whole ARN where its end may be the end of a name as well as the random part (`…:app/jwt-secret`).
    pub fn display_name(&self) -> Untrusted {
        if self.may_be_partial_arn() { Untrusted::new(self.to_arn()) } else { self.friendly_name() }
    }

    /// Whether it is an ARN that ends like a full one, with what people would write: a word or two, or a number. One random part in
    /// thirty looks so.
    pub fn may_be_partial_arn(&self) -> bool {
        let text = self.text.raw();
        let end = text.rsplit_once('-').map_or("", |(_, end)| end);
        self.ends_like_full_arn() && is_like_words(end)
    }

    /// What the same text means in the other kind of reference, where that may be the same secret under another key: the name
    /// `app/jwt-secret` and the partial ARN that ends so.
    pub(crate) fn other_reading(&self) -> Option<Self> {
        let other = Self { from_arn: !self.from_arn, ..self.clone() };
        (self.may_be_partial_arn() || other.may_be_partial_arn()).then_some(other)
    }

    /// The `SecretId` that `DescribeSecret` takes in the account of the secret: the ARN, or the name.
    pub fn secret_id(&self) -> String {
        if self.from_arn { self.to_arn() } else { self.text.raw().to_owned() }
    }

    /// The ARN of the secret: a partial one where the reference is a name.
    pub fn to_arn(&self) -> String {
        let Self { account, region, text, .. } = self;
        format!("arn:{}:secretsmanager:{region}:{account}:secret:{}", find_partition(region), text.raw())
    }

    /// `account/region/name`: the same for the three spellings of one secret.
    pub fn key(&self) -> String {
        self.key_with_name(self.friendly_name().raw())
    }

    fn key_with_name(&self, name: &str) -> String {
        format!("{}/{}/{name}", self.account, self.region)
    }

    /// Reads a [`SecretRef::key`].
    pub fn from_key(key: &str) -> Option<Self> {
        let mut parts = key.splitn(3, '/');
        let account = parts.next()?;
        let region = parts.next()?;
        Self::from_name_or_arn(parts.next()?, account, region)
    }

    /// Whether both can mean the same secret: equal, or one is the other plus the six random characters of an ARN.
    pub fn may_be_same_secret(&self, other: &Self) -> bool {
        if self.account != other.account || self.region != other.region {
            return false;
        }
        let own_text = self.text.raw();
        let other_text = other.text.raw();
        own_text == other_text
            || self.name_before_suffix() == Some(other_text)
            || other.name_before_suffix() == Some(own_text)
    }

    /// Whether it is an ARN that ends like a full one.
    pub(crate) fn ends_like_full_arn(&self) -> bool {
        self.name_before_suffix().is_some()
    }

    /// The name in an ARN that ends like a full one.
    fn name_before_suffix(&self) -> Option<&str> {
        if self.from_arn { remove_suffix(self.text.raw()) } else { None }
    }
}

/// The text before a hyphen and six ASCII letters or digits; `None` if it does not end so.
fn remove_suffix(text: &str) -> Option<&str> {
    let (name, suffix) = text.rsplit_once('-')?;
    let is_random_part = suffix.len() == 6 && suffix.bytes().all(|b| b.is_ascii_alphanumeric());
    if is_random_part && !name.is_empty() { Some(name) } else { None }
}

/// Whether letters and digits look written by people: a word (`secret`, `Config`, `CONFIG`), two (`apiKey`), or a number
/// (`000001`, `db2026`).
fn is_like_words(text: &str) -> bool {
    let letters = text.trim_end_matches(|c: char| c.is_ascii_digit());
    let digits = text.len() - letters.len();
    if digits > 0 {
        return digits > 1 && letters.bytes().all(|b| b.is_ascii_lowercase());
    }
    if !letters.bytes().all(|b| b.is_ascii_alphabetic()) {
        return false;
    }
    if letters.bytes().all(|b| b.is_ascii_uppercase()) {
        return true;
    }
    match letters.bytes().rposition(|b| b.is_ascii_uppercase()) {
        None | Some(0) => true,
        Some(second_word) => {
            let (first, second) = letters.split_at(second_word);
            first.len() > 1 && second.len() > 1 && first.bytes().all(|b| b.is_ascii_lowercase())
        }
    }
}

/// Finds out which spellings of a group mean the same secret: maps each spelling to a key (`account/region/name`) that
/// all spellings of that secret share.
///
/// Depends on the set only, not on its order. The group decides where an ARN is ambiguous: `x-abcdef` in an ARN is the
/// secret `x-abcdef` if somebody in the group used that as a name or with a suffix of its own, and else the secret `x`.
pub fn resolve_spellings<'a>(
    group: impl IntoIterator<Item = &'a SecretRef>,
) -> BTreeMap<&'a SecretRef, String> {
    let group: BTreeSet<&SecretRef> = group.into_iter().collect();
    let names = GroupNames::from_spellings(&group);
    let mut keys = BTreeMap::new();
    for spelling in group {
        let key = if names.is_whole_name(spelling) {
            spelling.key_with_name(spelling.text.raw())
        } else {
            spelling.key()
        };
        keys.insert(spelling, key);
    }
    keys
}

/// Account, Region, and a name or the text of an ARN.
type LocatedName<'a> = (&'a str, &'a str, &'a str);

/// The evidence in a group of spellings for whole names, which must not lose what looks like a suffix.
#[derive(Default)]
struct GroupNames<'a> {
    /// Names that were typed, and names before the suffix of an ARN.
    known: BTreeSet<LocatedName<'a>>,
    /// The texts of ARNs that end like full ones, by the name before the suffix.
    texts_by_name: BTreeMap<LocatedName<'a>, BTreeSet<&'a str>>,
}

impl<'a> GroupNames<'a> {
    fn from_spellings(group: &BTreeSet<&'a SecretRef>) -> Self {
        let mut names = Self::default();
        for &spelling in group {
            let SecretRef { account, region, text, from_arn } = spelling;
            if !from_arn {
                names.known.insert((account, region, text.raw()));
            } else if let Some(name) = spelling.name_before_suffix() {
                // A full ARN is evidence for its name, so that a partial ARN of that name is recognised.
                names.known.insert((account, region, name));
                names.texts_by_name.entry((account, region, name)).or_default().insert(text.raw());
            }
        }
        names
    }

    /// Whether the text of a spelling is a whole name, without a suffix to remove.
    fn is_whole_name(&self, spelling: &SecretRef) -> bool {
        let SecretRef { account, region, text, .. } = spelling;
        if self.known.contains(&(account.as_str(), region.as_str(), text.raw())) {
            return true;
        }
        // A secret has one suffix: `tenant-000001` and `tenant-000002` are two names that end like a suffix.
        let Some(name) = spelling.name_before_suffix() else { return false };
        let texts = self.texts_by_name.get(&(account.as_str(), region.as_str(), name));
        texts.is_some_and(|texts| texts.len() > 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARN: &str = "arn:aws:secretsmanager:us-west-2:111122223333:secret:";

    fn spelled(text: &str) -> SecretRef {
        SecretRef::from_name_or_arn(text, "111122223333", "us-west-2").unwrap()
    }

    fn distinct(texts: &[&str]) -> usize {
        let refs: Vec<_> = texts.iter().map(|text| spelled(text)).collect();
        resolve_spellings(&refs).into_values().collect::<BTreeSet<_>>().len()
    }

    #[test]
    fn three_spellings_are_one_secret() {
        let (name, partial, full) = ("prod/db", &format!("{ARN}prod/db"), &format!("{ARN}prod/db-a1B2c3"));
        assert_eq!(distinct(&[name, partial, full]), 1);
        assert_eq!(spelled(name).key(), spelled(full).key());
        assert_eq!(spelled(partial).key(), spelled(full).key());
        assert!(
            spelled(full).may_be_same_secret(&spelled(name))
                && spelled(name).may_be_same_secret(&spelled(partial))
        );
    }

    #[test]
    fn the_group_decides_whether_a_name_ends_with_a_suffix() {
        let (name, partial, full) =
            ("stripe-apikey", &format!("{ARN}stripe-apikey"), &format!("{ARN}stripe-apikey-a1B2c3"));
        assert_eq!(distinct(&[name, partial, full]), 1);
        assert_eq!(distinct(&[partial, full]), 1);
        assert_eq!(distinct(&[name, full]), 1);
        assert_eq!(distinct(&[name, "stripe"]), 2);
    }

    #[test]
    fn names_that_differ_in_their_last_six_characters_only_are_several_secrets() {
        let tails: Vec<String> = (0..12).map(|i| format!("{ARN}tenant-{i:06}")).collect();
        assert_eq!(distinct(&tails.iter().map(String::as_str).collect::<Vec<_>>()), 12);
    }

    #[test]
    fn other_names_regions_and_accounts_are_other_secrets() {
        let other_region = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/db-a1B2c3";
        let other_account = "arn:aws:secretsmanager:us-west-2:444455556666:secret:prod/db-a1B2c3";
        assert_eq!(distinct(&["prod/db", "prod/db2", other_region, other_account]), 4);
        assert!(!spelled("prod/db").may_be_same_secret(&spelled(&format!("{ARN}prod/db2-a1B2c3"))));
    }

    #[test]
    fn an_arn_that_people_may_have_written_is_shown_whole() {
        for (tail, is_shown_whole) in [
            ("app/jwt-secret", true),
            ("app-Config", true),
            ("stripe-apiKey", true),
            ("x-APIKEY", true),
            ("tenant-000001", true),
            ("orders-db2026", true),
            ("prod/db-a1B2c3", false),
            ("prod/db-AbCdEf", false),
            ("prod/db-ABcdef", false),
            ("prod/db-abcdeF", false),
            ("prod/db", false),
            ("app/jwt-secret-Zz9Yy8", false),
        ] {
            let arn = spelled(&format!("{ARN}{tail}"));
            let shown =
                if is_shown_whole { Untrusted::new(format!("{ARN}{tail}")) } else { arn.friendly_name() };
            assert_eq!((arn.may_be_partial_arn(), arn.display_name()), (is_shown_whole, shown), "{tail}");
            assert!(!spelled(tail).may_be_partial_arn());
        }
    }

    #[test]
    fn an_arn_of_something_else_is_no_secret() {
        for text in [
            "",
            "arn:aws:iam::111122223333:role/x",
            "arn:aws:secretsmanager:us-west-2:111122223333:secret:",
            "arn:x",
        ] {
            assert_eq!(SecretRef::from_name_or_arn(text, "1", "r"), None, "{text}");
        }
    }
}
