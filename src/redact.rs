//! Takes secrets out of what leaves the controller for somebody else: recordings and support bundles. Pure. The one place that does it.
//!
//! Three nets, one behind the other. **By place**: values of `NoEcho` parameters, and everything under a name that says so (`password`,
//! `token`, …). **By shape**: a parameter's or output's value is kept only if it is harmless (`shape`: a number, a version, an ARN, one of
//! the template's own values, a name of this installation); what it would take to know better, we do not know, so everything else is
//! withheld. **By value**: whatever was taken out by place or shape is learned, and taken out of every text in which it shows again, also
//! encoded (JSON, HTML, percent, base64, hexadecimal). Then `free_text` looks for what is a secret by its own form: keys of AWS, tokens,
//! user names in URLs, private keys.
//!
//! What is taken out leaves a mark ([`REDACTED`], [`WITHHELD`]), so that nobody takes it for empty.

mod encodings;
mod free_text;
mod lines;
mod observation;
mod shape;

pub use crate::observe::observation::WITHHELD;

use serde_json::Value;
use std::collections::BTreeSet;

/// What stands where a secret was.
pub const REDACTED: &str = "[redacted]";

/// The shortest value that is looked for in other texts. Shorter ones would be found by chance.
const SHORTEST_LEARNED: usize = 4;

/// From this length on a value is taken out wherever it stands, also inside a word.
const LONG_ENOUGH_ANYWHERE: usize = 8;

/// Values that keep nothing secret, whatever they stand for; without them most texts would make no sense.
const COMMON: [&str; 5] = ["true", "false", "none", "null", "default"];

/// Words in a name that make its value secret. Compared without case and punctuation.
const SECRET_WORDS: [&str; 16] = [
    "password",
    "passwd",
    "passphrase",
    "pwd",
    "secret",
    "token",
    "credential",
    "privatekey",
    "apikey",
    "accesskey",
    "license",
    "externalid",
    "authorization",
    "cookie",
    "signature",
    "connectionstring",
];

/// Whether what bears this name is nobody's business.
pub fn is_secret_name(name: &str) -> bool {
    let plain: String =
        name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    SECRET_WORDS.iter().any(|word| plain.contains(word))
}

/// Takes secrets out, those by form and those that it has learned.
#[derive(Clone, Debug, Default)]
pub struct Redactor {
    /// Texts to take out, the longest first, each with whether it may stand inside a word.
    known: Vec<(String, bool)>,
    /// Keys of parameters whose values are secret or withheld.
    keys: BTreeSet<String>,
}

impl Redactor {
    /// Learns a secret: from now on it is taken out wherever it shows.
    pub fn learn(&mut self, secret: &str) {
        let secret = secret.trim();
        let is_common = COMMON.iter().any(|word| secret.eq_ignore_ascii_case(word));
        if secret.chars().count() < SHORTEST_LEARNED || is_common || is_mark(secret) {
            return;
        }
        let anywhere = secret.len() >= LONG_ENOUGH_ANYWHERE;
        let raw = std::iter::once((secret.to_owned(), anywhere));
        let encoded = encodings::of(secret).into_iter().map(|text| (text, true));
        for known in raw.chain(encoded) {
            if !self.known.contains(&known) {
                self.known.push(known);
            }
        }
        self.known.sort_by(|(a, _), (b, _)| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
    }

    /// Learns the value of a variable, a field or a flag whose name says that it is secret.
    pub fn learn_named(&mut self, name: &str, value: &str) {
        // The simulated AWS takes an account's number for a key; it is in every ARN and no secret.
        let is_account = value.len() == 12 && value.bytes().all(|b| b.is_ascii_digit());
        if is_secret_name(name) && !is_account {
            self.learn(value);
        }
    }

    /// Learns every text in a JSON tree that stands under a name that says that it is secret.
    pub fn learn_json(&mut self, value: &Value) {
        match value {
            Value::Object(map) => {
                for (name, value) in map {
                    if is_secret_name(name) {
                        self.learn_texts(value);
                    } else {
                        self.learn_json(value);
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| self.learn_json(item)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    fn learn_texts(&mut self, value: &Value) {
        match value {
            Value::String(text) => self.learn(text),
            Value::Array(items) => items.iter().for_each(|item| self.learn_texts(item)),
            Value::Object(map) => map.values().for_each(|value| self.learn_texts(value)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// A text without secrets.
    pub fn text(&self, text: &str) -> String {
        free_text::clean(&self.without_known(text))
    }

    /// A text without the secrets that were learned. Safe for any syntax: what is put in has no quotes, brackets of markup or escapes.
    pub fn without_known(&self, text: &str) -> String {
        let mut clean = text.to_owned();
        for (secret, anywhere) in &self.known {
            if clean.contains(secret.as_str()) {
                clean = if *anywhere {
                    clean.replace(secret.as_str(), REDACTED)
                } else {
                    replace_words(&clean, secret)
                };
            }
        }
        clean
    }

    /// JSON without secrets: everything under a secret name, values of parameters that are secret, and every text.
    pub fn json(&self, value: &mut Value) {
        self.walk(value, true);
    }

    /// JSON without secrets in its texts; its names are ours and say nothing about secrets.
    pub fn texts(&self, value: &mut Value) {
        self.walk(value, false);
    }

    fn walk(&self, value: &mut Value, by_name: bool) {
        match value {
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
            Value::String(text) => *text = self.text(text),
            Value::Array(items) => items.iter_mut().for_each(|item| self.walk(item, by_name)),
            Value::Object(map) => {
                let of_secret_key = ["key", "parameter", "name"].iter().any(|name| {
                    let key = map.get(*name).and_then(Value::as_str);
                    key.is_some_and(|key| self.keys.contains(key) || is_secret_name(key))
                });
                let entries = std::mem::take(map);
                for (name, mut value) in entries {
                    let holds_value = matches!(
                        name.as_str(),
                        "value" | "from" | "to" | "default" | "desired" | "actual" | "resolved"
                    );
                    let hidden = by_name
                        && (is_secret_name(&name)
                            || self.keys.contains(&name)
                            || (of_secret_key && holds_value));
                    if hidden {
                        hide(&mut value);
                    } else {
                        self.walk(&mut value, by_name);
                    }
                    map.insert(self.text(&name), value);
                }
            }
        }
    }
}

/// Takes everything out but what is yes, no or nothing.
fn hide(value: &mut Value) {
    match value {
        Value::Null | Value::Bool(_) => {}
        Value::String(text) if text.is_empty() || is_mark(text) => {}
        Value::String(_) | Value::Number(_) => *value = Value::String(REDACTED.to_owned()),
        Value::Array(items) => items.iter_mut().for_each(hide),
        Value::Object(map) => map.values_mut().for_each(hide),
    }
}

/// Whether a text is a mark for something that is not shown: ours, or the asterisks of AWS.
fn is_mark(text: &str) -> bool {
    text == REDACTED || text == WITHHELD || text.bytes().all(|b| b == b'*')
}

/// Replaces a short secret where it is a word of its own.
fn replace_words(text: &str, secret: &str) -> String {
    let is_part = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    let mut before = None;
    while let Some(at) = rest.find(secret) {
        let (head, tail) = rest.split_at(at);
        let after = &tail[secret.len()..];
        let previous = head.chars().next_back().or(before);
        clean.push_str(head);
        if is_part(previous) || is_part(after.chars().next()) {
            clean.push_str(secret);
        } else {
            clean.push_str(REDACTED);
        }
        before = secret.chars().next_back();
        rest = after;
    }
    clean.push_str(rest);
    clean
}

#[cfg(test)]
pub(crate) mod tests;
