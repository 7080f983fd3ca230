//! Names and identifiers, each checked once and a type of its own from then on.

use super::problem::Complaint;
use serde::{Serialize, Serializer};
use std::fmt;

/// A newtype over text with its rule. `parse` is the only way to make one.
macro_rules! text_type {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(String);

        impl $name {
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl std::str::FromStr for $name {
            type Err = Complaint;

            fn from_str(text: &str) -> Result<Self, Complaint> {
                Self::parse(text)
            }
        }
    };
}

text_type! {
    /// A document's name, unique in one controller: a DNS label.
    Name
}
text_type! {
    /// An AWS account: 12 digits, leading zeros included.
    AccountId
}
text_type! {
    /// An AWS region such as `us-east-2`.
    Region
}
text_type! {
    /// The ARN of a role to assume.
    RoleArn
}
text_type! {
    /// The name of a hive, as TED's parameter `HiveName` allows it: `^[a-z][a-z0-9_-]*[a-z0-9]$`.
    HiveName
}
text_type! {
    /// The key of a parameter of the TED template.
    ParameterKey
}
text_type! {
    /// A cache node type such as `cache.m6g.large`.
    NodeType
}
text_type! {
    /// What the names of the worker functions begin with: `turbot` of `turbot_5_39_12_worker`.
    FunctionPrefix
}

/// What a role is assumed with. `Debug` does not show it: it is a secret of sorts.
#[derive(Clone, PartialEq, Eq)]
pub struct ExternalId(String);

/// How a document names its provisioned product.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ProductRef {
    /// By name.
    Name(String),
    /// By id, `pp-…`.
    Id(String),
}

impl Name {
    /// # Errors
    /// When the text is no DNS label.
    pub fn parse(text: &str) -> Result<Self, Complaint> {
        let wrong = match text {
            "" => Some("empty"),
            _ if text.len() > 63 => Some("longer than 63 characters"),
            _ if !text
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-') =>
            {
                Some("not a DNS label")
            }
            _ if text.starts_with('-') || text.ends_with('-') => {
                Some("begins or ends with a hyphen")
            }
            _ => None,
        };
        let Some(wrong) = wrong else { return Ok(Self(text.to_owned())) };
        Err(Complaint::new(wrong)
            .allowed("lower-case letters, digits and hyphens, at most 63, a letter or digit at both ends")
            .hint_if_any(label_like(text).map(|label| format!("write `{label}`"))))
    }
}

/// A DNS label made of `text`, if one comes out.
fn label_like(text: &str) -> Option<String> {
    let mapped: String = text
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' })
        .take(63)
        .collect();
    let trimmed = mapped.trim_matches('-');
    (!trimmed.is_empty() && text.is_ascii()).then(|| trimmed.to_owned())
}

impl AccountId {
    /// # Errors
    /// When the text is not 12 digits.
    pub fn parse(text: &str) -> Result<Self, Complaint> {
        if text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit()) {
            return Ok(Self(text.to_owned()));
        }
        let digits: String = text.chars().filter(char::is_ascii_digit).collect();
        let hint = (digits.len() == 12
            && text.chars().all(|c| c.is_ascii_digit() || matches!(c, '-' | ' ' | '_')))
        .then(|| format!("write `\"{digits}\"`"))
        .or_else(|| {
            (text == digits && (1..12).contains(&digits.len()))
                .then(|| "leading zeros belong to it; put it in quotes".to_owned())
        });
        Err(Complaint::new("not an AWS account id").allowed("12 digits").hint_if_any(hint))
    }
}

impl Region {
    /// # Errors
    /// When the text does not have the form of a region. Whether AWS has that region is for AWS to say.
    pub fn parse(text: &str) -> Result<Self, Complaint> {
        let parts: Vec<&str> = text.split('-').collect();
        let word = |part: &&str| {
            (1..=12).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_lowercase())
        };
        let well_formed = match parts.split_last() {
            Some((number, words)) => {
                (2..=4).contains(&words.len())
                    && words.iter().all(word)
                    && words[0].len() >= 2
                    && (1..=2).contains(&number.len())
                    && number.bytes().all(|b| b.is_ascii_digit())
            }
            None => false,
        };
        if well_formed {
            return Ok(Self(text.to_owned()));
        }
        let lower = text.to_ascii_lowercase();
        let without_zone = lower.strip_suffix(|c: char| c.is_ascii_lowercase()).unwrap_or(&lower);
        let hint = [lower.as_str(), without_zone, &lower.replace(['_', ' '], "-")]
            .into_iter()
            .find(|candidate| *candidate != text && Self::parse(candidate).is_ok())
            .map(|candidate| format!("write `{candidate}`"));
        Err(Complaint::new("not an AWS region")
            .allowed("a region such as `us-east-2` or `us-gov-west-1`")
            .hint_if_any(hint))
    }
}

