//! Which secret is meant: three spellings, one secret.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::aws::arn::Arn;
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
    /// Reads what a caller may type: a friendly name in (`account`, `region`), or an ARN that says its own.
    ///
    /// `None` for the empty string and for an ARN that is not a secret's.
    pub fn typed(text: &str, account: &str, region: &str) -> Option<Self> {
        if text.starts_with("arn:") {
            return Self::from_arn(text);
        }
        (!text.is_empty()).then(|| Self {
            account: account.to_owned(),
            region: region.to_owned(),
            text: Untrusted::new(text),
            from_arn: false,
        })
    }

    /// Reads a full or partial secret ARN; `None` for anything else.
    pub fn from_arn(text: &str) -> Option<Self> {
        let arn = Arn::of("secretsmanager", text)?;
        let tail = arn.resource.strip_prefix("secret:")?;
        let known = !arn.account.is_empty() && !arn.region.is_empty();
        (known && !tail.is_empty() && !tail.contains(':')).then(|| Self {
            account: arn.account.to_owned(),
            region: arn.region.to_owned(),
            text: Untrusted::new(tail),
            from_arn: true,
        })
    }

    /// The friendly name, as far as one spelling alone can tell.
    pub fn name(&self) -> Untrusted {
        match self.without_suffix() {
            Some(name) => Untrusted::new(name),
            None => self.text.clone(),
        }
    }

    /// What `DescribeSecret` in its account takes: the ARN, or the name.
    pub fn id(&self) -> String {
        if self.from_arn {
            let (partition, text) = (partition(&self.region), self.text.raw());
            format!("arn:{partition}:secretsmanager:{}:{}:secret:{text}", self.region, self.account)
        } else {
            self.text.raw().to_owned()
        }
    }

    /// `account/region/name`: the same for the three spellings of one secret.
    pub fn key(&self) -> String {
        format!("{}/{}/{}", self.account, self.region, self.name().raw())
    }

    /// Reads a [`SecretRef::key`].
    pub fn from_key(key: &str) -> Option<Self> {
        let mut parts = key.splitn(3, '/');
        let (account, region, name) = (parts.next()?, parts.next()?, parts.next()?);
        Self::typed(name, account, region)
    }

    /// Whether both can mean the same secret: equal, or one is the other plus the six random characters of an ARN.
    pub fn may_be(&self, other: &Self) -> bool {
        let (mine, theirs) = (self.text.raw(), other.text.raw());
        self.account == other.account
            && self.region == other.region
            && (mine == theirs
                || self.without_suffix() == Some(theirs)
                || other.without_suffix() == Some(mine))
    }

    fn without_suffix(&self) -> Option<&str> {
        if self.from_arn { without_suffix(self.text.raw()) } else { None }
    }
}

/// The partition of a Region, by the beginning of its name (the SDKs' `partitions.json`).
pub(crate) fn partition(region: &str) -> &'static str {
    const BEGINNINGS: [(&str, &str); 7] = [
        ("cn-", "aws-cn"),
        ("us-gov-", "aws-us-gov"),
        ("us-iso-", "aws-iso"),
        ("us-isob-", "aws-iso-b"),
        ("eu-isoe-", "aws-iso-e"),
        ("us-isof-", "aws-iso-f"),
        ("eusc-", "aws-eusc"),
    ];
    let found = BEGINNINGS.into_iter().find(|(beginning, _)| region.starts_with(beginning));
    found.map_or("aws", |(_, partition)| partition)
}

/// The text before a hyphen and six ASCII letters or digits; `None` if it does not end so.
fn without_suffix(text: &str) -> Option<&str> {
    let (name, suffix) = text.rsplit_once('-')?;
    let random = suffix.len() == 6 && suffix.bytes().all(|b| b.is_ascii_alphanumeric());
    (random && !name.is_empty()).then_some(name)
}

/// Which spellings of a group mean the same secret: spelling to a name that all spellings of that secret share.
///
/// Depends on the set only, not on its order. Ambiguity is settled by the group: an ARN's `x-abcdef` is the secret
/// `x-abcdef` if somebody in the group used that as a name or with a suffix of its own, and else the secret `x`.
pub fn resolve_spellings<'a>(
    group: impl IntoIterator<Item = &'a SecretRef>,
) -> BTreeMap<&'a SecretRef, String> {
    let group: BTreeSet<&SecretRef> = group.into_iter().collect();
    let mut names = BTreeSet::new();
    let mut tails: BTreeMap<_, BTreeSet<&str>> = BTreeMap::new();
    for spelled in &group {
        let place = (spelled.account.as_str(), spelled.region.as_str());
        if spelled.from_arn {
            // The tail of a full ARN vouches for its name, so that a partial ARN of that name is recognised.
            let name = spelled.without_suffix().map(|name| (place, name));
            names.extend(name);
            if let Some(name) = name {
                tails.entry(name).or_default().insert(spelled.text.raw());
            }
        } else {
            names.insert((place, spelled.text.raw()));
        }
    }
    let vouched = |spelled: &SecretRef| {
        names.contains(&((spelled.account.as_str(), spelled.region.as_str()), spelled.text.raw()))
    };
    // A secret has one suffix: several under one name are several names that end so.
    let several = |spelled: &SecretRef| {
        let place = (spelled.account.as_str(), spelled.region.as_str());
        let name = spelled.without_suffix().map(|name| (place, name));
        name.and_then(|name| tails.get(&name)).is_some_and(|tails| tails.len() > 1)
    };
    group
        .iter()
        .map(|spelled| {
            let whole = vouched(spelled) || several(spelled);
            let name = if whole { spelled.text.clone() } else { spelled.name() };
            (*spelled, format!("{}/{}/{}", spelled.account, spelled.region, name.raw()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARN: &str = "arn:aws:secretsmanager:us-west-2:111122223333:secret:";

    fn spelled(text: &str) -> SecretRef {
        SecretRef::typed(text, "111122223333", "us-west-2").unwrap()
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
        assert!(spelled(full).may_be(&spelled(name)) && spelled(name).may_be(&spelled(partial)));
    }

    #[test]
    fn a_name_that_ends_like_a_suffix_is_settled_by_the_group() {
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
        assert!(!spelled("prod/db").may_be(&spelled(&format!("{ARN}prod/db2-a1B2c3"))));
    }

    #[test]
    fn an_arn_of_something_else_is_no_secret() {
        for text in [
            "",
            "arn:aws:iam::111122223333:role/x",
            "arn:aws:secretsmanager:us-west-2:111122223333:secret:",
            "arn:x",
        ] {
            assert_eq!(SecretRef::typed(text, "1", "r"), None, "{text}");
        }
    }
}
