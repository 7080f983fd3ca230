//! What an operation answers, before it is written in a wire protocol.
//!
//! One tree serves all three protocols: lists know the element name that XML gives their items, times know that they are times.

use crate::time::SimTime;
use std::borrow::Cow;

/// A value of an answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Node {
    /// Text, and enumerations.
    Text(Cow<'static, str>),
    /// Integers and longs.
    Int(i64),
    /// Floats and doubles.
    Float(f64),
    /// Booleans.
    Bool(bool),
    /// Timestamps: epoch seconds in JSON, ISO 8601 in XML.
    Time(SimTime),
    /// A list, with the name XML gives an item (`member` for most services).
    List(&'static str, Vec<Node>),
    /// A structure, or a map with text keys (JSON only).
    Map(Map),
}

/// The members of a structure in the order they are written. Absent members are left out, as AWS does.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Map(Vec<(Cow<'static, str>, Node)>);

impl Map {
    /// A structure without members.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Adds a member.
    #[must_use]
    pub fn with(mut self, name: impl Into<Cow<'static, str>>, value: impl Into<Node>) -> Self {
        self.0.push((name.into(), value.into()));
        self
    }

    /// Adds a member that may be absent.
    #[must_use]
    pub fn maybe(self, name: &'static str, value: Option<impl Into<Node>>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// Adds a list whose items XML calls `member`.
    #[must_use]
    pub fn list<N: Into<Node>>(
        self,
        name: &'static str,
        items: impl IntoIterator<Item = N>,
    ) -> Self {
        self.named_list(name, "member", items)
    }

    /// Adds a list whose items XML calls `item`.
    #[must_use]
    pub fn named_list<N: Into<Node>>(
        self,
        name: &'static str,
        item: &'static str,
        items: impl IntoIterator<Item = N>,
    ) -> Self {
        self.with(name, Node::List(item, items.into_iter().map(Into::into).collect()))
    }

    /// The members in order.
    pub fn members(&self) -> impl Iterator<Item = (&str, &Node)> {
        self.0.iter().map(|(name, value)| (name.as_ref(), value))
    }

    /// The member called `name`.
    pub fn get(&self, name: &str) -> Option<&Node> {
        self.members().find(|(member, _)| *member == name).map(|(_, value)| value)
    }

    /// Adds a member in place.
    pub fn put(&mut self, name: impl Into<Cow<'static, str>>, value: impl Into<Node>) {
        self.0.push((name.into(), value.into()));
    }
}

macro_rules! from {
    ($($from:ty => $value:ident $node:expr;)*) => { $(
        impl From<$from> for Node {
            fn from($value: $from) -> Self { $node }
        }
    )* };
}

from! {
    &str => value Self::Text(Cow::Owned(value.to_owned()));
    &String => value Self::Text(Cow::Owned(value.clone()));
    String => value Self::Text(Cow::Owned(value));
    i64 => value Self::Int(value);
    u32 => value Self::Int(i64::from(value));
    i32 => value Self::Int(i64::from(value));
    usize => value Self::Int(i64::try_from(value).unwrap_or(i64::MAX));
    f64 => value Self::Float(value);
    bool => value Self::Bool(value);
    SimTime => value Self::Time(value);
    Map => value Self::Map(value);
}
