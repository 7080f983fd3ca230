//! YAML as a tree that remembers where everything stands and how every scalar is spelled.
//!
//! `serde_yaml` turns `7.10` into 7.1 and forgets where a value stood, so reading starts from the events of
//! `saphyr-parser`: each with its place, scalars untouched. This module knows YAML and its bounds; it knows nothing of
//! our documents. It does no IO and gives no scalar a type.

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span, Tag};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// The largest file that is read: a Kubernetes `ConfigMap` holds no more.
pub const MAX_FILE_BYTES: usize = 1024 * 1024;
/// The deepest nesting that is read. Ours nest 5 deep; foreign documents that are passed over may nest deeper.
pub const MAX_DEPTH: usize = 64;
/// The most documents in one file: a few hundred hives, twice.
pub const MAX_DOCUMENTS: usize = 1000;
/// The most aliases in one file.
pub const MAX_ALIASES: usize = 1000;
/// The most nodes in one file, aliases expanded. A full document has about 70.
pub const MAX_NODES: usize = 200_000;

/// A line and a column, both from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The column, in characters.
    pub column: usize,
}

/// A value and its place.
#[derive(Clone, Debug)]
pub struct Node {
    /// Where it begins.
    pub at: Position,
    /// An explicit tag such as `!Ref`; tags of YAML's own schema are not kept.
    pub tag: Option<String>,
    /// What it is.
    pub value: Value,
}

/// What a node is.
#[derive(Clone, Debug)]
pub enum Value {
    /// A scalar as it is spelled; `quoted` covers block scalars too.
    Scalar {
        /// The text, quotes and escapes taken away.
        text: String,
        /// Whether it is anything but a plain scalar.
        quoted: bool,
    },
    /// A sequence.
    List(Vec<Node>),
    /// A mapping in the file's order, duplicates included.
    Map(Vec<(Node, Node)>),
}

impl Node {
    /// The text of a scalar.
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar { text, .. } => Some(text),
            Value::List(_) | Value::Map(_) => None,
        }
    }

    /// Whether this is YAML's null: nothing, `~` or `null`, unquoted.
    pub fn is_null(&self) -> bool {
        match &self.value {
            Value::Scalar { text, quoted } => {
                !quoted && matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL")
            }
            Value::List(_) | Value::Map(_) => false,
        }
    }

    /// The value of the first entry with this key.
    pub fn get(&self, key: &str) -> Option<&Node> {
        match &self.value {
            Value::Map(entries) => {
                entries.iter().find(|(k, _)| k.text() == Some(key)).map(|(_, value)| value)
            }
            Value::Scalar { .. } | Value::List(_) => None,
        }
    }

    /// What this is, in a word.
    pub fn describe(&self) -> &'static str {
        match &self.value {
            Value::Scalar { .. } if self.is_null() => "nothing",
            Value::Scalar { .. } => "a scalar",
            Value::List(_) => "a list",
            Value::Map(_) => "a mapping",
        }
    }

    fn count(&self) -> usize {
        1 + match &self.value {
            Value::Scalar { .. } => 0,
            Value::List(items) => items.iter().map(Node::count).sum(),
            Value::Map(entries) => {
                entries.iter().map(|(key, value)| key.count() + value.count()).sum()
            }
        }
    }

    fn depth(&self) -> usize {
        1 + match &self.value {
            Value::Scalar { .. } => 0,
            Value::List(items) => items.iter().map(Node::depth).max().unwrap_or(0),
            Value::Map(entries) => entries
                .iter()
                .flat_map(|(key, value)| [key.depth(), value.depth()])
                .max()
                .unwrap_or(0),
        }
    }
}

/// Why reading stopped.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum YamlError {
    /// The parser gave up.
    #[error("not valid YAML: {info}")]
    Syntax {
        /// Where.
        at: Position,
        /// The parser's words.
        info: String,
    },
    /// The bytes are no UTF-8.
    #[error("not UTF-8 text")]
    Encoding {
        /// The first byte that is none.
        at: Position,
    },
    /// A bound is passed.
    #[error("too large: {what}")]
    TooLarge {
        /// Where the bound was passed; absent for the file as a whole.
        at: Option<Position>,
        /// Which bound, with its number.
        what: String,
    },
}

/// What was read: the documents before the error, if there is one, are whole.
#[derive(Clone, Debug, Default)]
pub struct Stream {
    /// One node a document; empty documents are left out.
    pub documents: Vec<Node>,
    /// Why the rest was not read.
    pub error: Option<YamlError>,
}

