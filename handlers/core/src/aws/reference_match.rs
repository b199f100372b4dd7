//! Reference matching: whether a reference of a service means a secret, where the secret's ARN is known.

use std::collections::BTreeMap;

use crate::aws::secret_metadata::SecretMetadata;
use crate::aws::secret_ref::SecretRef;

/// How a reference means a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ReferenceMatch {
    /// By its name, its full ARN, or a partial ARN that nobody can take for a full one.
    Certain,
    /// By the partial ARN of a name that ends like the random part of an ARN (`app/jwt-secret`). Secrets Manager may take it
    /// for a full ARN, and refuse it.
    PartialArn,
}

/// How a reference means a secret; `None` if it means another one. `known` is what Secrets Manager says, by the key of a
/// secret.
///
/// The forms are tried in this order:
///
/// 1. a secret of another account or Region is another one;
/// 2. a name means the secret of that name;
/// 3. an ARN means the secret whose ARN it is;
/// 4. an ARN that does not end like a full one is the partial ARN of a name;
/// 5. an ARN that ends like a full one is the ARN of a secret whose full ARN nobody knows;
/// 6. an ARN that ends like a full one is the partial ARN of a name that ends so, unless a known secret has exactly that
///    ARN: Secrets Manager takes it for complete. Otherwise whoever may create a secret `prod/db-a1B2c3` would have the
///    services of `prod/db` redeployed.
pub fn match_reference(
    reference: &SecretRef,
    secret: &SecretRef,
    known: &BTreeMap<String, SecretMetadata>,
) -> Option<ReferenceMatch> {
    // 1. Another account or Region.
    if reference.account != secret.account || reference.region != secret.region {
        return None;
    }
    let name = secret.friendly_name();
    // 2. A name.
    if !reference.from_arn {
        return (reference.text == name).then_some(ReferenceMatch::Certain);
    }
    // 3. The ARN itself.
    if secret.from_arn && reference.text == secret.text {
        return Some(ReferenceMatch::Certain);
    }
    if !reference.ends_like_full_arn() {
        // 4. A partial ARN.
        return (reference.text == name).then_some(ReferenceMatch::Certain);
    }
    // 5. The secret is known by its name only.
    if !secret.ends_like_full_arn() && reference.friendly_name() == name {
        return Some(ReferenceMatch::Certain);
    }
    // 6. The partial ARN of a name that ends like the random part of an ARN.
    let is_partial = reference.text == name && !has_exact_arn(reference, known);
    is_partial.then_some(ReferenceMatch::PartialArn)
}

/// Whether a known secret has exactly this ARN.
fn has_exact_arn(reference: &SecretRef, known: &BTreeMap<String, SecretMetadata>) -> bool {
    let metadata = known.get(&reference.key());
    metadata.is_some_and(|metadata| SecretRef::from_arn(&metadata.arn).as_ref() == Some(reference))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PREFIX: &str = "arn:aws:secretsmanager:us-west-2:111122223333:secret:";
    /// Names that end with a hyphen and six letters or digits.
    const NAMES_LIKE_SUFFIXES: [&str; 9] = [
        "jwt-secret",
        "app-config",
        "db-passwd",
        "stripe-apikey",
        "stripe-apiKey",
        "tenant-000001",
        "prod/db-a1B2c3",
        "a-b-c-secret",
        "x-ABCDEF",
    ];

    fn spelled(text: &str) -> SecretRef {
        SecretRef::from_name_or_arn(text, "111122223333", "us-west-2").unwrap()
    }

    fn arn(tail: &str) -> SecretRef {
        spelled(&format!("{PREFIX}{tail}"))
    }

    fn known(arns: &[SecretRef]) -> BTreeMap<String, SecretMetadata> {
        let mut known = BTreeMap::new();
        for secret in arns {
            known.insert(secret.key(), SecretMetadata { arn: secret.to_arn(), ..SecretMetadata::default() });
        }
        known
    }

    #[test]
    fn every_form_of_a_reference_means_the_secret_with_a_name_like_a_suffix() {
        for name in NAMES_LIKE_SUFFIXES {
            let secret = arn(&format!("{name}-Zz9Yy8"));
            let stem = name.rsplit_once('-').unwrap().0;
            let stem_secret = arn(&format!("{stem}-Qq1Ww2"));
            let exact_secret = arn(name);
            let everything_but_exact = known(&[secret.clone(), stem_secret.clone()]);
            let everything = known(&[secret.clone(), exact_secret.clone()]);
            let certain = Some(ReferenceMatch::Certain);
            for (reference, means_secret, means_stem, means_secret_beside_exact, means_exact) in [
                // A name is as it is.
                (spelled(name), certain, None, certain, None),
                // The full ARN.
                (secret.clone(), certain, None, certain, None),
                // The partial ARN, which is the full one of a secret in the last two columns.
                (arn(name), Some(ReferenceMatch::PartialArn), None, None, certain),
                // The name and the partial ARN of what is before the hyphen.
                (spelled(stem), None, certain, None, certain),
                (arn(stem), None, certain, None, certain),
                (stem_secret.clone(), None, certain, None, None),
            ] {
                let shown = format!("{} of {name}", reference.to_arn());
                let compare = |secret: &SecretRef, known| match_reference(&reference, secret, known);
                assert_eq!(compare(&secret, &everything_but_exact), means_secret, "{shown}");
                assert_eq!(compare(&stem_secret, &everything_but_exact), means_stem, "{shown}");
                assert_eq!(compare(&secret, &everything), means_secret_beside_exact, "{shown}");
                assert_eq!(compare(&exact_secret, &everything), means_exact, "{shown}");
            }
        }
    }

    #[test]
    fn a_secret_known_by_name_is_met_by_the_arn_that_may_be_its_own_and_by_a_partial_one() {
        let nothing = BTreeMap::new();
        let certain = Some(ReferenceMatch::Certain);
        let partial = Some(ReferenceMatch::PartialArn);
        for (reference, name, expected) in [
            (arn("prod/db-a1B2c3"), "prod/db", certain),
            (arn("prod/db"), "prod/db", certain),
            (arn("jwt-secret"), "jwt-secret", partial),
            (arn("jwt-secret-a1B2c3"), "jwt-secret", certain),
            (arn("prod/db-a1B2c3"), "prod", None),
        ] {
            assert_eq!(match_reference(&reference, &spelled(name), &nothing), expected, "{name}");
        }
    }

    #[test]
    fn a_namesake_in_another_account_or_region_is_another_secret() {
        for (from, to) in [("us-west-2", "eu-west-1"), ("111122223333", "444455556666")] {
            let other = SecretRef::from_arn(&format!("{PREFIX}jwt-secret").replace(from, to)).unwrap();
            for secret in [arn("jwt-secret-a1B2c3"), arn("jwt-secret"), spelled("jwt-secret")] {
                assert_eq!(match_reference(&other, &secret, &BTreeMap::new()), None);
            }
        }
    }

    #[test]
    fn a_full_arn_does_not_mean_the_successor_of_the_same_name() {
        let old = arn("prod/db-a1B2c3");
        assert_eq!(match_reference(&old, &arn("prod/db-Zz9Yy8"), &BTreeMap::new()), None);
    }
}
