//! The fields of a spec, each with its rule: what only the full form has, and what both forms share.

use crate::desired::document::{
    Approval, AssumedRole, Cache, Events, Mode, Policy, Recovery, Role, Storage, Suspend,
};
use crate::desired::duration::parse_between;
use crate::desired::engine::{CacheVersion, Engine};
use crate::desired::fields::{self, CACHE, EVENTS, POLICY, SUSPEND, WINDOW};
use crate::desired::ids::{ExternalId, FunctionPrefix, NodeType, ParameterKey, RoleArn};
use crate::desired::parse::Defaults;
use crate::desired::problem::{Complaint, ProblemKind};
use crate::desired::reader::{Fields, Reader};
use crate::desired::window::{
    DAYS, MAX_WINDOWS, MaintenanceWindow, MaintenanceWindows, parse_day, parse_time,
    parse_timezone, time_text,
};
use crate::desired::yaml::{Node, Value};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::collections::BTreeMap;
use std::time::Duration;

/// What only the full form has.
pub(super) struct Rest {
    pub(super) role: Option<AssumedRole>,
    pub(super) cache: Option<Cache>,
    pub(super) parameters: BTreeMap<ParameterKey, String>,
    pub(super) parameter_keys: BTreeMap<Role, ParameterKey>,
    pub(super) events: Events,
    pub(super) policy: Policy,
    pub(super) suspend: Option<Suspend>,
}

pub(super) fn rest(reader: &mut Reader<'_>, fields: &Fields<'_>, defaults: &Defaults) -> Rest {
    let cache_fields =
        fields.get("cache").map(|node| reader.fields(node, "spec.cache", CACHE, |_| None));
    let events =
        fields.get("events").map(|node| reader.fields(node, "spec.events", EVENTS, |_| None));
    let policy =
        fields.get("policy").map(|node| reader.fields(node, "spec.policy", POLICY, |_| None));
    Rest {
        role: role(reader, fields),
        cache: cache_fields.and_then(|fields| cache(reader, &fields)),
        parameters: parameters(reader, fields),
        parameter_keys: parameter_keys(reader, fields),
        events: events.map_or_else(Events::default, |fields| events_of(reader, &fields)),
        policy: match policy {
            Some(fields) => policy_of(reader, &fields, &defaults.policy()),
            None => defaults.policy(),
        },
        suspend: suspend(reader, fields, "suspend"),
    }
}

fn role(reader: &mut Reader<'_>, fields: &Fields<'_>) -> Option<AssumedRole> {
    let external_id = reader.scalar(fields, "externalId", ExternalId::parse);
    if let (None, Some(node)) = (fields.get("roleArn"), fields.get("externalId")) {
        let complaint = Complaint::new("an external id without a role")
            .hint("add `roleArn`, or remove `externalId`");
        reader.note(
            node.at,
            &fields.path("externalId"),
            ProblemKind::InvalidValue,
            None,
            complaint,
        );
    }
    let arn = reader.scalar(fields, "roleArn", RoleArn::parse)?;
    Some(AssumedRole { arn, external_id })
}

/// Reads the cache from the fields of `spec.cache` or of the short form, which has two of them at its root.
pub(super) fn cache(reader: &mut Reader<'_>, fields: &Fields<'_>) -> Option<Cache> {
    let engine = reader.scalar(fields, "engine", Engine::parse);
    // A version is checked against its engine; without one, Valkey's rules find most slips.
    let version = reader.scalar(fields, "version", |text| match engine {
        Some(engine) => CacheVersion::parse(text, engine),
        None => CacheVersion::parse(text, Engine::Valkey)
            .or_else(|_| CacheVersion::parse(text, Engine::Redis)),
    });
    let node_type = reader.scalar(fields, "nodeType", NodeType::parse);
    let nodes = reader.scalar(fields, "nodes", |text| number(text, 1, fields::MAX_NODES));
    let multi_az = reader.scalar(fields, "multiAz", flag);
    let auth_mode = reader.scalar(fields, "authMode", auth_mode);
    Some(Cache { engine: engine?, version: version?, node_type, nodes, multi_az, auth_mode })
}

fn auth_mode(text: &str) -> Result<String, Complaint> {
    let well_formed = (2..=100).contains(&text.chars().count())
        && text.trim() == text
        && !text.contains(char::is_control);
    if well_formed {
        return Ok(text.to_owned());
    }
    Err(Complaint::new("not an authentication mode")
        .allowed("one of the template's, such as `IAM`, `Redis Password`, `Redis Password & IAM`"))
}

fn parameters(reader: &mut Reader<'_>, fields: &Fields<'_>) -> BTreeMap<ParameterKey, String> {
    let mut parameters = BTreeMap::new();
    let path = fields.path("parameters");
    let entries =
        fields.get("parameters").and_then(|node| reader.entries(node, &path)).unwrap_or_default();
    for (name, key, value) in entries {
        let path = format!("{path}.{name}");
        let key = reader.value(key, &path, ParameterKey::parse);
        if let Value::List(_) = value.value {
            let complaint = Complaint::new("to CloudFormation every value is text")
                .hint("join the items with commas: `\"a,b\"`");
            reader.refuse(value, &path, ProblemKind::InvalidValue, complaint);
            continue;
        }
        reader.place(&path, value);
        let value = reader.value(value, &path, parameter_value);
        if let (Some(key), Some(value)) = (key, value) {
            parameters.insert(key, value);
        }
    }
    parameters
}