/// Reads all documents of a file.
pub fn read(bytes: &[u8]) -> Stream {
    if bytes.len() > MAX_FILE_BYTES {
        let what = format!("{} bytes, at most {MAX_FILE_BYTES} are read", bytes.len());
        return Stream {
            documents: Vec::new(),
            error: Some(YamlError::TooLarge { at: None, what }),
        };
    }
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text.strip_prefix('\u{feff}').unwrap_or(text),
        Err(error) => {
            let before = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
            let line = before.matches('\n').count() + 1;
            let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
            return Stream {
                documents: Vec::new(),
                error: Some(YamlError::Encoding { at: Position { line, column } }),
            };
        }
    };
    let mut builder = Builder::default();
    let error = builder.read(text).err();
    Stream { documents: builder.documents, error }
}

/// A collection whose end has not come yet.
struct Open {
    at: Position,
    tag: Option<String>,
    anchor: usize,
    content: Content,
}

enum Content {
    List(Vec<Node>),
    Map(Vec<(Node, Node)>, Option<Node>),
}

#[derive(Default)]
struct Builder {
    documents: Vec<Node>,
    open: Vec<Open>,
    /// Of the present document only: an alias does not reach into another one.
    anchors: BTreeMap<usize, Node>,
    nodes: usize,
    aliases: usize,
}

impl Builder {
    fn read(&mut self, text: &str) -> Result<(), YamlError> {
        for event in Parser::new_from_str(text) {
            let (event, span) = event.map_err(|error| syntax(&error))?;
            self.take(event, span)?;
        }
        Ok(())
    }

    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), YamlError> {
        let at = position(span);
        match event {
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => Ok(()),
            Event::DocumentStart(_) => {
                self.anchors.clear();
                Ok(())
            }
            Event::Alias(anchor) => self.alias(anchor, at),
            Event::Scalar(text, style, anchor, tag) => {
                let quoted = style != ScalarStyle::Plain;
                let node = Node {
                    at,
                    tag: own_tag(tag),
                    value: Value::Scalar { text: text.into_owned(), quoted },
                };
                self.count(1, at)?;
                self.place(node, anchor)
            }
            Event::SequenceStart(anchor, tag) => {
                self.begin(at, tag, anchor, Content::List(Vec::new()))
            }
            Event::MappingStart(anchor, tag) => {
                self.begin(at, tag, anchor, Content::Map(Vec::new(), None))
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(),
        }
    }

    fn begin(
        &mut self,
        at: Position,
        tag: Option<Cow<'_, Tag>>,
        anchor: usize,
        content: Content,
    ) -> Result<(), YamlError> {
        self.count(1, at)?;
        if self.open.len() >= MAX_DEPTH {
            return Err(too_deep(at));
        }
        self.open.push(Open { at, tag: own_tag(tag), anchor, content });
        Ok(())
    }

    fn end(&mut self) -> Result<(), YamlError> {
        let Some(Open { at, tag, anchor, content }) = self.open.pop() else { return Ok(()) };
        let value = match content {
            Content::List(items) => Value::List(items),
            Content::Map(entries, _) => Value::Map(entries),
        };
        self.place(Node { at, tag, value }, anchor)
    }

    fn place(&mut self, node: Node, anchor: usize) -> Result<(), YamlError> {
        // Anchors are numbered from 1; 0 is "none".
        if anchor > 0 {
            self.count(node.count(), node.at)?;
            self.anchors.insert(anchor, node.clone());
        }
        match self.open.last_mut().map(|open| &mut open.content) {
            Some(Content::List(items)) => items.push(node),
            Some(Content::Map(entries, key)) => match key.take() {
                None => *key = Some(node),
                Some(key) => entries.push((key, node)),
            },
            None if node.is_null() => {}
            None if self.documents.len() >= MAX_DOCUMENTS => {
                let what = format!("more than {MAX_DOCUMENTS} documents");
                return Err(YamlError::TooLarge { at: Some(node.at), what });
            }
            None => self.documents.push(node),
        }
        Ok(())
    }

    /// Expands an alias in place. What it stands for keeps the position of its anchor: that is where it can be mended.
    fn alias(&mut self, anchor: usize, at: Position) -> Result<(), YamlError> {
        self.aliases += 1;
        if self.aliases > MAX_ALIASES {
            return Err(YamlError::TooLarge {
                at: Some(at),
                what: format!("more than {MAX_ALIASES} aliases"),
            });
        }
        let Some(node) = self.anchors.get(&anchor) else {
            let info = "an alias inside of what it stands for".to_owned();
            return Err(YamlError::Syntax { at, info });
        };
        // Counted before it is copied, so that aliases of aliases cannot exhaust memory first.
        let (size, depth) = (node.count(), node.depth());
        self.count(size, at)?;
        if self.open.len() + depth > MAX_DEPTH {
            return Err(too_deep(at));
        }
        let node = self.anchors.get(&anchor).cloned();
        node.map_or(Ok(()), |node| self.place(node, 0))
    }

    fn count(&mut self, nodes: usize, at: Position) -> Result<(), YamlError> {
        self.nodes = self.nodes.saturating_add(nodes);
        if self.nodes > MAX_NODES {
            return Err(YamlError::TooLarge {
                at: Some(at),
                what: format!("more than {MAX_NODES} values"),
            });
        }
        Ok(())
    }
}