impl RoleArn {
    /// # Errors
    /// When the text is not the ARN of an IAM role.
    pub fn parse(text: &str) -> Result<Self, Complaint> {
        let complaint = || {
            Complaint::new("not the ARN of an IAM role").allowed(
                "`arn:aws:iam::111122223333:role/NAME`, with another partition where it applies",
            )
        };
        // The partition is not checked against a list: GovCloud, China and the sovereign clouds have their own.
        let parts: Vec<&str> = text.splitn(6, ':').collect();
        let &["arn", partition, "iam", "", account, resource] = parts.as_slice() else {
            return Err(complaint());
        };
        if let Some(user) = resource.strip_prefix("user/") {
            return Err(complaint().hint(format!("`{user}` is a user; only a role can be assumed")));
        }
        let name = resource.strip_prefix("role/").unwrap_or("");
        let legal = |b: u8| b.is_ascii_alphanumeric() || b"+=,.@_/-".contains(&b);
        let well_formed = partition.starts_with("aws")
            && partition.bytes().all(|b| b.is_ascii_lowercase() || b == b'-')
            && AccountId::parse(account).is_ok()
            && !name.is_empty()
            && name.len() <= 576
            && name.bytes().all(legal)
            && !name.ends_with('/');
        if well_formed { Ok(Self(text.to_owned())) } else { Err(complaint()) }
    }

    /// The account the role lives in.
    pub fn account(&self) -> AccountId {
        AccountId(self.0.split(':').nth(4).unwrap_or_default().to_owned())
    }
}

impl HiveName {
    /// # Errors
    /// When TED's `HiveName` would not take the text.
    pub fn parse(text: &str) -> Result<Self, Complaint> {
        let legal = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-';
        let ends = |b: Option<&u8>| b.is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        let bytes = text.as_bytes();
        let well_formed = (2..=63).contains(&bytes.len())
            && bytes.iter().all(|b| legal(*b))
            && bytes.first().is_some_and(u8::is_ascii_lowercase)
            && ends(bytes.last());
        if well_formed {
            return Ok(Self(text.to_owned()));
        }
        Err(Complaint::new("not a hive name")
            .allowed("two or more lower-case letters, digits, `_` and `-`, a letter first, no `_` or `-` last"))
    }
}

impl ParameterKey {
    /// # Errors
    /// When CloudFormation would not take the text as a parameter's key.
    pub fn parse(text: &str) -> Result<Self, Complaint> {
        if (1..=255).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return Ok(Self(text.to_owned()));
        }
        let hint = text
            .contains([' ', '-', '_'])
            .then(|| "the key is wanted, not the label that the console shows for it".to_owned());
        Err(Complaint::new("not the key of a template parameter")
            .allowed("letters and digits, at most 255")
            .hint_if_any(hint))
    }
}

impl NodeType {
    /// # Errors
    /// When the text does not have the form of a node type.
    pub fn parse(text: &str) -> Result<Self, Complaint> {
        let word = |part: &str| {
            !part.is_empty()
                && part.len() <= 20
                && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        };
        let form = |text: &str| matches!(text.split('.').collect::<Vec<_>>()[..], ["cache", family, size] if word(family) && word(size));
        if form(text) {
            return Ok(Self(text.to_owned()));
        }
        let lower = text.to_ascii_lowercase();
        let hint = [lower.clone(), format!("cache.{lower}"), lower.replacen("db.", "cache.", 1)]
            .into_iter()
            .find(|candidate| form(candidate))
            .map(|candidate| format!("write `{candidate}`"));
        Err(Complaint::new("not a cache node type")
            .allowed("a type such as `cache.m6g.large`")
            .hint_if_any(hint))
    }
}

impl FunctionPrefix {
    /// What every installation begins with unless somebody changed it.
    pub(super) fn turbot() -> Self {
        Self("turbot".to_owned())
    }

