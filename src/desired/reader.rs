//! Reads mappings field by field: known names, required names, duplicates, and a place for every complaint.
//!
//! A reader never stops at the first problem: what cannot be read is noted, and the rest of the document is read on.

use super::fields::{Field, Kind};
use super::problem::{Complaint, Location, Problem, ProblemKind, nearest};
use super::yaml::{Node, Position, Value};
use std::collections::BTreeMap;

/// The longest scalar that a document may hold, in bytes: what CloudFormation takes as a parameter's value.
pub(crate) const MAX_SCALAR_BYTES: usize = 4096;
/// The most entries of a list or a mapping.
pub(crate) const MAX_ENTRIES: usize = 500;

/// What stands where in one document, and what is wrong with it.
pub(crate) struct Reader<'a> {
    file: &'a str,
    /// Everything found so far.
    pub(crate) problems: Vec<Problem>,
    /// Where each field's value stands, and its spelling, by its path.
    places: BTreeMap<String, (Position, Option<String>)>,
}

/// A mapping whose fields are known.
pub(crate) struct Fields<'n> {
    path: String,
    entries: Vec<(&'static str, &'n Node)>,
}

impl<'n> Fields<'n> {
    pub(crate) fn get(&self, name: &str) -> Option<&'n Node> {
        self.entries.iter().find(|(known, _)| *known == name).map(|(_, node)| *node)
    }

    pub(crate) fn path(&self, name: &str) -> String {
        join(&self.path, name)
    }
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

impl<'a> Reader<'a> {
    pub(crate) fn new(file: &'a str) -> Self {
        Self { file, problems: Vec::new(), places: BTreeMap::new() }
    }

    pub(crate) fn location(&self, at: Position) -> Location {
        Location { file: self.file.to_owned(), line: at.line, column: at.column }
    }

    /// Notes a problem of a node.
    pub(crate) fn refuse(
        &mut self,
        node: &Node,
        path: &str,
        kind: ProblemKind,
        complaint: Complaint,
    ) {
        let found = node.text().filter(|_| !node.is_null()).map(str::to_owned);
        self.note(node.at, path, kind, found, complaint);
    }

    /// Where a field that was read before stands.
    pub(crate) fn at(&self, path: &str) -> Position {
        self.places.get(path).map(|(at, _)| *at).unwrap_or_default()
    }

    /// Notes a problem of a field that was read before, by its path; of the document where that field is absent.
    pub(crate) fn refuse_field(&mut self, document: Position, path: &str, complaint: Complaint) {
        let (at, found) = self.places.get(path).cloned().unwrap_or((document, None));
        self.note(at, path, ProblemKind::InvalidValue, found, complaint);
    }

    pub(crate) fn note(
        &mut self,
        at: Position,
        path: &str,
        kind: ProblemKind,
        found: Option<String>,
        Complaint { message, allowed, hint }: Complaint,
    ) {
        let location = self.location(at);
        self.problems.push(Problem {
            location,
            kind,
            field: path.to_owned(),
            message,
            found,
            allowed,
            hint,
        });
    }

    /// Remembers where a value stands, for [`Self::refuse_field`].
    pub(crate) fn place(&mut self, path: &str, node: &Node) {
        self.places.insert(path.to_owned(), (node.at, node.text().map(str::to_owned)));
    }

