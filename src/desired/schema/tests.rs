use super::*;
use crate::desired::yaml::{self, Node, Value};
use crate::desired::{Defaults, File, load};
use regex_lite::Regex;
use serde_json::{Value as Json, json};

/// The few words of JSON Schema that ours uses; any other word is a failure of the test.
fn accepts(schema: &Json, root: &Json, value: &Json) -> Result<(), String> {
    let object = schema.as_object().ok_or("a schema is an object")?;
    for (word, rule) in object {
        let holds = match word.as_str() {
            "$schema" | "$id" | "$defs" | "title" | "description" | "default" | "then" | "else" => {
                true
            }
            "$ref" => {
                let pointer =
                    rule.as_str().and_then(|text| text.strip_prefix('#')).unwrap_or_default();
                return accepts(root.pointer(pointer).ok_or("a broken reference")?, root, value);
            }
            "if" => {
                let branch = if accepts(rule, root, value).is_ok() { "then" } else { "else" };
                return accepts(&schema[branch], root, value);
            }
            "type" => {
                let is = |name: &Json| match name.as_str() {
                    Some("object") => value.is_object(),
                    Some("array") => value.is_array(),
                    Some("string") => value.is_string(),
                    Some("boolean") => value.is_boolean(),
                    Some("number") => value.is_number(),
                    Some("integer") => value.is_u64() || value.is_i64(),
                    Some("null") => value.is_null(),
                    other => panic!("type {other:?}"),
                };
                rule.as_array().map_or_else(|| is(rule), |names| names.iter().any(is))
            }
            "const" => value == rule,
            "enum" => rule.as_array().is_some_and(|choices| choices.contains(value)),
            "pattern" => {
                let pattern = Regex::new(rule.as_str().unwrap()).unwrap();
                value.as_str().is_none_or(|text| pattern.is_match(text))
            }
            "minimum" => value.as_i64().is_none_or(|number| number >= rule.as_i64().unwrap()),
            "maximum" => value.as_i64().is_none_or(|number| number <= rule.as_i64().unwrap()),
            "maxLength" => value
                .as_str()
                .is_none_or(|text| text.chars().count() as u64 <= rule.as_u64().unwrap()),
            "maxProperties" => {
                value.as_object().is_none_or(|map| map.len() as u64 <= rule.as_u64().unwrap())
            }
            "anyOf" => {
                rule.as_array().unwrap().iter().any(|choice| accepts(choice, root, value).is_ok())
            }
            "required" => rule
                .as_array()
                .unwrap()
                .iter()
                .all(|name| value.get(name.as_str().unwrap()).is_some()),
            "items" => {
                for item in value.as_array().into_iter().flatten() {
                    accepts(rule, root, item)?;
                }
                true
            }
            "propertyNames" => {
                for name in value.as_object().into_iter().flat_map(serde_json::Map::keys) {
                    accepts(rule, root, &json!(name))?;
                }
                true
            }
            "properties" => {
                for (name, property) in rule.as_object().unwrap() {
                    if let Some(member) = value.get(name) {
                        accepts(property, root, member).map_err(|why| format!("{name}: {why}"))?;
                    }
                }
                true
            }
            "additionalProperties" => {
                for (name, member) in value.as_object().into_iter().flatten() {
                    if schema.get("properties").and_then(|known| known.get(name)).is_none() {
                        if *rule == json!(false) {
                            return Err(format!("unknown field {name}"));
                        }
                        accepts(rule, root, member)?;
                    }
                }
                true
            }
            other => panic!("a word the test does not know: {other}"),
        };
        if !holds {
            return Err(format!("{word}: {rule} does not hold for {value}"));
        }
    }
    Ok(())
}

/// A node as an editor sees it: YAML 1.2's core schema.
fn as_editors_see_it(node: &Node) -> Json {
    match &node.value {
        Value::Scalar { text, quoted } => match text.as_str() {
            _ if *quoted => json!(text),
            "" | "~" | "null" => Json::Null,
            "true" => json!(true),
            "false" => json!(false),
            _ => match (text.parse::<i64>(), text.parse::<f64>()) {
                (Ok(number), _) => json!(number),
                (Err(_), Ok(number)) if number.is_finite() => json!(number),
                _ => json!(text),
            },
        },
        Value::List(items) => items.iter().map(as_editors_see_it).collect(),
        Value::Map(entries) => entries
            .iter()
            .map(|(key, value)| {
                (key.text().unwrap_or_default().to_owned(), as_editors_see_it(value))
            })
            .collect::<serde_json::Map<_, _>>()
            .into(),
    }
}

fn schema() -> Json {
    serde_json::from_str(&json_schema()).unwrap()
}

fn both(text: &str) -> (bool, Result<(), String>) {
    let loaded = load(&[File::new("einstein.yaml", text)], &Defaults::default());
    let schema = schema();
    let node = yaml::read(text.as_bytes()).documents.remove(0);
    (
        loaded.problems.is_empty() && loaded.notes.is_empty(),
        accepts(&schema, &schema, &as_editors_see_it(&node)),
    )
}

const SAMPLES: [&str; 2] = [
    include_str!("../../../config/teds/einstein.yaml"),
    include_str!("../../../config/teds/minimal.yaml"),
];

#[test]
fn the_committed_schema_is_current() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(SCHEMA_FILE);
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(committed == json_schema(), "write it anew: `ted-controller schema > {SCHEMA_FILE}`");
}