pub(super) fn parameter_value(text: &str) -> Result<String, Complaint> {
    // NoEcho values read back as asterisks: whoever pastes them here would set the password to asterisks.
    if !text.is_empty() && text.bytes().all(|b| b == b'*') {
        return Err(Complaint::new("a masked value")
            .hint("that is how AWS hides a secret; remove the line and the value is kept"));
    }
    Ok(text.to_owned())
}

fn parameter_keys(reader: &mut Reader<'_>, fields: &Fields<'_>) -> BTreeMap<Role, ParameterKey> {
    let mut keys = BTreeMap::new();
    let path = fields.path("parameterKeys");
    let entries = fields
        .get("parameterKeys")
        .and_then(|node| reader.entries(node, &path))
        .unwrap_or_default();
    for (name, role, key) in entries {
        let path = format!("{path}.{name}");
        reader.place(&path, key);
        let role = match Role::parse(name) {
            Ok(role) => Some(role),
            Err(complaint) => {
                let complaint = Complaint { message: "no such role".to_owned(), ..complaint };
                reader.note(role.at, &path, ProblemKind::UnknownField, None, complaint);
                None
            }
        };
        let key = reader.value(key, &path, ParameterKey::parse);
        if let (Some(role), Some(key)) = (role, key) {
            keys.insert(role, key);
        }
    }
    keys
}

fn events_of(reader: &mut Reader<'_>, fields: &Fields<'_>) -> Events {
    // An update starts only under holds younger than half their lease of 15 minutes; a longer drain could never end in one.
    const MOST_DRAIN: Duration = Duration::from_mins(5);
    let default = Events::default();
    Events {
        pause: reader.scalar(fields, "pause", flag).unwrap_or(default.pause),
        prefix: reader.scalar(fields, "prefix", FunctionPrefix::parse).unwrap_or(default.prefix),
        drain: duration(reader, fields, "drain", Duration::ZERO, MOST_DRAIN)
            .unwrap_or(default.drain),
    }
}

fn policy_of(reader: &mut Reader<'_>, fields: &Fields<'_>, default: &Policy) -> Policy {
    const DAY: Duration = Duration::from_hours(24);
    const SECOND: Duration = Duration::from_secs(1);
    Policy {
        mode: reader.scalar(fields, "mode", Mode::parse).unwrap_or(default.mode),
        approve: approvals(reader, fields),
        self_heal: reader.scalar(fields, "selfHeal", flag).unwrap_or(default.self_heal),
        settle: duration(reader, fields, "settle", Duration::ZERO, 30 * DAY)
            .unwrap_or(default.settle),
        storage: reader.scalar(fields, "storage", Storage::parse).unwrap_or(default.storage),
        recovery: reader.scalar(fields, "recovery", Recovery::parse).unwrap_or(default.recovery),
        maintenance_windows: windows(reader, fields),
        interval: duration(reader, fields, "interval", SECOND, DAY).unwrap_or(default.interval),
        deep_drift_interval: duration(
            reader,
            fields,
            "deepDriftInterval",
            Duration::ZERO,
            30 * DAY,
        )
        .unwrap_or(default.deep_drift_interval),
        update_timeout: duration(reader, fields, "updateTimeout", 60 * SECOND, 7 * DAY)
            .unwrap_or(default.update_timeout),
        max_attempts: reader
            .scalar(fields, "maxAttempts", |text| number(text, 1, fields::MAX_ATTEMPTS))
            .unwrap_or(default.max_attempts),
    }
}

pub(crate) fn duration(
    reader: &mut Reader<'_>,
    fields: &Fields<'_>,
    name: &str,
    least: Duration,
    most: Duration,
) -> Option<Duration> {
    reader.scalar(fields, name, |text| parse_between(text, least, most))
}

pub(super) fn approvals(reader: &mut Reader<'_>, fields: &Fields<'_>) -> Vec<Approval> {
    let mut approvals = Vec::new();
    for (path, node) in reader.list(fields, "approve") {
        let Some(approval) = reader.value(node, &path, Approval::parse) else { continue };
        if approvals.contains(&approval) {
            reader.refuse(
                node,
                &path,
                ProblemKind::DuplicateField,
                Complaint::new("the approval is there twice"),
            );
        } else {
            approvals.push(approval);
        }
    }
    approvals
}

pub(crate) fn windows(reader: &mut Reader<'_>, fields: &Fields<'_>) -> MaintenanceWindows {
    let nodes = reader.list(fields, "maintenanceWindows");
    if let (true, Some(node)) = (nodes.len() > MAX_WINDOWS, fields.get("maintenanceWindows")) {
        let complaint = Complaint::new(format!("{} windows", nodes.len()))
            .allowed(format!("at most {MAX_WINDOWS}"));
        reader.refuse(node, &fields.path("maintenanceWindows"), ProblemKind::TooLarge, complaint);
        return MaintenanceWindows::default();
    }
    MaintenanceWindows::new(
        nodes.iter().filter_map(|(path, node)| window(reader, path, node)).collect(),
    )
}

