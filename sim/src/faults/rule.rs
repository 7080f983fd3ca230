//! A fault rule as it is written in scenario files and control calls.

use super::Asked;
use crate::rng::Rng;
use crate::spec::Effect;
use crate::spec::Service;
use crate::time::duration;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::time::Duration;

/// Which calls go wrong, and how. What is left out matches everything.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Rule {
    /// What the log calls it; by default the fault's kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The service's name in credential scopes: `servicecatalog`, `rds`, …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<Pattern>,
    /// `UpdateProvisionedProduct`, `Describe*`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<Pattern>,
    /// Reads only or writes only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effect: Option<Effect>,
    /// The caller's ARN.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caller: Option<Pattern>,
    /// Only the n-th matching call, counted from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nth: Option<u64>,
    /// Every n-th matching call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every: Option<u64>,
    /// At most so often.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u64>,
    /// With this probability, 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probability: Option<f64>,
    /// From this virtual time after the scenario's start.
    #[serde(default, with = "moment", skip_serializing_if = "Option::is_none")]
    pub after: Option<Duration>,
    /// Until this virtual time after the scenario's start.
    #[serde(default, with = "moment", skip_serializing_if = "Option::is_none")]
    pub until: Option<Duration>,
    /// What goes wrong.
    #[serde(with = "serde_yaml::with::singleton_map")]
    pub fault: Fault,
}

/// What goes wrong.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Fault {
    /// Refused: too many requests, in the service's own code.
    Throttle,
    /// HTTP 500, `InternalFailure` (Lambda: `ServiceException`).
    InternalFailure,
    /// HTTP 503, `ServiceUnavailable`.
    ServiceUnavailable,
    /// Carried out and answered later, by the clock that clients wait by (not the virtual one).
    Latency(Delay),
    /// Not carried out and never answered.
    Hang,
    /// Not carried out; the connection closes.
    Drop,
    /// Carried out; the connection closes without the answer.
    LostAnswer,
    /// Carried out and never answered.
    Silence,
    /// Carried out; the connection closes within the answer's body.
    Truncate,
    /// Refused: the caller may not.
    AccessDenied,
    /// Refused: the caller's temporary credentials are over.
    ExpiredCredentials,
    /// A read that shows what was there some time ago. A write is not affected.
    Stale {
        /// How long ago.
        #[serde(with = "duration")]
        lag: Duration,
    },
    /// Refused with an error of one's own.
    Error {
        /// Its code on the wire.
        code: String,
        /// Its text.
        message: String,
        /// Its HTTP status.
        #[serde(default = "bad_request")]
        status: u16,
    },
}

fn bad_request() -> u16 {
    400
}

impl Rule {
    /// A rule that strikes every call with `fault`; narrow it with struct update syntax.
    pub fn always(fault: Fault) -> Self {
        Self {
            name: None,
            service: None,
            operation: None,
            effect: None,
            caller: None,
            nth: None,
            every: None,
            times: None,
            probability: None,
            after: None,
            until: None,
            fault,
        }
    }

    pub(super) fn matches(&self, asked: &Asked<'_>) -> bool {
        let fits = |pattern: &Option<Pattern>, text: &str| {
            pattern.as_ref().is_none_or(|pattern| pattern.matches(text))
        };
        fits(&self.service, asked.service.name())
            && fits(&self.operation, asked.operation)
            && fits(&self.caller, asked.caller)
            && self.effect.is_none_or(|effect| effect == asked.effect)
            && self.after.is_none_or(|after| asked.since_start >= after)
            && self.until.is_none_or(|until| asked.since_start < until)
    }

    /// What is wrong with it, in one sentence.
    pub(crate) fn problem(&self) -> Option<String> {
        if let Some(probability) =
            self.probability.filter(|probability| !(0.0..=1.0).contains(probability))
        {
            return Some(format!("`probability` is {probability}; it goes from 0 to 1"));
        }
        if self.nth == Some(0) || self.every == Some(0) {
            return Some("`nth` and `every` count from 1".to_owned());
        }
        if let Fault::Error { status, .. } = &self.fault
            && !(400..600).contains(status)
        {
            return Some(format!("`status` is {status}; an error's is 400 to 599"));
        }
        let services: Vec<Service> = Service::ALL
            .into_iter()
            .filter(|service| {
                self.service.as_ref().is_none_or(|pattern| pattern.matches(service.name()))
            })
            .collect();
        if let Some(pattern) = self.service.as_ref().filter(|_| services.is_empty()) {
            return Some(unknown("service", &pattern.0, Service::ALL.map(Service::name)));
        }
        let names = || {
            services.iter().flat_map(|service| service.operations()).map(|operation| operation.name)
        };
        match &self.operation {
            Some(pattern) if !names().any(|name| pattern.matches(name)) => {
                Some(unknown("operation", &pattern.0, names()))
            }
            _ => None,
        }
    }
}

