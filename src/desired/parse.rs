//! From the bytes of a file to its desired documents, and from a document back to YAML.
//!
//! Reading goes through [`super::yaml`], because positions and spellings matter there; writing goes through
//! `serde_yaml`, whose emitter knows what has to be quoted. `serde_yaml` is at rest upstream and is named in this file
//! only. Tests read what one of the two writes with the other.

use super::document::{
    API_GROUP, API_VERSION, Desired, Events, KIND, Mode, Policy, TedSpec, not_one_of,
};
use super::fields::{CACHE, EVENTS, FULL, Field, METADATA, POLICY, SHORT, SPEC};
use super::ids::{AccountId, HiveName, Name, ProductRef, Region};
use super::problem::{Complaint, Location, Note, Problem, ProblemKind, Shown, nearest};
use super::reader::{Fields, Reader};
use super::validate;
use super::version::VersionWish;
use super::yaml::{self, Node, Position, Value, YamlError};
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

pub(crate) mod spec;

/// What the controller says where a document is silent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Defaults {
    /// The region of documents that name none.
    pub region: Option<Region>,
    /// The account of documents that name none, for telling apart two products of one name.
    pub account: Option<AccountId>,
    /// How often to look at a TED whose document does not say.
    pub interval: Option<Duration>,
}

impl Defaults {
    /// The policy of a document that says nothing about it.
    pub(super) fn policy(&self) -> Policy {
        let policy = Policy::default();
        Policy { interval: self.interval.unwrap_or(policy.interval), ..policy }
    }
}

/// After how many problems the rest of a file is not looked at: nobody reads them, and looking for hints takes time.
const MAX_PROBLEMS: usize = 100;

/// What one file holds.
#[derive(Clone, Debug, Default)]
pub(super) struct FileRead {
    /// The documents without a problem.
    pub(super) documents: Vec<Desired>,
    pub(super) problems: Vec<Problem>,
    pub(super) notes: Vec<Note>,
}

/// Reads a file. A file that is no YAML yields no document at all: it may have been cut off in the middle of one.
pub(super) fn file(path: &str, bytes: &[u8], defaults: &Defaults) -> FileRead {
    let stream = yaml::read(bytes);
    let mut read = FileRead::default();
    for node in &stream.documents {
        if read.problems.len() >= MAX_PROBLEMS {
            let what =
                format!("more than {MAX_PROBLEMS} problems, documents from here on are not read");
            read.problems.push(yaml_problem(path, YamlError::TooLarge { at: Some(node.at), what }));
            break;
        }
        document(path, node, defaults, &mut read);
    }
    if let Some(error) = stream.error {
        read.documents.clear();
        read.problems.push(yaml_problem(path, error));
    } else if stream.documents.is_empty() {
        let location = Location { file: path.to_owned(), line: 0, column: 0 };
        read.notes.push(Note { location, message: "no document in this file".to_owned() });
    }
    read
}

pub(crate) fn yaml_problem(path: &str, error: YamlError) -> Problem {
    let message = error.to_string();
    let (at, kind, hint) = match error {
        YamlError::Syntax { at, info } => (at, ProblemKind::Syntax, syntax_hint(&info)),
        YamlError::Encoding { at } => (at, ProblemKind::Syntax, Some("save the file as UTF-8")),
        YamlError::TooLarge { at, what: _ } => {
            (at.unwrap_or(Position { line: 0, column: 0 }), ProblemKind::TooLarge, None)
        }
    };
    let location = Location { file: path.to_owned(), line: at.line, column: at.column };
    let hint = hint.map(str::to_owned);
    Problem { location, kind, field: String::new(), message, found: None, allowed: None, hint }
}

fn syntax_hint(info: &str) -> Option<&'static str> {
    if info.contains("tab") {
        Some("indent with blanks: YAML allows no tabs there")
    } else if info.contains("mapping values are not allowed") {
        Some("is a value with `: ` in it, which needs quotes, or a line indented too far?")
    } else {
        None
    }
}

/// Reads one document into `read`, or says why it is not ours.
fn document(path: &str, node: &Node, defaults: &Defaults, read: &mut FileRead) {
    let mut reader = Reader::new(path);
    let desired = match form(node) {
        Form::Full => full(&mut reader, node, defaults),
        Form::Short => short(&mut reader, path, node, defaults),
        Form::Foreign(message) => {
            read.notes.push(Note { location: reader.location(node.at), message });
            return;
        }
    };
    match desired {
        Some(desired) if reader.problems.is_empty() => {
            validate::document(&mut reader, node.at, &desired);
            if reader.problems.is_empty() {
                read.documents.push(desired);
            }
        }
        // The rules across fields need all fields; they are checked once each field is right by itself.
        Some(_) | None => {}
    }
    reader.problems.sort_by_key(|problem| (problem.location.line, problem.location.column));
    read.problems.append(&mut reader.problems);
}

