//! What an operation takes: a table of its input members, from which requests are read and validated.
//!
//! The members, limits and patterns are those of the public AWS API references; `tests/conformance` compares every row with the
//! service models that botocore ships.

use crate::error::ApiError;
use crate::node::Map;
use crate::services::Call;
use regex_lite::Regex;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::{LazyLock, Mutex};

/// The services that are simulated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Service {
    /// AWS Service Catalog.
    ServiceCatalog,
    /// AWS CloudFormation.
    CloudFormation,
    /// Amazon ElastiCache.
    ElastiCache,
    /// Amazon RDS.
    Rds,
    /// AWS Lambda.
    Lambda,
    /// Amazon SQS.
    Sqs,
    /// AWS Security Token Service.
    Sts,
    /// AWS Identity and Access Management.
    Iam,
}

/// How a service speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// `POST /` with `x-amz-target: <prefix>.<Operation>`; the version of awsJson.
    Json {
        /// What stands before the dot of `x-amz-target`.
        target: &'static str,
        /// `1.0` or `1.1`.
        version: &'static str,
    },
    /// `POST /` with a form; the API version and the XML namespace of answers.
    Query {
        /// The `Version` parameter.
        version: &'static str,
        /// The namespace of the answer's root element.
        namespace: &'static str,
    },
    /// Method and path.
    Rest,
}

impl Service {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::ServiceCatalog,
        Self::CloudFormation,
        Self::ElastiCache,
        Self::Rds,
        Self::Lambda,
        Self::Sqs,
        Self::Sts,
        Self::Iam,
    ];

    /// The service's name in a `SigV4` credential scope, and its prefix in IAM actions.
    pub fn name(self) -> &'static str {
        match self {
            Self::ServiceCatalog => "servicecatalog",
            Self::CloudFormation => "cloudformation",
            Self::ElastiCache => "elasticache",
            Self::Rds => "rds",
            Self::Lambda => "lambda",
            Self::Sqs => "sqs",
            Self::Sts => "sts",
            Self::Iam => "iam",
        }
    }

    /// The service with this credential-scope name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|service| service.name() == name)
    }

    /// The protocol that today's SDKs send (captured from boto3 1.44, the AWS CLI 1.46 and the Rust SDKs of 2026).
    pub fn protocol(self) -> Protocol {
        match self {
            Self::ServiceCatalog => {
                Protocol::Json { target: "AWS242ServiceCatalogService", version: "1.1" }
            }
            Self::Sqs => Protocol::Json { target: "AmazonSQS", version: "1.0" },
            Self::CloudFormation => Protocol::Query {
                version: "2010-05-15",
                namespace: "http://cloudformation.amazonaws.com/doc/2010-05-15/",
            },
            Self::ElastiCache => Protocol::Query {
                version: "2015-02-02",
                namespace: "http://elasticache.amazonaws.com/doc/2015-02-02/",
            },
            Self::Rds => Protocol::Query {
                version: "2014-10-31",
                namespace: "http://rds.amazonaws.com/doc/2014-10-31/",
            },
            Self::Sts => Protocol::Query {
                version: "2011-06-15",
                namespace: "https://sts.amazonaws.com/doc/2011-06-15/",
            },
            Self::Iam => Protocol::Query {
                version: "2010-05-08",
                namespace: "https://iam.amazonaws.com/doc/2010-05-08/",
            },
            Self::Lambda => Protocol::Rest,
        }
    }

    /// The operations that are simulated.
    pub fn operations(self) -> &'static [Operation] {
        crate::services::operations(self)
    }

    /// The simulated operation called `name`.
    pub fn operation(self, name: &str) -> Option<&'static Operation> {
        self.operations().iter().find(|operation| operation.name == name)
    }
}

/// One operation of a service.
#[derive(Debug)]
pub struct Operation {
    /// `UpdateProvisionedProduct`.
    pub name: &'static str,
    /// Whether it changes anything.
    pub effect: Effect,
    /// Its input members.
    pub input: &'static [Member],
    /// Method, path and success status of a REST operation.
    pub route: Option<Route>,
    /// Whether a Query answer has an `<OpResult>` element (operations without a result shape have none).
    pub has_result: bool,
    /// Carries it out.
    pub run: fn(&mut Call<'_>) -> Result<Map, ApiError>,
}

/// Whether an operation changes anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    /// Looks only.
    Read,
    /// Changes the world.
    Write,
}