fn unknown<'n>(what: &str, name: &str, known: impl IntoIterator<Item = &'n str>) -> String {
    match crate::scenario::nearest(name, known) {
        Some(near) => format!("unknown {what} `{name}`; did you mean `{near}`?"),
        None => format!("unknown {what} `{name}`"),
    }
}

impl Fault {
    /// Its name in files.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Throttle => "throttle",
            Self::InternalFailure => "internal-failure",
            Self::ServiceUnavailable => "service-unavailable",
            Self::Latency(_) => "latency",
            Self::Hang => "hang",
            Self::Drop => "drop",
            Self::LostAnswer => "lost-answer",
            Self::Silence => "silence",
            Self::Truncate => "truncate",
            Self::AccessDenied => "access-denied",
            Self::ExpiredCredentials => "expired-credentials",
            Self::Stale { .. } => "stale",
            Self::Error { .. } => "error",
        }
    }
}

/// A text in which `*` stands for any characters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Pattern(pub String);

impl Pattern {
    /// Whether all of `text` fits.
    pub fn matches(&self, text: &str) -> bool {
        let mut parts = self.0.split('*');
        let Some(mut rest) = parts.next().and_then(|head| text.strip_prefix(head)) else {
            return false;
        };
        let mut parts = parts.peekable();
        if parts.peek().is_none() {
            return rest.is_empty();
        }
        while let Some(part) = parts.next() {
            if parts.peek().is_none() {
                return rest.ends_with(part);
            }
            match rest.find(part) {
                Some(at) => rest = &rest[at + part.len()..],
                None => return false,
            }
        }
        true
    }
}

/// How long: `2s`, or from `1s` to `3s` written `1s..3s`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delay {
    /// The shortest.
    pub from: Duration,
    /// The longest.
    pub to: Duration,
}

impl Delay {
    /// Always this long.
    pub const fn fixed(length: Duration) -> Self {
        Self { from: length, to: length }
    }

    pub(super) fn draw(self, rng: &mut Rng) -> Duration {
        if self.from == self.to {
            return self.from;
        }
        let millis = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        Duration::from_millis(rng.between(millis(self.from), millis(self.to)))
    }
}

impl Serialize for Delay {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.from == self.to {
            duration::serialize(&self.from, serializer)
        } else {
            serializer.collect_str(&format_args!(
                "{}s..{}s",
                self.from.as_secs_f64(),
                self.to.as_secs_f64()
            ))
        }
    }
}

impl std::str::FromStr for Delay {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let Some((from, to)) = text.split_once("..") else {
            return duration::parse(text).map(Self::fixed);
        };
        let (from, to) = (duration::parse(from.trim())?, duration::parse(to.trim())?);
        if from > to {
            Err(format!("`{text}` ends before it begins"))
        } else {
            Ok(Self { from, to })
        }
    }
}

impl<'de> Deserialize<'de> for Delay {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        duration::written(deserializer, str::parse)
    }
}

/// `Option<Duration>` in rules.
pub(crate) mod moment {
    use crate::time::duration;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use std::time::Duration;

    #[derive(Serialize, Deserialize)]
    struct Wrapped(#[serde(with = "duration")] Duration);

    #[expect(clippy::ref_option, reason = "the signature that serde's `with` asks for")]
    pub(crate) fn serialize<S: Serializer>(
        value: &Option<Duration>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        value.map(Wrapped).serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Duration>, D::Error> {
        Ok(Option::<Wrapped>::deserialize(deserializer)?.map(|Wrapped(value)| value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_fit_the_whole_text() {
        for (pattern, text, fits) in [
            ("*", "", true),
            ("rds", "rds", true),
            ("rds", "rdsx", false),
            ("Describe*", "DescribeStacks", true),
            ("*Stacks", "DescribeStacks", true),
            ("D*S*s", "DescribeStacks", true),
            ("ab*ba", "aba", false),
            ("*role/*", "arn:aws:sts::1:assumed-role/x", true),
        ] {
            assert_eq!(Pattern(pattern.to_owned()).matches(text), fits, "{pattern} {text}");
        }
    }

    #[test]
    fn a_fault_is_written_the_same_way_in_yaml_and_json() {
        for (yaml, json) in [
            ("fault: lost-answer", r#"{"fault":"lost-answer"}"#),
            ("fault: {latency: 1s..3s}", r#"{"fault":{"latency":"1s..3s"}}"#),
            ("fault: {latency: 2s}", r#"{"fault":{"latency":2.0}}"#),
            (
                "{until: 1m, fault: {stale: {lag: 30s}}}",
                r#"{"until":60.0,"fault":{"stale":{"lag":30.0}}}"#,
            ),
            (
                "fault: {error: {code: X, message: y}}",
                r#"{"fault":{"error":{"code":"X","message":"y","status":400}}}"#,
            ),
        ] {
            let read: Rule = serde_yaml::from_str(yaml).unwrap();
            assert_eq!(serde_json::to_string(&read).unwrap(), json, "{yaml}");
            assert_eq!(serde_json::from_str::<Rule>(json).unwrap(), read, "{yaml}");
        }
    }
}