#[test]
fn samples_are_accepted_by_the_parser_and_by_the_schema() {
    for sample in SAMPLES {
        assert_eq!(both(sample), (true, Ok(())));
        assert!(
            sample.starts_with("# yaml-language-server: $schema=../ted-controller.schema.json\n"),
            "the modeline"
        );
        assert!(
            sample.contains("mode: observe")
                && !sample.contains("\n    approve:")
                && !sample.contains("\napprove:")
        );
    }
}

#[test]
fn samples_read_back_from_what_is_written_of_them() {
    for sample in SAMPLES {
        let first =
            load(&[File::new("minimal.yaml", sample)], &Defaults::default()).documents.remove(0);
        let second = load(&[File::new("other.yaml", first.to_yaml())], &Defaults::default())
            .documents
            .remove(0);
        assert_eq!((&first.name, &first.spec), (&second.name, &second.spec));
        let schema = schema();
        let node = yaml::read(first.to_yaml().as_bytes()).documents.remove(0);
        assert_eq!(accepts(&schema, &schema, &as_editors_see_it(&node)), Ok(()));
        assert_eq!(
            accepts(&schema, &schema, &first.to_api()),
            Ok(()),
            "the API shows a document too"
        );
    }
}

#[test]
fn the_full_sample_names_every_field() {
    let sample = SAMPLES[0];
    for table in [
        super::FULL,
        super::super::fields::SPEC,
        super::super::fields::CACHE,
        super::super::fields::EVENTS,
        super::super::fields::POLICY,
        super::super::fields::WINDOW,
        super::super::fields::SUSPEND,
    ] {
        for field in table {
            assert!(sample.contains(&format!("{}:", field.name)), "{} is missing", field.name);
        }
    }
    for word in crate::desired::Approval::WORDS {
        assert!(sample.contains(&format!("- {word}")), "{word} is missing");
    }
}

#[test]
fn an_unknown_field_is_refused_by_both_at_every_level() {
    for parent in ["", "metadata", "spec", "cache", "events", "policy"] {
        let sample = SAMPLES[0];
        let text = if parent.is_empty() {
            format!("{sample}unknownField: 1\n")
        } else {
            let head = format!("{parent}:\n");
            let at = sample
                .find(&format!("\n{head}"))
                .or_else(|| sample.find(&format!(" {head}")))
                .unwrap()
                + 1
                + head.len();
            let indent = sample[at..]
                .lines()
                .find(|line| !line.trim_start().starts_with('#'))
                .map_or(0, |line| line.len() - line.trim_start().len());
            format!("{}{}unknownField: 1\n{}", &sample[..at], " ".repeat(indent), &sample[at..])
        };
        let (parser, schema) = both(&text);
        assert!(!parser, "{parent}: the parser takes it");
        assert_eq!(
            schema
                .map_err(|why| why.contains("unknown field unknownField")
                    || why.contains("unknownField")),
            Err(true),
            "{parent}"
        );
    }
    assert!(both("engine: redis\nversion: '7.1'\nunknownField: 1\n").1.is_err());
    assert!(
        both(&SAMPLES[0].replace("- days: [Sat, Sun]", "- unknownField: 1\n        days: [Sat]"))
            .1
            .is_err()
    );
}

/// Value by value: what one refuses the other refuses, where a pattern can say it.
#[test]
fn the_schema_and_the_parser_agree_on_values() {
    for (field, good, bad) in [
        ("engine", &["valkey", "Valkey", "VALKEY"][..], &["memcached", "[]"][..]),
        ("version", &["'8.0'", "8.0", "7.10"], &["'8'", "v8.0", "eight"]),
        (
            "tedVersion",
            &["v1.52.1", "v5.47.0-beta.16", "'>=1.50, <2'", "^1.50"],
            &["1.52.1", "v1.52", "latest", "1.50"],
        ),
        ("provisionedProduct", &["ted-einstein", "pp-senyqa2ncjkws"], &["-a", "a b"]),
        ("region", &["us-east-2", "us-gov-west-1"], &["ohio", "us-east-2a"]),
        ("account", &["'111122223333'", "111122223333"], &["'1111'", "'1111-2222-3333'"]),
        ("name", &["ab", "a7", "a-b"], &["A", "a_b", "a-", "''"]),
        ("hive", &["ab", "a_b-c"], &["a", "a-", "9a"]),
        ("mode", &["observe", "apply"], &["Observe", "off"]),
        (
            "approve",
            &["[]", "[redis-to-valkey, major-version@v2.0.0]", ""],
            &["[major-version]", "[redis-to-valkey@v1.0.0]", "redis-to-valkey"],
        ),
    ] {
        for (values, wanted) in [(good, true), (bad, false)] {
            for value in values {
                let base = [("engine", "valkey"), ("version", "'8.0'"), (field, *value)];
                let lines =
                    base.iter().rev().filter(|(key, value)| *key != field || value == &base[2].1);
                let mut seen = std::collections::BTreeSet::new();
                let lines = lines.filter(|(key, _)| seen.insert(*key));
                let text =
                    lines.flat_map(|(key, value)| [*key, ": ", *value, "\n"]).collect::<String>();
                let (parser, schema) = both(&text);
                assert_eq!(
                    (parser, schema.is_ok()),
                    (wanted, wanted),
                    "{field}: {value}: {schema:?}"
                );
            }
        }
    }
}
