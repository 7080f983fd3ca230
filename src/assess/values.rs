//! When two values of a parameter are the same to AWS, and whether a template takes a value.
//!
//! CloudFormation has only text: `"5"` is `5`, lists are joined by commas, blanks around a value are trimmed. Whether `5` is `5.0`
//! depends on the parameter's type: to a `Number` it is, to a `String` that holds a version it is not.

use crate::desired::{CacheVersion, Role};
use crate::observe::observation::Parameter;
use regex_lite::Regex;

/// How many allowed values a message lists before it says how many more there are.
const LISTED: usize = 12;

/// Whether a parameter's value is the *name* of a parameter in Systems Manager, and not what will be used.
pub fn is_ssm(parameter: &Parameter) -> bool {
    parameter.kind.starts_with("AWS::SSM::Parameter::")
}

/// Whether a parameter holds several values joined by commas.
pub fn is_list(parameter: &Parameter) -> bool {
    parameter.kind == "CommaDelimitedList" || parameter.kind.starts_with("List<")
}

fn is_number(parameter: &Parameter) -> bool {
    parameter.kind == "Number" || parameter.kind == "List<Number>"
}

/// Whether two values of one parameter mean the same to AWS.
///
/// Blanks around a value never count; numbers are compared as numbers where the type is a number; booleans in any spelling where
/// the allowed values are two opposite words; the order of a list's members does not count, how often one occurs does. `role` adds
/// what is known of the parameter: the engine's case does not count.
pub fn same(parameter: &Parameter, role: Option<Role>, one: &str, other: &str) -> bool {
    let (one, other) = (one.trim(), other.trim());
    if one == other {
        return true;
    }
    if is_list(parameter) {
        let members = |text: &str| {
            let mut members: Vec<String> =
                text.split(',').map(|member| key_of(parameter, role, member)).collect();
            members.sort();
            members
        };
        return members(one) == members(other);
    }
    key_of(parameter, role, one) == key_of(parameter, role, other)
}

/// A text that is equal for single values that mean the same.
fn key_of(parameter: &Parameter, role: Option<Role>, value: &str) -> String {
    let value = value.trim();
    if is_number(parameter)
        && let Some(number) = normal_number(value)
    {
        return number;
    }
    if has_boolean_values(parameter)
        && let Some(truth) = truth(value)
    {
        return truth.to_string();
    }
    if role == Some(Role::CacheEngine) {
        return value.to_ascii_lowercase();
    }
    value.to_owned()
}

/// A decimal number in its one shortest form: `05`, `5.0` and `5e0` are `5e0`. `None`: not a number.
fn normal_number(text: &str) -> Option<String> {
    let (negative, rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (mantissa, exponent) = match rest.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (rest, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let significant = digits.trim_start_matches('0');
    let shortest = significant.trim_end_matches('0');
    if shortest.is_empty() {
        return Some("0".to_owned());
    }
    let dropped = i32::try_from(significant.len() - shortest.len()).ok()?;
    let places = i32::try_from(fraction.len()).ok()?;
    let exponent = exponent.checked_sub(places)?.checked_add(dropped)?;
    Some(format!("{}{shortest}e{exponent}", if negative { "-" } else { "" }))
}

/// The truth a word stands for.
pub fn truth(text: &str) -> Option<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "enabled" | "enable" => Some(true),
        "false" | "no" | "off" | "disabled" | "disable" => Some(false),
        _ => None,
    }
}

/// Whether the allowed values are a pair of opposite words. Without allowed values `yes` may be a name like any other.
fn has_boolean_values(parameter: &Parameter) -> bool {
    let mut truths = parameter.allowed_values.iter().map(|value| truth(value));
    parameter.allowed_values.len() == 2
        && matches!((truths.next().flatten(), truths.next().flatten()), (Some(one), Some(other)) if one != other)
}

/// The spelling in which a template takes a value: the allowed value that means the same, else the value without blanks around it.
pub fn spelled(parameter: &Parameter, role: Option<Role>, value: &str) -> String {
    let value = value.trim();
    if parameter.allowed_values.iter().any(|allowed| allowed == value) {
        return value.to_owned();
    }
    parameter
        .allowed_values
        .iter()
        .find(|allowed| same(parameter, role, allowed, value))
        .cloned()
        .unwrap_or_else(|| value.to_owned())
}

/// The spelling of a truth: that of the allowed values, else `true` and `false`.
pub fn spelled_truth(parameter: &Parameter, value: bool) -> String {
    parameter
        .allowed_values
        .iter()
        .find(|allowed| truth(allowed) == Some(value))
        .cloned()
        .unwrap_or_else(|| value.to_string())
}

/// Whether a running version is a wanted one: `8.0` is what `8.0.1` runs (ElastiCache user guide, engine versions: the patch level
/// is AWS's choice). Text that is no version is only equal to itself.
pub fn version_satisfies(wanted: &str, actual: &str) -> bool {
    match (CacheVersion::read(wanted.trim()), CacheVersion::read(actual.trim())) {
        (Some(wanted), Some(actual)) => wanted.is_satisfied_by(&actual),
        (None, _) | (_, None) => wanted.trim() == actual.trim(),
    }
}