    /// # Errors
    /// When no function's name can begin with the text.
    pub fn parse(text: &str) -> Result<Self, Complaint> {
        // Function names are at most 64 long; `_5_39_12_worker_priority` and longer versions need the rest.
        let legal = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
        if (1..=40).contains(&text.len()) && text.bytes().all(legal) {
            return Ok(Self(text.to_owned()));
        }
        let hint =
            text.contains('*').then(|| "it is a prefix, not a pattern: leave `*` out".to_owned());
        Err(Complaint::new("not a prefix of function names")
            .allowed("1 to 40 letters, digits, `_` and `-`")
            .hint_if_any(hint))
    }
}

impl HiveName {
    /// The hive that a document's name stands for, if it can stand for one.
    pub(super) fn of(name: &Name) -> Result<Self, Complaint> {
        Self::parse(name.as_str())
    }
}

impl ProductRef {
    /// The product that a document's name stands for: `ted-<name>`, which is always a name Service Catalog takes.
    pub(super) fn of(name: &Name) -> Self {
        Self::Name(format!("ted-{name}"))
    }
}

impl ExternalId {
    /// # Errors
    /// When STS would not take the text.
    pub fn parse(text: &str) -> Result<Self, Complaint> {
        let legal = |b: u8| b.is_ascii_alphanumeric() || b"_+=,.@:/-".contains(&b);
        if (2..=1224).contains(&text.len()) && text.bytes().all(legal) {
            return Ok(Self(text.to_owned()));
        }
        Err(Complaint::new("not an external id")
            .allowed("2 to 1224 letters, digits and `_+=,.@:/-`"))
    }

    /// The text: for the request to STS and for nothing else.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ExternalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ExternalId(…)")
    }
}

impl ProductRef {
    /// # Errors
    /// When Service Catalog would not take the text as a provisioned product's name.
    pub fn parse(text: &str) -> Result<Self, Complaint> {
        let id = text.strip_prefix("pp-").is_some_and(|rest| {
            rest.len() == 13 && rest.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        });
        if id {
            return Ok(Self::Id(text.to_owned()));
        }
        let legal = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
        let well_formed = (1..=128).contains(&text.len())
            && text.bytes().all(legal)
            && text.as_bytes().first().is_some_and(u8::is_ascii_alphanumeric);
        if well_formed {
            return Ok(Self::Name(text.to_owned()));
        }
        let hint = text
            .starts_with("arn:")
            .then(|| text.rsplit('/').next().filter(|last| last.starts_with("pp-")))
            .flatten()
            .map(|id| format!("write `{id}`"));
        Err(Complaint::new("not the name or id of a provisioned product")
            .allowed("a name of letters, digits, `.`, `_` and `-`, a letter or digit first, at most 128; or `pp-…`")
            .hint_if_any(hint))
    }

    /// The name or the id.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Name(text) | Self::Id(text) => text,
        }
    }
}