fn window(reader: &mut Reader<'_>, path: &str, node: &Node) -> Option<MaintenanceWindow> {
    let fields = reader.fields(node, path, WINDOW, |_| None);
    let items = reader.list(&fields, "days");
    if let (true, Some(node)) =
        (items.is_empty(), fields.get("days").filter(|node| matches!(node.value, Value::List(_))))
    {
        let complaint =
            Complaint::new("a window that opens on no day").hint("remove `days` for every day");
        reader.refuse(node, &fields.path("days"), ProblemKind::InvalidValue, complaint);
    }
    let mut days: Vec<_> =
        items.iter().filter_map(|(path, node)| reader.value(node, path, parse_day)).collect();
    if items.is_empty() {
        days = DAYS.iter().filter_map(|day| parse_day(day).ok()).collect();
    }
    days.sort_by_key(|day| day.to_monday_zero_offset());
    days.dedup();
    let start = reader.scalar(&fields, "start", |text| {
        parse_time(text)?.ok_or_else(|| {
            Complaint::new("a window cannot open at `24:00`")
                .hint("write `\"00:00\"` and the next day")
        })
    });
    let end = reader.scalar(&fields, "end", parse_time);
    let timezone = match fields.get("timezone") {
        Some(_) => reader.scalar(&fields, "timezone", parse_timezone),
        None => Some(TimeZone::UTC),
    };
    let (start, end, timezone) = (start?, end?, timezone?);
    if let (Some(end), Some(node)) = (end.filter(|end| *end == start), fields.get("end")) {
        let complaint = Complaint::new("a window that ends when it starts").hint(format!(
            "for a whole day write `start: \"00:00\"` and `end: \"24:00\"`, not `{}` twice",
            time_text(Some(end))
        ));
        reader.refuse(node, &fields.path("end"), ProblemKind::InvalidValue, complaint);
        return None;
    }
    Some(MaintenanceWindow { days, start, end, timezone })
}

/// Reads `true`, `false`, or a reason and an end.
pub(crate) fn suspend(reader: &mut Reader<'_>, fields: &Fields<'_>, name: &str) -> Option<Suspend> {
    let node = fields.get(name)?;
    if let Value::Scalar { .. } = node.value {
        return reader.value(node, &fields.path(name), flag)?.then(Suspend::default);
    }
    let fields = reader.fields(node, &fields.path(name), SUSPEND, |_| None);
    let reason = reader.scalar(&fields, "reason", |text| match text.chars().count() {
        1..=500 => Ok(text.to_owned()),
        count => Err(Complaint::new(format!("a reason of {count} characters"))
            .allowed("1 to 500 characters")),
    });
    let until = reader.scalar(&fields, "until", point_in_time);
    Some(Suspend { reason, until })
}

/// Reads a point in time. A zone's name behind it is refused: it would be passed over where it contradicts the offset.
fn point_in_time(text: &str) -> Result<Timestamp, Complaint> {
    let complaint = || {
        Complaint::new("not a point in time")
            .allowed("RFC 3339 with its offset, such as `2026-12-01T00:00:00Z`")
    };
    if let Some((bare, _)) = text.split_once('[') {
        return Err(complaint().hint(format!("write `{bare}`: the offset alone counts")));
    }
    text.parse::<Timestamp>().map_err(|_| {
        let hint = if text.parse::<jiff::civil::Date>().is_ok() && text.len() == 10 {
            Some(format!("write `{text}T00:00:00Z`"))
        } else {
            let without_offset = text.parse::<jiff::civil::DateTime>().is_ok();
            without_offset
                .then(|| format!("write `{text}Z` for UTC, or an offset such as `+02:00`"))
        };
        complaint().hint_if_any(hint)
    })
}

/// Reads YAML 1.2's `true` and `false`, and no other word for them.
pub(crate) fn flag(text: &str) -> Result<bool, Complaint> {
    let complaint = |hint: Option<String>| {
        Complaint::new("not a truth value").allowed("`true` or `false`").hint_if_any(hint)
    };
    match text {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => match text.to_ascii_lowercase().as_str() {
            "true" | "yes" | "y" | "on" | "1" => Err(complaint(Some("write `true`".to_owned()))),
            "false" | "no" | "n" | "off" | "0" => Err(complaint(Some("write `false`".to_owned()))),
            _ => Err(complaint(None)),
        },
    }
}

pub(crate) fn number(text: &str, least: u8, most: u8) -> Result<u8, Complaint> {
    let canonical =
        text.bytes().all(|b| b.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    text.parse().ok().filter(|number| canonical && (least..=most).contains(number)).ok_or_else(
        || {
            Complaint::new("not a number in range")
                .allowed(format!("a whole number from {least} to {most}"))
        },
    )
}
