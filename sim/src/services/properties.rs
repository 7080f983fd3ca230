//! Properties of a resource in a template, where `3`, `"3"`, `true` and `"true"` all stand for what they look like.

use serde_json::Value;

/// A property as text; absent when it is not set.
pub(crate) fn text(properties: &Value, name: &str) -> Option<String> {
    match properties.get(name)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// A property as a whole number; absent when it is not set or is none.
pub(crate) fn int(properties: &Value, name: &str) -> Option<i64> {
    text(properties, name)?.trim().parse().ok()
}

/// A property as a boolean; absent when it is not set or is none.
pub(crate) fn flag(properties: &Value, name: &str) -> Option<bool> {
    match text(properties, name)?.to_ascii_lowercase().as_str() {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

/// A property as a list of texts; one value is a list of one. Empty when it is not set.
pub(crate) fn texts(properties: &Value, name: &str) -> Vec<String> {
    match properties.get(name) {
        Some(Value::Array(items)) => items
            .iter()
            .filter_map(|item| {
                text(
                    &Value::Object([("item".to_owned(), item.clone())].into_iter().collect()),
                    "item",
                )
            })
            .collect(),
        Some(Value::String(one)) if !one.is_empty() => {
            one.split(',').map(|part| part.trim().to_owned()).collect()
        }
        _ => Vec::new(),
    }
}

/// Whether a property reads differently in two sets of them; `3` and `"3"` are the same.
pub(crate) fn differs(before: &Value, after: &Value, name: &str) -> bool {
    match (text(before, name), text(after, name)) {
        (None, None) => before.get(name) != after.get(name),
        (before, after) => before != after,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_are_read_in_every_form_a_template_has() {
        let properties = json!({"N": 3, "T": "3", "B": true, "F": "False", "L": ["a", 2], "C": "a, b", "X": {"a": 1}});
        assert_eq!(
            (int(&properties, "N"), int(&properties, "T"), int(&properties, "B")),
            (Some(3), Some(3), None)
        );
        assert_eq!(
            (flag(&properties, "B"), flag(&properties, "F"), flag(&properties, "N")),
            (Some(true), Some(false), None)
        );
        assert_eq!(texts(&properties, "L"), ["a", "2"]);
        assert_eq!(texts(&properties, "C"), ["a", "b"]);
        assert_eq!((text(&properties, "X"), text(&properties, "Absent")), (None, None));
    }

    #[test]
    fn a_number_and_its_text_do_not_differ() {
        let (one, two) = (json!({"N": 3, "L": ["a"]}), json!({"N": "3", "L": ["b"]}));
        assert!(!differs(&one, &two, "N"));
        assert!(differs(&one, &two, "L"));
        assert!(!differs(&one, &two, "Absent"));
    }
}