enum Form {
    Full,
    Short,
    /// Not ours, and why we think so.
    Foreign(String),
}

fn form(node: &Node) -> Form {
    let Value::Map(entries) = &node.value else {
        return Form::Foreign(format!(
            "ignored: a desired document is a mapping, this is {}",
            node.describe()
        ));
    };
    let text = |key: &str| node.get(key).and_then(Node::text);
    if let Some(api_version) = text("apiVersion") {
        if api_version.split('/').next() == Some(API_GROUP) || text("kind") == Some(KIND) {
            return Form::Full;
        }
        return Form::Foreign(format!(
            "ignored: apiVersion `{}` is not `{API_VERSION}`",
            Shown(api_version)
        ));
    }
    if node.get("engine").is_some() {
        return Form::Short;
    }
    if text("kind") == Some(KIND) {
        return Form::Full;
    }
    // A foreign file may have very many keys; a slip stands near the top.
    let slip = entries.iter().take(50).filter_map(|(key, _)| {
        let key = key.text()?;
        nearest(key, ["engine", "apiVersion"])
            .map(|near| format!(" (did you mean `{near}` by `{}`?)", Shown(key)))
    });
    let slip = slip.into_iter().next().unwrap_or_default();
    Form::Foreign(format!("ignored: neither `apiVersion` nor `engine` is there{slip}"))
}

fn short(reader: &mut Reader<'_>, path: &str, node: &Node, defaults: &Defaults) -> Option<Desired> {
    let elsewhere = |name: &str| {
        let full = [SPEC, CACHE, POLICY, EVENTS].iter().any(|fields| knows(fields, name));
        full.then(|| {
            format!(
                "`{name}` belongs to the full form, which begins with `apiVersion: {API_VERSION}`"
            )
        })
    };
    let fields = reader.fields(node, "", SHORT, elsewhere);
    let name = if fields.get("name").is_some() {
        reader.scalar(&fields, "name", Name::parse)
    } else {
        name_of_file(reader, path, node)
    };
    let cache = spec::cache(reader, &fields);
    let policy = Policy {
        mode: reader.scalar(&fields, "mode", Mode::parse).unwrap_or(Mode::Apply),
        approve: spec::approvals(reader, &fields),
        ..defaults.policy()
    };
    let common = common(reader, &fields, defaults);
    let name = name?;
    let spec = common.spec(reader, node.at, &name, "hive")?;
    Some(Desired {
        name,
        spec: TedSpec { cache, policy, ..spec },
        location: reader.location(node.at),
    })
}

fn knows(fields: &[Field], name: &str) -> bool {
    fields.iter().any(|field| field.name == name)
}

/// The name that the file's stem stands for.
fn name_of_file(reader: &mut Reader<'_>, path: &str, node: &Node) -> Option<Name> {
    let stem = Path::new(path).file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    match Name::parse(stem) {
        Ok(name) => Some(name),
        Err(complaint) => {
            let message = format!(
                "the file's name does not do as the document's name: {}",
                complaint.message
            );
            let hint = match complaint.hint.as_deref().and_then(|hint| hint.strip_prefix("write "))
            {
                Some(label) => format!("add `name: {}", label.trim_start_matches('`')),
                None => "add `name: …` to the document".to_owned(),
            };
            let complaint = Complaint { message, hint: Some(hint), ..complaint };
            reader.note(
                node.at,
                "name",
                ProblemKind::InvalidValue,
                Some(stem.to_owned()),
                complaint,
            );
            None
        }
    }
}

fn full(reader: &mut Reader<'_>, node: &Node, defaults: &Defaults) -> Option<Desired> {
    let root = reader.fields(node, "", FULL, |name| {
        knows(SPEC, name).then(|| format!("indent `{name}` under `spec`"))
    });
    let constant = |wanted: &'static str| {
        move |text: &str| if text == wanted { Ok(()) } else { Err(not_one_of(text, &[wanted])) }
    };
    reader.scalar(&root, "apiVersion", constant(API_VERSION));
    reader.scalar(&root, "kind", constant(KIND));
    let metadata = root
        .get("metadata")
        .map(|metadata| reader.fields(metadata, "metadata", METADATA, |_| None));
    let name = metadata.and_then(|metadata| reader.scalar(&metadata, "name", Name::parse));
    let spec_fields = reader.fields(root.get("spec")?, "spec", SPEC, |name| {
        [(CACHE, "cache"), (EVENTS, "events"), (POLICY, "policy")]
            .iter()
            .find(|(fields, _)| knows(fields, name))
            .map(|(_, place)| format!("`{name}` belongs under `{place}`"))
    });
    let rest = spec::rest(reader, &spec_fields, defaults);
    let common = common(reader, &spec_fields, defaults);
    let name = name?;
    let base = common.spec(reader, node.at, &name, "spec.hive")?;
    let spec::Rest { role, cache, parameters, parameter_keys, events, policy, suspend } = rest;
    let spec = TedSpec { role, cache, parameters, parameter_keys, events, policy, suspend, ..base };
    Some(Desired { name, spec, location: reader.location(node.at) })
}