fn too_deep(at: Position) -> YamlError {
    YamlError::TooLarge { at: Some(at), what: format!("nested more than {MAX_DEPTH} deep") }
}

fn own_tag(tag: Option<Cow<'_, Tag>>) -> Option<String> {
    tag.filter(|tag| !tag.is_yaml_core_schema()).map(|tag| tag.to_string())
}

fn position(span: Span) -> Position {
    Position { line: span.start.line(), column: span.start.col() + 1 }
}

fn syntax(error: &ScanError) -> YamlError {
    let at = Position { line: error.marker().line(), column: error.marker().col() + 1 };
    // The scanner has its own bound on flow collections, far above ours, and reads ahead of the events.
    if error.info() == "recursion limit exceeded" {
        too_deep(at)
    } else {
        YamlError::Syntax { at, info: error.info().to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn only(text: &str) -> Node {
        let stream = read(text.as_bytes());
        assert_eq!(stream.error, None, "{text}");
        stream.documents.into_iter().next().unwrap()
    }

    #[test]
    fn scalars_keep_their_spelling_and_their_place() {
        for text in [
            "7.10",
            "007",
            "1e3",
            "yes",
            "0x10",
            "2026-12-01",
            "1_000",
            "12:30:45",
            "~x",
            "111122223333",
        ] {
            let node = only(&format!("a:\n  b:  {text}\n"));
            let value = node.get("a").and_then(|a| a.get("b")).unwrap();
            assert_eq!(value.text(), Some(text));
            assert_eq!(value.at, Position { line: 2, column: 7 });
        }
    }

    #[test]
    fn null_is_only_what_nobody_quoted() {
        let node = only("a:\nb: ~\nc: ''\nd: 'null'\n");
        let null: Vec<bool> =
            ["a", "b", "c", "d"].iter().map(|key| node.get(key).unwrap().is_null()).collect();
        assert_eq!(null, [true, true, false, false]);
    }

    #[test]
    fn documents_before_a_syntax_error_are_kept() {
        let stream = read(b"a: 1\n---\nb: [1\n---\nc: 1\n");
        assert_eq!(stream.documents.len(), 1);
        assert!(matches!(stream.error, Some(YamlError::Syntax { .. })), "{:?}", stream.error);
    }

    #[test]
    fn aliases_are_expanded_within_bounds() {
        let node = only("a: &x {k: 1}\nb: *x\n");
        assert_eq!(node.get("b").and_then(|b| b.get("k")).and_then(Node::text), Some("1"));
        let mut bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n".to_owned();
        for level in 1..30 {
            let aliases = vec![format!("*a{}", level - 1); 10].join(",");
            bomb = format!("{bomb}a{level}: &a{level} [{aliases}]\n");
        }
        assert!(matches!(read(bomb.as_bytes()).error, Some(YamlError::TooLarge { .. })));
        assert!(read(b"a: &x [*x]").error.is_some(), "an alias inside its own anchor");
    }

    #[test]
    fn bounds_are_errors_and_not_crashes() {
        for (text, why) in [
            ("[".repeat(100_000), "depth of flow lists"),
            ("{a: ".repeat(100_000), "depth of flow mappings"),
            (
                (0..300).flat_map(|depth| [" ".repeat(depth), "a:\n".to_owned()]).collect(),
                "depth of block mappings",
            ),
            ("- ".repeat(5000), "depth of compact lists"),
            ("x".repeat(MAX_FILE_BYTES + 1), "size"),
            ("--- a\n".repeat(MAX_DOCUMENTS + 1), "number of documents"),
        ] {
            let error = read(text.as_bytes()).error;
            assert!(matches!(error, Some(YamlError::TooLarge { .. })), "{why}: {error:?}");
        }
    }

    #[test]
    fn a_byte_that_is_no_utf8_is_located() {
        let stream = read(b"a: 1\nb: \xff\n");
        assert_eq!(stream.error, Some(YamlError::Encoding { at: Position { line: 2, column: 4 } }));
        assert_eq!(
            only("\u{feff}a: 1").get("a").and_then(Node::text),
            Some("1"),
            "a byte order mark is passed over"
        );
    }
}
