//! The JSON Schema of documents (draft 2020-12), for editors. Made from the same description that the reader uses.
//!
//! The schema says what a field may hold; rules between fields and documents are left to `ted-controller validate`.
//! Where an editor sees a number, we see its spelling: the schema lets numbers through where a version or an account
//! may be written without quotes.

use super::document::Role;
use super::fields::{FULL, Field, Kind, SHORT};
use super::reader::{MAX_ENTRIES, MAX_SCALAR_BYTES};
use super::render::Tree;

/// The file that holds the schema, from the repository's root.
#[cfg(test)]
pub(super) const SCHEMA_FILE: &str = "config/ted-controller.schema.json";

/// The JSON Schema of a desired document in either form, indented, with a newline at its end.
pub fn json_schema() -> String {
    let root = map(vec![
        ("$schema", text("https://json-schema.org/draft/2020-12/schema")),
        ("$id", text("urn:ted-controller.dev:v1alpha1:TurbotEnterpriseDatabase")),
        ("title", text("ted-controller desired document")),
        (
            "description",
            text(
                "What one Turbot Guardrails Enterprise Database should be: two lines, or the full form.",
            ),
        ),
        ("type", text("object")),
        ("if", map(vec![("required", Tree::List(vec![text("apiVersion")]))])),
        ("then", map(vec![("$ref", text("#/$defs/full"))])),
        ("else", map(vec![("$ref", text("#/$defs/short"))])),
        ("$defs", map(vec![("full", object(FULL, false)), ("short", object(SHORT, false))])),
    ]);
    let mut text = serde_json::to_string_pretty(&root).unwrap_or_default();
    text.push('\n');
    text
}

fn object(fields: &[Field], nullable: bool) -> Tree {
    let required: Vec<Tree> =
        fields.iter().filter(|field| field.required).map(|field| text(field.name)).collect();
    let properties = fields.iter().map(|field| (field.name, property(field))).collect();
    let mut entries = vec![
        ("type", collection_type("object", nullable)),
        ("additionalProperties", Tree::Flag(false)),
    ];
    if !required.is_empty() {
        entries.push(("required", Tree::List(required)));
    }
    entries.push(("properties", map(properties)));
    map(entries)
}

fn property(field: &Field) -> Tree {
    let Field { name: _, kind, required, default, doc } = field;
    let mut entries = vec![("description".to_owned(), text(doc))];
    if let Some(default) = default {
        entries.push(("default".to_owned(), typed(kind, default)));
    }
    // Nothing may stand for an empty mapping or list, but not for one that must be there.
    if let Tree::Map(constraints) = value(kind, !required) {
        entries.extend(constraints);
    }
    Tree::Map(entries)
}

/// What a field may hold.
fn value(kind: &Kind, nullable: bool) -> Tree {
    match kind {
        Kind::Constant(word) => map(vec![("const", text(word))]),
        Kind::Text(pattern) => map(vec![("type", text("string")), ("pattern", text(pattern))]),
        Kind::Spelled(pattern) => map(vec![
            ("type", Tree::List(vec![text("string"), text("number")])),
            // Of a number, `pattern` says nothing.
            ("pattern", text(pattern)),
        ]),
        Kind::Words(words) => {
            map(vec![("enum", Tree::List(words.iter().map(|word| text(word)).collect()))])
        }
        Kind::Flag => any_of(vec![
            map(vec![("type", text("boolean"))]),
            map(vec![("enum", Tree::List(vec![text("true"), text("false")]))]),
        ]),
        Kind::Number(least, most) => any_of(vec![
            map(vec![
                ("type", text("integer")),
                ("minimum", number((*least).into())),
                ("maximum", number((*most).into())),
            ]),
            map(vec![(
                "enum",
                Tree::List((*least..=*most).map(|choice| text(&choice.to_string())).collect()),
            )]),
        ]),
        Kind::Object(fields) => object(fields, nullable),
        Kind::List(item) => {
            map(vec![("type", collection_type("array", nullable)), ("items", value(item, false))])
        }
        Kind::Parameters => map(vec![
            ("type", collection_type("object", nullable)),
            ("maxProperties", number(MAX_ENTRIES)),
            ("propertyNames", map(vec![("pattern", text("^[A-Za-z0-9]{1,255}$"))])),
            (
                "additionalProperties",
                map(vec![
                    ("type", Tree::List(vec![text("string"), text("number"), text("boolean")])),
                    ("maxLength", number(MAX_SCALAR_BYTES)),
                ]),
            ),
        ]),
        Kind::ParameterKeys => {
            let key =
                || map(vec![("type", text("string")), ("pattern", text("^[A-Za-z0-9]{1,255}$"))]);
            map(vec![
                ("type", collection_type("object", nullable)),
                ("additionalProperties", Tree::Flag(false)),
                ("properties", map(Role::NAMES.iter().map(|name| (*name, key())).collect())),
            ])
        }
        Kind::FlagOr(fields) => any_of(vec![value(&Kind::Flag, false), object(fields, false)]),
    }
}

/// A default, of the type that an editor shows.
fn typed(kind: &Kind, default: &str) -> Tree {
    match kind {
        Kind::Flag | Kind::FlagOr(_) => Tree::Flag(default == "true"),
        Kind::Number(..) => default.parse().map_or_else(|_| text(default), Tree::Number),
        Kind::Constant(_)
        | Kind::Text(_)
        | Kind::Spelled(_)
        | Kind::Words(_)
        | Kind::Object(_)
        | Kind::List(_)
        | Kind::Parameters
        | Kind::ParameterKeys => text(default),
    }
}

fn collection_type(name: &str, nullable: bool) -> Tree {
    if nullable { Tree::List(vec![text(name), text("null")]) } else { text(name) }
}

fn any_of(choices: Vec<Tree>) -> Tree {
    map(vec![("anyOf", Tree::List(choices))])
}

fn map(entries: Vec<(&str, Tree)>) -> Tree {
    Tree::Map(entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
}

fn text(text: &str) -> Tree {
    Tree::Text(text.to_owned())
}

fn number(number: usize) -> Tree {
    Tree::Number(number)
}

#[cfg(test)]
mod tests;