/// What both forms have, before the name's defaults.
struct Common {
    account: Option<AccountId>,
    region: Option<Region>,
    product: Option<ProductRef>,
    hive: Option<HiveName>,
    ted_version: Option<VersionWish>,
}

fn common(reader: &mut Reader<'_>, fields: &Fields<'_>, defaults: &Defaults) -> Common {
    Common {
        account: reader.scalar(fields, "account", AccountId::parse),
        region: reader.scalar(fields, "region", Region::parse).or_else(|| defaults.region.clone()),
        product: reader.scalar(fields, "provisionedProduct", ProductRef::parse),
        hive: reader.scalar(fields, "hive", HiveName::parse),
        ted_version: reader.scalar(fields, "tedVersion", VersionWish::parse),
    }
}

impl Common {
    /// The spec with the name's defaults, everything else as if the document did not say it.
    fn spec(
        self,
        reader: &mut Reader<'_>,
        at: Position,
        name: &Name,
        hive_field: &str,
    ) -> Option<TedSpec> {
        let hive = match self.hive {
            Some(hive) => hive,
            None => match HiveName::of(name) {
                Ok(hive) => hive,
                Err(complaint) => {
                    let message = "the document's name does not do as the hive's name".to_owned();
                    let complaint =
                        Complaint { message, ..complaint }.hint("name the hive: `hive: …`");
                    reader.note(
                        at,
                        hive_field,
                        ProblemKind::MissingField,
                        Some(name.to_string()),
                        complaint,
                    );
                    return None;
                }
            },
        };
        Some(TedSpec {
            account: self.account,
            region: self.region,
            role: None,
            provisioned_product: self.product.unwrap_or_else(|| ProductRef::of(name)),
            hive,
            ted_version: self.ted_version,
            cache: None,
            parameters: BTreeMap::new(),
            parameter_keys: BTreeMap::new(),
            events: Events::default(),
            policy: Policy::default(),
            suspend: None,
        })
    }
}

/// Marks text that must be quoted, on its way through the emitter. Documents hold no private-use characters.
const QUOTE: char = '\u{e000}';

/// Writes any tree as YAML. Trees hold nothing that YAML cannot; the error text is for a broken promise.
///
/// `serde_yaml` quotes what YAML 1.2 would take for something else than text. Many readers still speak YAML 1.1, to which
/// `22:00` is 1320 and `yes` is true, so what *any* reader may mistake is quoted here.
pub(crate) fn to_yaml(tree: &impl Serialize) -> String {
    let written = serde_yaml::to_value(tree).and_then(|mut value| {
        mark_ambiguous(&mut value);
        serde_yaml::to_string(&value)
    });
    match written {
        Ok(text) => text.lines().fold(String::new(), |mut out, line| {
            match line.split_once(QUOTE) {
                Some((before, scalar)) => out.extend([before, "\"", scalar, "\"\n"]),
                None => out.extend([line, "\n"]),
            }
            out
        }),
        Err(error) => format!("# cannot be written as YAML: {error}\n"),
    }
}

fn mark_ambiguous(value: &mut serde_yaml::Value) {
    match value {
        serde_yaml::Value::String(text) if is_ambiguous(text) => text.insert(0, QUOTE),
        serde_yaml::Value::Sequence(items) => items.iter_mut().for_each(mark_ambiguous),
        serde_yaml::Value::Mapping(entries) => {
            entries.iter_mut().for_each(|(_, value)| mark_ambiguous(value));
        }
        serde_yaml::Value::Tagged(tagged) => mark_ambiguous(&mut tagged.value),
        serde_yaml::Value::Null
        | serde_yaml::Value::Bool(_)
        | serde_yaml::Value::Number(_)
        | serde_yaml::Value::String(_) => {}
    }
}

/// Whether some reader of YAML takes this text for a number, a time or a truth value. All such texts are one plain word.
fn is_ambiguous(text: &str) -> bool {
    const WORDS: [&str; 11] =
        ["y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf"];
    // With a colon at its end it is no plain word, and the emitter quotes it by itself.
    let plain = text.bytes().all(|b| b.is_ascii_alphanumeric() || b":_.+-".contains(&b))
        && !text.ends_with(':');
    let numeric = text.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c))
        && text.contains(|c: char| c.is_ascii_alphanumeric());
    plain && (numeric || WORDS.contains(&text.to_ascii_lowercase().as_str()))
}

#[cfg(test)]
mod tests;