/// Whether a version is a step back from another, by the components that both name: `7.1` is none from `7.1.0`.
pub fn is_older(version: &CacheVersion, than: &CacheVersion) -> bool {
    version
        .components()
        .iter()
        .zip(than.components())
        .find(|(one, other)| one != other)
        .is_some_and(|(one, other)| one < other)
}

/// What a template says to a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Complaint {
    /// CloudFormation would refuse it.
    Refused(String),
    /// A rule that this program cannot check: CloudFormation may refuse it.
    Unchecked(String),
}

/// Checks a value, spelled as it would be sent, against a parameter's rules. Empty: nothing is known against it.
///
/// Allowed values, pattern, lengths and bounds as CloudFormation checks them (user guide, parameters): the members of a list one by
/// one, a pattern against the whole value. For an SSM-typed parameter the value is the name in Systems Manager, and so it is what is
/// checked.
pub fn check(parameter: &Parameter, label: Option<&str>, value: &str) -> Vec<Complaint> {
    let who = match label {
        Some(label) if label != parameter.key => format!("`{}` ({label})", parameter.key),
        Some(_) | None => format!("`{}`", parameter.key),
    };
    let mut complaints = Vec::new();
    let single = [value.trim()];
    let members: Vec<&str> = if is_list(parameter) {
        value.split(',').map(str::trim).collect()
    } else {
        single.to_vec()
    };
    for member in members {
        if let Some(complaint) = check_one(parameter, &who, member) {
            complaints.push(complaint);
        }
    }
    complaints
}

fn check_one(parameter: &Parameter, who: &str, value: &str) -> Option<Complaint> {
    let refused =
        |why: String| Some(Complaint::Refused(format!("{who} cannot be `{value}`: {why}")));
    if !parameter.allowed_values.is_empty()
        && !parameter.allowed_values.iter().any(|allowed| same(parameter, None, allowed, value))
    {
        return refused(format!("allowed are {}", listed(&parameter.allowed_values)));
    }
    if is_number(parameter) {
        // `inf` and `nan` are numbers to Rust only.
        let number = normal_number(value).and_then(|_| value.parse::<f64>().ok());
        let Some(number) = number else { return refused("a number is wanted".to_owned()) };
        let bound = |text: &Option<String>| {
            text.as_deref().and_then(|text| text.trim().parse::<f64>().ok())
        };
        if let Some(least) = bound(&parameter.min_value).filter(|least| number < *least) {
            return refused(format!("the least is {least}"));
        }
        if let Some(most) = bound(&parameter.max_value).filter(|most| number > *most) {
            return refused(format!("the most is {most}"));
        }
        return None;
    }
    let characters = value.chars().count();
    let length =
        |text: &Option<String>| text.as_deref().and_then(|text| text.trim().parse::<usize>().ok());
    if let Some(least) = length(&parameter.min_length).filter(|least| characters < *least) {
        return refused(format!("it has {characters} characters, the least is {least}"));
    }
    if let Some(most) = length(&parameter.max_length).filter(|most| characters > *most) {
        return refused(format!("it has {characters} characters, the most is {most}"));
    }
    let pattern = parameter.allowed_pattern.as_deref()?;
    match whole_value_pattern(pattern) {
        None => Some(Complaint::Unchecked(format!(
            "the pattern of {who} cannot be checked here (`{pattern}`): CloudFormation will tell whether it takes `{value}`"
        ))),
        Some(regex) if regex.is_match(value) => None,
        Some(_) => refused(match &parameter.constraint_description {
            Some(description) => format!("wanted is {description}"),
            None => format!("it does not match `{pattern}`"),
        }),
    }
}

/// The allowed values, in the template's order, cut short.
pub fn listed(values: &[String]) -> String {
    let mut shown: Vec<String> =
        values.iter().take(LISTED).map(|value| format!("`{value}`")).collect();
    if values.len() > LISTED {
        shown.push(format!("{} more", values.len() - LISTED));
    }
    shown.join(", ")
}

/// A Java pattern as this engine understands it, anchored at both ends; `None` when it would not mean the same.
///
/// Look-around and back-references do not compile here at all. Possessive quantifiers (`a++`) and classes within classes
/// (`[a-z&&[^b]]`) compile in some engines, as something else: they are sorted out first.
fn whole_value_pattern(pattern: &str) -> Option<Regex> {
    if means_something_else(pattern) {
        return None;
    }
    Regex::new(&format!(r"\A(?:{pattern})\z")).ok()
}

fn means_something_else(pattern: &str) -> bool {
    let mut in_class = false;
    let mut after_quantifier = false;
    let mut characters = pattern.chars().peekable();
    while let Some(character) = characters.next() {
        let quantifier = match character {
            '\\' => {
                characters.next();
                false
            }
            '[' if in_class => return true,
            '[' => {
                in_class = true;
                // `[]…` and `[^]…`: Java reads a first `]` as a member or refuses, depending on its version.
                let rest: String = characters.clone().take(2).collect();
                if rest.starts_with(']') || rest == "^]" {
                    return true;
                }
                false
            }
            ']' => {
                in_class = false;
                false
            }
            '&' if in_class && characters.peek() == Some(&'&') => return true,
            '+' if after_quantifier && !in_class => return true,
            '*' | '+' | '?' | '}' => !in_class,
            _ => false,
        };
        after_quantifier = quantifier;
    }
    false
}

#[cfg(test)]
mod tests;
