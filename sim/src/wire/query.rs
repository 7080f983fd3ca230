//! awsQuery: forms in, XML out.

use super::{Decoded, Unreadable, media_type};
use crate::error::ApiError;
use crate::node::{Map, Node};
use crate::spec::{Member, Operation, Service, Shape};
use bytes::Bytes;
use http::Request;
use quick_xml::escape::escape;
use serde_json::Value;
use std::collections::BTreeMap;

/// A form that nests deeper is not read.
const MAX_DEPTH: usize = 12;
/// A list index above this is not read.
const MAX_INDEX: usize = 1000;

pub(super) fn decode(
    service: Service,
    version: &str,
    request: &Request<Bytes>,
) -> Result<Decoded, Unreadable> {
    let form: BTreeMap<String, String> =
        if media_type(request.headers()) == "application/x-www-form-urlencoded" {
            form_urlencoded::parse(request.body()).into_owned().collect()
        } else {
            form_urlencoded::parse(request.uri().query().unwrap_or_default().as_bytes())
                .into_owned()
                .collect()
        };
    let name = form.get("Action").cloned().unwrap_or_default();
    let fail = |code: &'static str, message: String| Unreadable {
        service,
        operation: name.clone(),
        error: ApiError::new(code, message),
    };
    if name.is_empty() {
        return Err(fail(
            "MissingAction",
            "The request must contain the parameter Action".to_owned(),
        ));
    }
    let sent = form.get("Version").map(String::as_str).unwrap_or_default();
    let Some(operation) = service.operation(&name).filter(|_| sent == version) else {
        return Err(fail(
            "InvalidAction",
            format!("Could not find operation {name} for version {sent}"),
        ));
    };
    let mut tree = Tree::default();
    for (key, value) in &form {
        if key.split('.').count() > MAX_DEPTH {
            return Err(fail("MalformedInput", format!("parameter {key} nests too deep")));
        }
        tree.insert(key, value);
    }
    Ok(Decoded { service, operation, input: members(operation.input, &tree) })
}

/// The form's dotted names as a tree.
#[derive(Debug, Default)]
struct Tree {
    value: Option<String>,
    children: BTreeMap<String, Tree>,
}

impl Tree {
    fn insert(&mut self, path: &str, value: &str) {
        let place = path
            .split('.')
            .fold(self, |tree, part| tree.children.entry(part.to_owned()).or_default());
        place.value = Some(value.to_owned());
    }

    /// The items of a list, in the order of their numbers. `member` and the model's item name are both read, and so is the flattened form.
    fn items(&self, name: &str) -> Vec<&Tree> {
        let holder =
            self.children.get(name).or_else(|| self.children.get("member")).unwrap_or(self);
        let mut items: Vec<(usize, &Tree)> = holder
            .children
            .iter()
            .filter_map(|(index, tree)| {
                Some((index.parse().ok().filter(|index| *index <= MAX_INDEX)?, tree))
            })
            .collect();
        items.sort_by_key(|(index, _)| *index);
        items.into_iter().map(|(_, tree)| tree).collect()
    }
}

fn members(table: &[Member], tree: &Tree) -> Value {
    let read = table.iter().filter_map(|member| {
        Some((member.name.to_owned(), value(&member.shape, tree.children.get(member.name)?)))
    });
    Value::Object(read.collect())
}

fn value(shape: &Shape, tree: &Tree) -> Value {
    match shape {
        Shape::List { item, name, .. } => {
            Value::Array(tree.items(name).into_iter().map(|tree| value(item, tree)).collect())
        }
        Shape::Struct(table) => members(table, tree),
        Shape::Map(_)
        | Shape::Text { .. }
        | Shape::Enum(_)
        | Shape::Int { .. }
        | Shape::Bool
        | Shape::Time => tree.value.clone().map_or(Value::Null, Value::String),
    }
}

pub(super) fn write(
    operation: &Operation,
    namespace: &str,
    answer: &Map,
    request_id: &str,
) -> String {
    let name = operation.name;
    let mut xml = String::with_capacity(1024);
    xml.extend(["<", name, "Response xmlns=\"", namespace, "\">"]);
    if operation.has_result {
        element(&format!("{name}Result"), &Node::Map(answer.clone()), &mut xml);
    }
    xml.extend([
        "<ResponseMetadata><RequestId>",
        request_id,
        "</RequestId></ResponseMetadata></",
        name,
        "Response>",
    ]);
    xml
}

pub(super) fn error(namespace: &str, error: &ApiError, request_id: &str) -> String {
    let kind = if error.status < 500 { "Sender" } else { "Receiver" };
    format!(
        "<ErrorResponse xmlns=\"{namespace}\"><Error><Type>{kind}</Type><Code>{}</Code><Message>{}</Message></Error><RequestId>{request_id}</RequestId></ErrorResponse>",
        escape(error.code.as_ref()),
        escape(error.message.as_str())
    )
}

fn element(name: &str, node: &Node, xml: &mut String) {
    let start = xml.len();
    xml.extend(["<", name, ">"]);
    let content = xml.len();
    match node {
        Node::Text(text) => xml.push_str(&escape(text.as_ref())),
        Node::Int(number) => xml.push_str(&number.to_string()),
        Node::Float(number) => xml.push_str(&number.to_string()),
        Node::Bool(flag) => xml.push_str(if *flag { "true" } else { "false" }),
        Node::Time(at) => xml.push_str(&at.iso()),
        Node::List(item, items) => items.iter().for_each(|node| element(item, node, xml)),
        Node::Map(map) => map.members().for_each(|(name, node)| element(name, node, xml)),
    }
    if xml.len() == content {
        // Empty lists and texts are an empty element: `<NotificationARNs/>`.
        xml.truncate(start);
        xml.extend(["<", name, "/>"]);
    } else {
        xml.extend(["</", name, ">"]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::{TEXT, list, opt};

    #[test]
    fn lists_are_read_in_every_form() {
        static TABLE: [Member; 1] = [opt("Skip", list(&TEXT))];
        for (why, form, expected) in [
            (
                "member",
                vec![("Skip.member.2", "b"), ("Skip.member.1", "a")],
                r#"{"Skip":["a","b"]}"#,
            ),
            ("flattened", vec![("Skip.1", "a")], r#"{"Skip":["a"]}"#),
            ("sent empty", vec![("Skip", "")], r#"{"Skip":[]}"#),
            (
                "ten items keep their order",
                (1..=10).map(|_| ("Skip.member.10", "z")).collect(),
                r#"{"Skip":["z"]}"#,
            ),
        ] {
            let mut tree = Tree::default();
            for (key, value) in &form {
                tree.insert(key, value);
            }
            assert_eq!(members(&TABLE, &tree).to_string(), expected, "{why}");
        }
    }

    #[test]
    fn text_is_escaped_and_empty_elements_are_short() {
        let mut xml = String::new();
        element(
            "R",
            &Node::Map(Map::new().with("A", "<&>").list("L", Vec::<Node>::new())),
            &mut xml,
        );
        assert_eq!(xml, "<R><A>&lt;&amp;&gt;</A><L/></R>");
    }
}