    /// The entries of a mapping, its keys text and each there once; `None` (and a problem) when it is no mapping.
    pub(crate) fn entries<'n>(
        &mut self,
        node: &'n Node,
        path: &str,
    ) -> Option<Vec<(&'n str, &'n Node, &'n Node)>> {
        self.check_tag(node, path);
        let Value::Map(entries) = &node.value else {
            let complaint =
                Complaint::new(format!("a mapping is wanted, this is {}", node.describe()));
            self.refuse(node, path, ProblemKind::InvalidValue, complaint);
            return None;
        };
        if entries.len() > MAX_ENTRIES {
            let complaint = Complaint::new(format!("{} entries", entries.len()))
                .allowed(format!("at most {MAX_ENTRIES}"));
            self.refuse(node, path, ProblemKind::TooLarge, complaint);
            return None;
        }
        let mut unique: Vec<(&str, &Node, &Node)> = Vec::new();
        for (key, value) in entries {
            let Some(name) = key.text() else {
                let complaint =
                    Complaint::new(format!("a field's name is wanted, this is {}", key.describe()));
                self.refuse(key, path, ProblemKind::InvalidValue, complaint);
                continue;
            };
            if let Some((_, first, _)) = unique.iter().find(|(other, ..)| *other == name) {
                let complaint = Complaint::new(format!(
                    "the field is there twice, first in line {}",
                    first.at.line
                ));
                self.note(
                    key.at,
                    &join(path, name),
                    ProblemKind::DuplicateField,
                    None,
                    complaint.hint("remove one of the two"),
                );
                continue;
            }
            unique.push((name, key, value));
        }
        Some(unique)
    }

    /// Reads a mapping that has these fields and no others. `elsewhere` names fields that exist in another place.
    pub(crate) fn fields<'n>(
        &mut self,
        node: &'n Node,
        path: &str,
        known: &'static [Field],
        elsewhere: impl Fn(&str) -> Option<String>,
    ) -> Fields<'n> {
        let mut fields = Fields { path: path.to_owned(), entries: Vec::new() };
        let Some(entries) = self.entries(node, path) else { return fields };
        for (name, key, value) in entries {
            let Some(field) = known.iter().find(|field| field.name == name) else {
                self.unknown(key, name, path, known, &elsewhere);
                continue;
            };
            if value.is_null() && field.kind.may_be_null() {
                continue;
            }
            self.place(&fields.path(field.name), value);
            fields.entries.push((field.name, value));
        }
        for field in known.iter().filter(|field| field.required && fields.get(field.name).is_none())
        {
            let complaint = Complaint::new("the field is missing").hint_if_any(example(field));
            self.note(
                node.at,
                &fields.path(field.name),
                ProblemKind::MissingField,
                None,
                complaint,
            );
        }
        fields
    }

    fn unknown(
        &mut self,
        key: &Node,
        name: &str,
        path: &str,
        known: &'static [Field],
        elsewhere: &impl Fn(&str) -> Option<String>,
    ) {
        let names = known.iter().map(|field| field.name);
        let hint = elsewhere(name)
            .or_else(|| nearest(name, names.clone()).map(|near| format!("did you mean `{near}`?")))
            .or_else(|| {
                (name == "<<")
                    .then(|| "merge keys are not supported: write the fields out".to_owned())
            });
        let allowed = names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let complaint = Complaint::new("unknown field").allowed(allowed).hint_if_any(hint);
        self.note(key.at, &join(path, name), ProblemKind::UnknownField, None, complaint);
    }

    /// Reads a scalar by a rule, if the field is there.
    pub(crate) fn scalar<T>(
        &mut self,
        fields: &Fields<'_>,
        name: &str,
        rule: impl FnOnce(&str) -> Result<T, Complaint>,
    ) -> Option<T> {
        let node = fields.get(name)?;
        self.value(node, &fields.path(name), rule)
    }

    /// Reads a scalar by a rule.
    pub(crate) fn value<T>(
        &mut self,
        node: &Node,
        path: &str,
        rule: impl FnOnce(&str) -> Result<T, Complaint>,
    ) -> Option<T> {
        self.check_tag(node, path);
        let complaint = match node.text() {
            None => Complaint::new(format!("a plain value is wanted, this is {}", node.describe())),
            Some(_) if node.is_null() => Complaint::new("the field has no value")
                .hint("give it one, or remove the field; `\"\"` is empty text"),
            Some(text) if text.len() > MAX_SCALAR_BYTES => {
                Complaint::new(format!("{} bytes long", text.len()))
                    .allowed(format!("at most {MAX_SCALAR_BYTES}"))
            }
            Some(text) if text.contains(is_unprintable) => Complaint::new(
                "a control character in the value",
            )
            .hint("only line feeds and tabs are taken; write the value without the character"),
            Some(text) => match rule(text) {
                Ok(value) => return Some(value),
                Err(complaint) => complaint,
            },
        };
        self.refuse(node, path, ProblemKind::InvalidValue, complaint);
        None
    }

    /// The items of a list, each with its path, if the field is there.
    pub(crate) fn list<'n>(&mut self, fields: &Fields<'n>, name: &str) -> Vec<(String, &'n Node)> {
        let Some(node) = fields.get(name) else { return Vec::new() };
        let path = fields.path(name);
        self.check_tag(node, &path);
        let Value::List(items) = &node.value else {
            let hint =
                node.text().filter(|text| !text.is_empty()).map(|text| format!("write `[{text}]`"));
            let complaint =
                Complaint::new(format!("a list is wanted, this is {}", node.describe()))
                    .hint_if_any(hint);
            self.refuse(node, &path, ProblemKind::InvalidValue, complaint);
            return Vec::new();
        };
        if items.len() > MAX_ENTRIES {
            let complaint = Complaint::new(format!("{} items", items.len()))
                .allowed(format!("at most {MAX_ENTRIES}"));
            self.refuse(node, &path, ProblemKind::TooLarge, complaint);
            return Vec::new();
        }
        let items: Vec<_> = items
            .iter()
            .enumerate()
            .map(|(index, item)| (format!("{path}[{index}]"), item))
            .collect();
        for (path, item) in &items {
            self.place(path, item);
        }
        items
    }

    fn check_tag(&mut self, node: &Node, path: &str) {
        if let Some(tag) = &node.tag {
            let complaint =
                Complaint::new("a YAML tag has no meaning here").hint("write the value without it");
            self.note(node.at, path, ProblemKind::InvalidValue, Some(tag.clone()), complaint);
        }
    }
}

/// Whether no value may hold this character: control characters, what only some readers of YAML take for a line's end,
/// and the private-use area, in which every reader sees something else.
fn is_unprintable(character: char) -> bool {
    (character.is_control() && !matches!(character, '\n' | '\t'))
        || matches!(character, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{e000}'..='\u{f8ff}')
}

/// What a missing field could say, where there is little choice.
fn example(field: &Field) -> Option<String> {
    match &field.kind {
        Kind::Constant(value) => Some(format!("write `{}: {value}`", field.name)),
        Kind::Words(words) => words.first().map(|word| format!("write `{}: {word}`", field.name)),
        Kind::Text(_) if field.name == "engine" => Some("write `engine: valkey`".to_owned()),
        Kind::Spelled(_) if field.name == "version" => Some("write `version: \"8.0\"`".to_owned()),
        Kind::Text(_)
        | Kind::Spelled(_)
        | Kind::Flag
        | Kind::Number(..)
        | Kind::Object(_)
        | Kind::List(_)
        | Kind::Parameters
        | Kind::ParameterKeys
        | Kind::FlagOr(_) => None,
    }
}