/// Where a REST operation lives.
#[derive(Debug)]
pub struct Route {
    /// `GET`, `PUT`, …
    pub method: &'static str,
    /// `/2015-03-31/event-source-mappings/{UUID}`: a segment in braces is the member of that name.
    pub path: &'static str,
    /// Names in the query string that differ from their member's: `(tagKeys, TagKeys)`.
    pub query: &'static [(&'static str, &'static str)],
    /// HTTP status of success.
    pub success: u16,
}

impl Operation {
    /// An operation that looks only.
    pub const fn read(
        name: &'static str,
        input: &'static [Member],
        run: fn(&mut Call<'_>) -> Result<Map, ApiError>,
    ) -> Self {
        Self { name, effect: Effect::Read, input, route: None, has_result: true, run }
    }

    /// An operation that changes something.
    pub const fn write(
        name: &'static str,
        input: &'static [Member],
        run: fn(&mut Call<'_>) -> Result<Map, ApiError>,
    ) -> Self {
        Self { name, effect: Effect::Write, input, route: None, has_result: true, run }
    }

    /// The same at a REST route.
    #[must_use]
    pub const fn at(
        mut self,
        method: &'static str,
        path: &'static str,
        query: &'static [(&'static str, &'static str)],
        success: u16,
    ) -> Self {
        self.route = Some(Route { method, path, query, success });
        self
    }

    /// The same without a result element in XML.
    #[must_use]
    pub const fn without_result(mut self) -> Self {
        self.has_result = false;
        self
    }
}

/// A member of an input structure.
#[derive(Debug)]
pub struct Member {
    /// `ProvisionedProductId`.
    pub name: &'static str,
    /// Whether a request without it is refused.
    pub required: bool,
    /// What it holds.
    pub shape: Shape,
}

/// What a member holds, with the limits AWS enforces.
#[derive(Debug)]
pub enum Shape {
    /// Text of `min` to `max` characters that matches `pattern` (`""`: anything).
    Text {
        /// Fewest characters.
        min: usize,
        /// Most characters.
        max: usize,
        /// A regular expression for the whole text.
        pattern: &'static str,
    },
    /// One of these.
    Enum(&'static [&'static str]),
    /// A whole number from `min` to `max`.
    Int {
        /// Smallest value.
        min: i64,
        /// Largest value.
        max: i64,
    },
    /// `true` or `false`.
    Bool,
    /// A timestamp.
    Time,
    /// At most `max` items.
    List {
        /// What an item holds.
        item: &'static Shape,
        /// The name of an item in a form, `member` for most services.
        name: &'static str,
        /// Most items.
        max: usize,
    },
    /// A structure.
    Struct(&'static [Member]),
    /// A map with text keys.
    Map(&'static Shape),
}

/// A member that every request has.
pub const fn req(name: &'static str, shape: Shape) -> Member {
    Member { name, required: true, shape }
}

/// A member that a request may have.
pub const fn opt(name: &'static str, shape: Shape) -> Member {
    Member { name, required: false, shape }
}

/// Any text.
pub const TEXT: Shape = Shape::Text { min: 0, max: usize::MAX, pattern: "" };
/// Any whole number.
pub const INT: Shape = Shape::Int { min: i64::MIN, max: i64::MAX };

/// Text of `min` to `max` characters.
pub const fn text(min: usize, max: usize) -> Shape {
    Shape::Text { min, max, pattern: "" }
}

/// Text of `min` to `max` characters that matches `pattern`.
pub const fn pattern(min: usize, max: usize, pattern: &'static str) -> Shape {
    Shape::Text { min, max, pattern }
}

/// A list whose items a form calls `member`.
pub const fn list(item: &'static Shape) -> Shape {
    Shape::List { item, name: "member", max: usize::MAX }
}

/// A validated request: every member has the type its table gives it.
#[derive(Clone, Debug, Default)]
pub struct Input(pub(crate) Value);

impl Input {
    /// The text of a member; absent when it was not sent.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(Value::as_str)
    }

    /// The text of a required member (validation has seen that it is there).
    pub fn need(&self, name: &str) -> &str {
        self.text(name).unwrap_or_default()
    }

    /// A whole number.
    pub fn int(&self, name: &str) -> Option<i64> {
        self.0.get(name).and_then(Value::as_i64)
    }

    /// A boolean.
    pub fn bool(&self, name: &str) -> Option<bool> {
        self.0.get(name).and_then(Value::as_bool)
    }

    /// The items of a list; none when it was not sent.
    pub fn list(&self, name: &str) -> Vec<Self> {
        self.0
            .get(name)
            .and_then(Value::as_array)
            .map(|items| items.iter().cloned().map(Self).collect())
            .unwrap_or_default()
    }

    /// The items of a list of texts.
    pub fn texts(&self, name: &str) -> Vec<String> {
        self.list(name).into_iter().filter_map(|item| item.0.as_str().map(str::to_owned)).collect()
    }

    /// A structure.
    pub fn inner(&self, name: &str) -> Option<Self> {
        self.0.get(name).cloned().map(Self)
    }

    /// The entries of a map of texts.
    pub fn entries(&self, name: &str) -> BTreeMap<String, String> {
        let map = self.0.get(name).and_then(Value::as_object);
        map.into_iter()
            .flatten()
            .filter_map(|(key, value)| value.as_str().map(|value| (key.clone(), value.to_owned())))
            .collect()
    }

    /// Whether a member was sent.
    pub fn has(&self, name: &str) -> bool {
        self.0.get(name).is_some()
    }

    /// This item of a list of texts.
    pub fn as_text(&self) -> Option<&str> {
        self.0.as_str()
    }
}

/// Reads `raw` by the operation's table. Members the table does not have are dropped, as AWS ignores them.
///
/// # Errors
/// In the words the service uses for a request that breaks a limit.
pub(crate) fn validate(
    service: Service,
    operation: &Operation,
    raw: &Value,
) -> Result<Input, ApiError> {
    let mut broken = Vec::new();
    let read = structure(operation.input, raw, "", &mut broken);
    match broken.first() {
        None => Ok(Input(read)),
        Some(first) => Err(refusal(service, first, &broken)),
    }
}

/// A limit that a request breaks.
struct Broken {
    path: String,
    value: Option<String>,
    constraint: String,
}

fn refusal(service: Service, first: &Broken, all: &[Broken]) -> ApiError {
    let text = |broken: &Broken| {
        let value = broken.value.as_ref().map_or("null".to_owned(), |value| format!("'{value}'"));
        format!(
            "Value {value} at '{}' failed to satisfy constraint: {}",
            lower_camel(&broken.path),
            broken.constraint
        )
    };
    let detected = format!(
        "{} validation error{} detected: {}",
        all.len(),
        if all.len() == 1 { "" } else { "s" },
        all.iter().map(text).collect::<Vec<_>>().join("; ")
    );
    match service {
        Service::Rds | Service::ElastiCache if first.value.is_none() => ApiError::new(
            "MissingParameter",
            format!("The request must contain the parameter {}.", first.path),
        ),
        Service::Rds | Service::ElastiCache => ApiError::new(
            "InvalidParameterValue",
            format!(
                "Invalid value {} for {}. {}",
                first.value.clone().unwrap_or_default(),
                first.path,
                first.constraint
            ),
        ),
        Service::CloudFormation | Service::Sts => ApiError::new("ValidationError", detected),
        Service::Iam => ApiError::new("ValidationError", detected),
        Service::Sqs if first.value.is_none() => ApiError::new(
            "MissingParameter",
            format!("The request must contain the parameter {}.", first.path),
        ),
        // SQS knows its attributes by name before it validates anything else (SQS API reference, GetQueueAttributes: errors).
        Service::Sqs if first.path.starts_with("AttributeNames") => ApiError::new(
            "InvalidAttributeName",
            format!("Unknown Attribute {}.", first.value.clone().unwrap_or_default()),
        ),
        Service::ServiceCatalog | Service::Lambda | Service::Sqs => {
            ApiError::new("ValidationException", detected)
        }
    }
}

fn lower_camel(path: &str) -> String {
    path.split('.')
        .map(|part| {
            let mut chars = part.chars();
            chars
                .next()
                .map(|first| first.to_lowercase().collect::<String>() + chars.as_str())
                .unwrap_or_default()
        })
        .collect::<Vec<_>>()
        .join(".")
}

fn structure(members: &[Member], raw: &Value, path: &str, broken: &mut Vec<Broken>) -> Value {
    let mut read = serde_json::Map::new();
    for member in members {
        let path = if path.is_empty() {
            member.name.to_owned()
        } else {
            format!("{path}.{}", member.name)
        };
        match raw.get(member.name) {
            None | Some(Value::Null) => {
                if member.required {
                    broken.push(Broken {
                        path,
                        value: None,
                        constraint: "Member must not be null".to_owned(),
                    });
                }
            }
            Some(value) => {
                if let Some(value) = value_of(&member.shape, value, &path, broken) {
                    read.insert(member.name.to_owned(), value);
                }
            }
        }
    }
    Value::Object(read)
}

fn value_of(shape: &Shape, raw: &Value, path: &str, broken: &mut Vec<Broken>) -> Option<Value> {
    let shown = match raw {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let mut fail = |constraint: String| {
        broken.push(Broken { path: path.to_owned(), value: Some(shown.clone()), constraint });
        None
    };
    match shape {
        Shape::Text { min, max, pattern } => {
            let Value::String(text) = raw else {
                return fail("Member must be a string".to_owned());
            };
            let length = text.chars().count();
            if length < *min {
                return fail(format!("Member must have length greater than or equal to {min}"));
            }
            if length > *max {
                return fail(format!("Member must have length less than or equal to {max}"));
            }
            if !pattern.is_empty() && !matches(pattern, text) {
                return fail(format!("Member must satisfy regular expression pattern: {pattern}"));
            }
            Some(raw.clone())
        }
        Shape::Enum(values) => match raw.as_str() {
            Some(text) if values.contains(&text) => Some(raw.clone()),
            _ => fail(format!("Member must satisfy enum value set: [{}]", values.join(", "))),
        },
        Shape::Int { min, max } => {
            let number =
                raw.as_i64().or_else(|| raw.as_str().and_then(|text| text.trim().parse().ok()));
            match number {
                None => fail("Member must be an integer".to_owned()),
                Some(number) if number < *min => {
                    fail(format!("Member must have value greater than or equal to {min}"))
                }
                Some(number) if number > *max => {
                    fail(format!("Member must have value less than or equal to {max}"))
                }
                Some(number) => Some(number.into()),
            }
        }
        Shape::Bool => match (raw, raw.as_str()) {
            (Value::Bool(flag), _) => Some((*flag).into()),
            (_, Some("true" | "True" | "1")) => Some(true.into()),
            (_, Some("false" | "False" | "0")) => Some(false.into()),
            _ => fail("Member must be a boolean".to_owned()),
        },
        Shape::Time => Some(raw.clone()),
        Shape::List { item, max, .. } => {
            let items = match raw {
                Value::Array(items) => items,
                // A list sent empty is a bare `Name=` in a form.
                Value::String(text) if text.is_empty() => return Some(Value::Array(Vec::new())),
                _ => return fail("Member must be a list".to_owned()),
            };
            if items.len() > *max {
                return fail(format!("Member must have length less than or equal to {max}"));
            }
            let read = items.iter().enumerate().filter_map(|(index, raw)| {
                value_of(item, raw, &format!("{path}.{}.member", index + 1), broken)
            });
            Some(Value::Array(read.collect()))
        }
        Shape::Struct(members) => match raw {
            Value::Object(_) => Some(structure(members, raw, path, broken)),
            _ => fail("Member must be a structure".to_owned()),
        },
        Shape::Map(item) => match raw {
            Value::Object(entries) => {
                let read = entries.iter().filter_map(|(key, raw)| {
                    Some((key.clone(), value_of(item, raw, &format!("{path}.{key}"), broken)?))
                });
                Some(Value::Object(read.collect()))
            }
            _ => fail("Member must be a map".to_owned()),
        },
    }
}

/// Whether all of `text` matches `pattern`. Patterns this engine cannot compile match everything.
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    static COMPILED: LazyLock<Mutex<BTreeMap<String, Option<Regex>>>> =
        LazyLock::new(Mutex::default);
    let mut compiled = COMPILED.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let regex = compiled
        .entry(pattern.to_owned())
        .or_insert_with(|| Regex::new(&format!("^(?:{pattern})$")).ok());
    regex.as_ref().is_none_or(|regex| regex.is_match(text))
}
