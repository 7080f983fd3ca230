//! Policy documents: which statements match an action on a resource.
//!
//! `Action`, `NotAction`, `Resource` and `NotResource` are read with their wildcards. **Conditions are not evaluated**: a statement
//! with a `Condition` counts as one whose condition holds. Their keys are kept, because `SimulatePrincipalPolicy` names them.
//! Principals of resource policies are not read here; a role's trust is [`super::Trust`].

use serde_json::Value;

/// A parsed policy document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Policy {
    /// Unique among the policies of one principal.
    pub(crate) name: String,
    statements: Vec<Statement>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Statement {
    allows: bool,
    actions: Patterns,
    resources: Patterns,
    condition_keys: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Patterns {
    Any(Vec<String>),
    NoneOf(Vec<String>),
}

/// What one policy says about an action on a resource. A deny wins over an allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Denies,
    Allows,
    Silent,
}

/// A document that is no policy.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Malformed {
    #[error("Syntax errors in policy: {0}")]
    Syntax(#[from] serde_json::Error),
    #[error("Syntax errors in policy: {0}")]
    Form(&'static str),
}

impl Policy {
    /// Reads a JSON policy document.
    pub(crate) fn parse(name: impl Into<String>, document: &str) -> Result<Self, Malformed> {
        Self::from_value(name, &serde_json::from_str(document)?)
    }

    /// The same from parsed JSON.
    pub(crate) fn from_value(name: impl Into<String>, document: &Value) -> Result<Self, Malformed> {
        let statements = match document.get("Statement") {
            Some(Value::Array(items)) => items.iter().map(statement).collect::<Result<_, _>>()?,
            Some(one @ Value::Object(_)) => vec![statement(one)?],
            _ => return Err(Malformed::Form("a policy needs a Statement")),
        };
        Ok(Self { name: name.into(), statements })
    }

    /// What it says about `action` (`rds:ModifyDBInstance`) on `resource` (an ARN or `*`).
    pub(crate) fn verdict(&self, action: &str, resource: &str) -> Verdict {
        let mut verdict = Verdict::Silent;
        for statement in &self.statements {
            if statement.actions.hold(action, same_action)
                && statement.resources.hold(resource, glob)
            {
                if !statement.allows {
                    return Verdict::Denies;
                }
                verdict = Verdict::Allows;
            }
        }
        verdict
    }

    /// The condition keys of its statements, in their order.
    pub(crate) fn condition_keys(&self) -> impl Iterator<Item = &str> {
        self.statements
            .iter()
            .flat_map(|statement| statement.condition_keys.iter().map(String::as_str))
    }
}

impl Patterns {
    fn hold(&self, text: &str, matches: fn(&str, &str) -> bool) -> bool {
        match self {
            Self::Any(patterns) => patterns.iter().any(|pattern| matches(pattern, text)),
            Self::NoneOf(patterns) => !patterns.iter().any(|pattern| matches(pattern, text)),
        }
    }
}

fn statement(raw: &Value) -> Result<Statement, Malformed> {
    let allows = match raw.get("Effect").and_then(Value::as_str) {
        Some("Allow") => true,
        Some("Deny") => false,
        _ => return Err(Malformed::Form("Effect must be Allow or Deny")),
    };
    let conditions = raw.get("Condition").and_then(Value::as_object);
    let keys = conditions
        .into_iter()
        .flat_map(|operators| operators.values())
        .filter_map(Value::as_object);
    Ok(Statement {
        allows,
        actions: patterns(raw, "Action", "NotAction", "a statement needs Action or NotAction")?,
        resources: patterns(
            raw,
            "Resource",
            "NotResource",
            "a statement needs Resource or NotResource",
        )?,
        condition_keys: keys.flat_map(|keys| keys.keys().cloned()).collect(),
    })
}

fn patterns(
    raw: &Value,
    any: &str,
    none_of: &str,
    missing: &'static str,
) -> Result<Patterns, Malformed> {
    match (raw.get(any), raw.get(none_of)) {
        (Some(values), None) => Ok(Patterns::Any(texts(values)?)),
        (None, Some(values)) => Ok(Patterns::NoneOf(texts(values)?)),
        _ => Err(Malformed::Form(missing)),
    }
}

fn texts(values: &Value) -> Result<Vec<String>, Malformed> {
    let text = |value: &Value| {
        value.as_str().map(str::to_owned).ok_or(Malformed::Form("patterns must be text"))
    };
    match values {
        Value::Array(items) => items.iter().map(text).collect(),
        one => Ok(vec![text(one)?]),
    }
}

/// Whether an action matches a pattern of actions. Actions have no case (IAM user guide, "Action").
pub(crate) fn same_action(pattern: &str, action: &str) -> bool {
    glob(&pattern.to_ascii_lowercase(), &action.to_ascii_lowercase())
}

/// Whether all of `text` matches `pattern`, where `*` is any text and `?` any one character.
pub(crate) fn glob(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t) = (0, 0);
    // Where to go back to: behind the last `*`, and the text it has not yet swallowed.
    let mut retry = None;
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                p += 1;
                retry = Some((p, t + 1));
            }
            Some(&wanted) if wanted == '?' || wanted == text[t] => (p, t) = (p + 1, t + 1),
            _ => match retry {
                Some((behind, next)) => {
                    (p, t) = (behind, next);
                    retry = Some((behind, next + 1));
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|&rest| rest == '*')
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn wildcards_match_as_iam_matches_them() {
        for (pattern, text, expected, why) in [
            ("*", "", true, "a star is also nothing"),
            ("arn:aws:rds:*:db:*", "arn:aws:rds:us-east-2:1:db:x", true, "a star crosses colons"),
            ("stack/SC-*", "stack/SC-1/pp-2", true, "and slashes"),
            ("a*b*c", "a-b-b-c", true, "stars may have to swallow more"),
            ("a*b", "a-b-c", false, "the whole text counts"),
            ("db:?", "db:12", false, "a question mark is one character"),
            ("db:?", "db:1", true, "exactly one"),
            ("db:?", "db:", false, "and not none"),
            ("DB", "db", false, "resources have case"),
        ] {
            assert_eq!(glob(pattern, text), expected, "{pattern} {text}: {why}");
        }
    }

    #[test]
    fn a_document_allows_denies_or_is_silent() {
        let check = |statements: Value, action: &str, resource: &str| {
            Policy::from_value("p", &json!({"Version": "2012-10-17", "Statement": statements}))
                .unwrap()
                .verdict(action, resource)
        };
        let allow = |action: Value, resource: Value| json!({"Effect": "Allow", "Action": action, "Resource": resource});
        for (why, statements, expected) in [
            ("exact", json!([allow(json!("rds:ModifyDBInstance"), json!("*"))]), Verdict::Allows),
            ("a lone statement needs no list", allow(json!("rds:*"), json!("*")), Verdict::Allows),
            (
                "actions have no case",
                json!([allow(json!(["RDS:modifydb*"]), json!(["arn:aws:rds:*"]))]),
                Verdict::Allows,
            ),
            (
                "another resource",
                json!([allow(json!("rds:*"), json!("arn:aws:rds:*:*:cluster:*"))]),
                Verdict::Silent,
            ),
            (
                "a deny wins whatever the order",
                json!([
                    {"Effect": "Deny", "Action": "rds:Modify*", "Resource": "*"},
                    allow(json!("*"), json!("*"))
                ]),
                Verdict::Denies,
            ),
            (
                "NotAction names what is left out",
                json!([{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}]),
                Verdict::Allows,
            ),
            (
                "NotAction that names it",
                json!([{"Effect": "Allow", "NotAction": ["rds:*"], "Resource": "*"}]),
                Verdict::Silent,
            ),
            (
                "NotResource",
                json!([{"Effect": "Deny", "Action": "*", "NotResource": "arn:aws:s3:::*"}]),
                Verdict::Denies,
            ),
            (
                "a condition counts as holding",
                json!([{"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"Bool": {"aws:Secure": "true"}}}]),
                Verdict::Allows,
            ),
        ] {
            assert_eq!(
                check(statements, "rds:ModifyDBInstance", "arn:aws:rds:us-east-2:1:db:x"),
                expected,
                "{why}"
            );
        }
    }

    #[test]
    fn a_document_that_is_no_policy_is_refused() {
        for (why, document) in [
            ("no JSON", "{"),
            ("no statement", r#"{"Version": "2012-10-17"}"#),
            ("no effect", r#"{"Statement": [{"Action": "*", "Resource": "*"}]}"#),
            ("no action", r#"{"Statement": [{"Effect": "Allow", "Resource": "*"}]}"#),
            (
                "action and NotAction",
                r#"{"Statement": [{"Effect": "Allow", "Action": "*", "NotAction": "*", "Resource": "*"}]}"#,
            ),
            (
                "a number as action",
                r#"{"Statement": [{"Effect": "Allow", "Action": 1, "Resource": "*"}]}"#,
            ),
        ] {
            assert!(Policy::parse("p", document).is_err(), "{why}");
        }
    }

    #[test]
    fn condition_keys_are_kept() {
        let document = r#"{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"StringEquals": {"lambda:FunctionArn": "x"}}}}"#;
        assert_eq!(
            Policy::parse("p", document).unwrap().condition_keys().collect::<Vec<_>>(),
            ["lambda:FunctionArn"]
        );
    }
}