impl fmt::Display for ProductRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A text, what comes of it (an error with its hint), and why.
    type Row = (&'static str, Result<(), Option<&'static str>>, &'static str);

    fn check<T>(parse: impl Fn(&str) -> Result<T, Complaint>, rows: &[Row]) {
        for (text, expected, why) in rows {
            let got = parse(text).map(|_| ()).map_err(|complaint| complaint.hint);
            let expected = (*expected).map_err(|hint| hint.map(str::to_owned));
            assert_eq!(got, expected, "`{text}`: {why}");
        }
    }

    #[test]
    fn a_name_is_a_dns_label() {
        check(
            Name::parse,
            &[
                ("einstein", Ok(()), "plain"),
                ("a", Ok(()), "one character"),
                ("7of9-b", Ok(()), "digits and hyphens"),
                ("Einstein", Err(Some("write `einstein`")), "upper case"),
                ("my_ted.prod", Err(Some("write `my-ted-prod`")), "underscore and dot"),
                ("-a", Err(Some("write `a`")), "hyphen first"),
                ("", Err(None), "empty"),
                ("größe", Err(None), "not ASCII"),
            ],
        );
        assert!(
            Name::parse(&"a".repeat(63)).is_ok() && Name::parse(&"a".repeat(64)).is_err(),
            "63 at most"
        );
    }

    #[test]
    fn an_account_is_twelve_digits() {
        check(
            AccountId::parse,
            &[
                ("111122223333", Ok(()), "12 digits"),
                ("012345678901", Ok(()), "a leading zero stays"),
                (
                    "1111-2222-3333",
                    Err(Some("write `\"111122223333\"`")),
                    "as the console shows it",
                ),
                (
                    "12345678901",
                    Err(Some("leading zeros belong to it; put it in quotes")),
                    "a zero was lost",
                ),
                ("1.11122223333e11", Err(None), "a number that a tool rewrote"),
            ],
        );
    }

    #[test]
    fn a_region_has_the_form_of_one() {
        check(
            Region::parse,
            &[
                ("us-east-2", Ok(()), "plain"),
                ("us-gov-west-1", Ok(()), "GovCloud"),
                ("us-iso-east-1", Ok(()), "isolated"),
                ("eusc-de-east-1", Ok(()), "sovereign"),
                ("US-East-2", Err(Some("write `us-east-2`")), "upper case"),
                ("us-east-2a", Err(Some("write `us-east-2`")), "a zone"),
                ("us_east_2", Err(Some("write `us-east-2`")), "underscores"),
                ("ohio", Err(None), "a place"),
                ("us-east", Err(None), "no number"),
            ],
        );
    }

    #[test]
    fn a_role_arn_names_a_role_in_an_account() {
        check(
            RoleArn::parse,
            &[
                ("arn:aws:iam::111122223333:role/ted-controller", Ok(()), "plain"),
                ("arn:aws-us-gov:iam::111122223333:role/path/to/ted", Ok(()), "partition and path"),
                (
                    "arn:aws:iam::111122223333:user/bob",
                    Err(Some("`bob` is a user; only a role can be assumed")),
                    "a user",
                ),
                ("arn:aws:sts::111122223333:assumed-role/a/b", Err(None), "a session"),
                ("arn:aws:iam::1111:role/a", Err(None), "short account"),
                ("ted-controller", Err(None), "a bare name"),
            ],
        );
        let role = RoleArn::parse("arn:aws:iam::111122223333:role/a").unwrap();
        assert_eq!(role.account().as_str(), "111122223333");
    }

    #[test]
    fn a_product_is_named_or_identified() {
        assert_eq!(
            ProductRef::parse("pp-senyqa2ncjkws"),
            Ok(ProductRef::Id("pp-senyqa2ncjkws".into()))
        );
        assert_eq!(
            ProductRef::parse("pp-production"),
            Ok(ProductRef::Name("pp-production".into())),
            "ids are 13 long"
        );
        assert_eq!(ProductRef::parse("ted-einstein"), Ok(ProductRef::Name("ted-einstein".into())));
        check(
            ProductRef::parse,
            &[
                ("-ted", Err(None), "a hyphen first"),
                ("ted einstein", Err(None), "a blank"),
                (
                    "arn:aws:servicecatalog:us-east-2:111122223333:stack/ted-einstein/pp-senyqa2ncjkws",
                    Err(Some("write `pp-senyqa2ncjkws`")),
                    "an ARN",
                ),
            ],
        );
    }

    #[test]
    fn the_other_names_keep_to_what_aws_takes() {
        check(
            HiveName::parse,
            &[
                ("einstein", Ok(()), "plain"),
                ("a", Err(None), "two at least"),
                ("a_", Err(None), "ends"),
            ],
        );
        check(
            NodeType::parse,
            &[
                ("cache.m6g.large", Ok(()), "plain"),
                ("m6g.large", Err(Some("write `cache.m6g.large`")), "no family"),
                ("db.m6g.large", Err(Some("write `cache.m6g.large`")), "RDS's word"),
            ],
        );
        check(
            ParameterKey::parse,
            &[
                ("MaxConnections", Ok(()), "plain"),
                (
                    "Max Connections",
                    Err(Some("the key is wanted, not the label that the console shows for it")),
                    "a label",
                ),
            ],
        );
        check(
            FunctionPrefix::parse,
            &[
                ("turbot", Ok(()), "plain"),
                (
                    "turbot_*",
                    Err(Some("it is a prefix, not a pattern: leave `*` out")),
                    "a pattern",
                ),
            ],
        );
        check(ExternalId::parse, &[("a1", Ok(()), "plain"), ("a", Err(None), "two at least")]);
        assert_eq!(format!("{:?}", ExternalId::parse("secret").unwrap()), "ExternalId(…)");
    }
}
