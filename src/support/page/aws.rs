//! What AWS says, service by service: what Turbot's guides ask for in a ticket.

use super::super::html::{Cell, Page};
use super::at;
use crate::observe::dossier::{Dossier, ServiceEvent};
use crate::observe::observation::{Database, Observation, Record, Seen};
use crate::observe::story::StackStory;
use crate::text::moment;

/// How many events of a stack, a database or a cache are shown; the files have all.
const SHOWN_EVENTS: usize = 300;

pub(super) fn product(page: &mut Page, seen: &Observation) {
    page.heading(2, "Provisioned product and records");
    for product in present(page, &seen.products, "the provisioned product").into_iter().flatten() {
        page.facts(vec![
            ("name", Some(product.name.clone())),
            ("id", Some(product.id.clone())),
            ("status", Some(product.status.clone())),
            ("status message", product.status_message.clone()),
            ("product", product.product_name.clone()),
            ("version (artifact)", product.artifact_id.clone()),
            ("launch role", product.launch_role_arn.clone()),
            ("stack", product.physical_id.clone()),
        ]);
    }
    let records = match &seen.history {
        Seen::Present(records) => records.iter().collect(),
        Seen::Absent | Seen::Unreadable(_) | Seen::NotLooked => {
            let both = [&seen.last_record, &seen.last_success];
            let mut records: Vec<&Record> = both.into_iter().filter_map(Seen::present).collect();
            records.dedup_by(|a, b| a.id == b.id);
            records
        }
    };
    let version = |id: Option<&String>| -> String {
        let versions = seen.versions.present().map_or(&[][..], Vec::as_slice);
        let name = versions.iter().find(|version| Some(&version.id) == id);
        name.map_or_else(|| id.cloned().unwrap_or_default(), |version| version.name.clone())
    };
    let rows = records.into_iter().map(|record| {
        vec![
            at(record.created).into(),
            at(record.updated).into(),
            status(&record.status),
            record.kind.as_str().into(),
            version(record.artifact_id.as_ref()).into(),
            record.principal.as_deref().unwrap_or_default().into(),
            record.errors.join(" ").into(),
            record.id.as_str().into(),
        ]
    });
    page.table(
        &["Created", "Updated", "Status", "Type", "Version", "Who", "Errors", "Record"],
        rows.collect(),
    );
}

pub(super) fn stacks(page: &mut Page, seen: &Observation) {
    page.heading(2, "Stacks");
    let root = present(page, &seen.root, "the root stack");
    let nested = present(page, &seen.nested, "nested stacks");
    let mut rows: Vec<Vec<Cell>> = Vec::new();
    if let Some(root) = root {
        rows.push(vec![
            "root".into(),
            root.name.as_str().into(),
            status(&root.status),
            root.reason.as_deref().unwrap_or_default().into(),
            at(root.updated.or(root.created)).into(),
        ]);
    }
    for stack in nested.into_iter().flatten() {
        rows.push(vec![
            stack.logical_id.as_str().into(),
            stack.name.as_str().into(),
            status(&stack.status),
            stack.reason.as_deref().unwrap_or_default().into(),
            format!("{} of {} resources complete", stack.resources_complete, stack.resources_total)
                .into(),
        ]);
    }
    page.table(&["Stack", "Name", "Status", "Reason", "Changed"], rows);
    let resources = nested.into_iter().flatten().flat_map(|stack| {
        stack.resources.iter().map(move |resource| {
            vec![
                stack.logical_id.as_str().into(),
                resource.logical_id.as_str().into(),
                resource.kind.as_str().into(),
                status(&resource.status),
                resource.reason.as_deref().unwrap_or_default().into(),
                resource.physical_id.as_str().into(),
            ]
        })
    });
    let resources: Vec<_> = resources.collect();
    page.folded(&format!("Resources of the nested stacks ({})", resources.len()), |page| {
        page.table(&["Stack", "Resource", "Type", "Status", "Reason", "Physical id"], resources);
    });
    if let Some(root) = root {
        let parameters = root.parameters.iter().map(|(key, parameter)| {
            vec![
                key.as_str().into(),
                parameter.value.as_str().into(),
                parameter.resolved.as_deref().unwrap_or_default().into(),
            ]
        });
        page.folded(&format!("Parameters of the root stack ({})", root.parameters.len()), |page| {
            page.table(&["Parameter", "Value", "Resolved"], parameters.collect());
        });
    }
}

pub(super) fn stack_events(page: &mut Page, dossier: &Dossier) {
    page.heading(2, "Stack events");
    let stacks = &dossier.story.stacks;
    let failed = stacks.iter().flat_map(|stack| {
        let failed = stack.events.iter().filter(|event| event.status.ends_with("_FAILED"));
        failed.map(move |event| (stack, event))
    });
    let mut failed: Vec<_> = failed.collect();
    failed.sort_by_key(|(_, event)| std::cmp::Reverse(event.at));
    if failed.is_empty() && !stacks.is_empty() {
        page.paragraph("good", "No event of a failure.");
    }
    let rows = failed.into_iter().take(SHOWN_EVENTS).map(|(stack, event)| {
        vec![
            at(event.at).into(),
            place(stack).into(),
            event.logical_id.as_str().into(),
            event.kind.as_str().into(),
            status(&event.status),
            event.reason.as_deref().unwrap_or_default().into(),
        ]
    });
    page.table(&["Time", "Stack", "Resource", "Type", "Status", "Reason"], rows.collect());
    for stack in stacks {
        let title = format!("Events of {} ({})", place(stack), stack.events.len());
        page.folded(&title, |page| {
            let rows = stack.events.iter().take(SHOWN_EVENTS).map(|event| {
                vec![
                    at(event.at).into(),
                    event.logical_id.as_str().into(),
                    event.kind.as_str().into(),
                    status(&event.status),
                    event.reason.as_deref().unwrap_or_default().into(),
                ]
            });
            page.table(&["Time", "Resource", "Type", "Status", "Reason"], rows.collect());
            rest(page, stack.events.len());
        });
    }
}

pub(super) fn database(page: &mut Page, seen: &Observation, dossier: Option<&Dossier>) {
    page.heading(2, "Database");
    one_database(page, &seen.database, "the database");
    service_events(page, "Events of the database", dossier.map(|found| &found.database_events));
    if let Seen::Present(_) = &seen.replica {
        page.heading(3, "Read replica");
        one_database(page, &seen.replica, "the read replica");
        service_events(page, "Events of the replica", dossier.map(|found| &found.replica_events));
    }
}

fn one_database(page: &mut Page, seen: &Seen<Database>, what: &str) {
    let Some(database) = present(page, seen, what) else { return };
    let storage = format!(
        "{} GiB of at most {} GiB, {}, {} IOPS, {} MiB/s",
        number(database.allocated_storage),
        number(database.max_allocated_storage),
        database.storage_type.as_deref().unwrap_or("?"),
        number(database.iops),
        number(database.storage_throughput),
    );
    let pending = database.pending.iter().map(|(name, value)| format!("{name}: {value}"));
    page.facts(vec![
        ("instance", Some(database.id.clone())),
        ("status", Some(database.status.clone())),
        (
            "engine",
            database.engine.as_ref().map(|engine| {
                format!("{engine} {}", database.engine_version.as_deref().unwrap_or(""))
            }),
        ),
        ("class", database.class.clone()),
        ("storage", Some(storage)),
        ("storage optimization", database.optimization.clone()),
        ("storage changed", database.storage_changed.map(moment)),
        ("pending changes", Some(pending.collect::<Vec<_>>().join(", "))),
        ("backup window", database.backup_window.clone()),
        ("backups kept", database.backup_retention.map(|days| format!("{days} days"))),
        ("maintenance window", database.maintenance_window.clone()),
        ("replicas", Some(database.replicas.join(", "))),
    ]);
}

pub(super) fn cache(page: &mut Page, seen: &Observation, dossier: Option<&Dossier>) {
    page.heading(2, "Cache");
    for cache in present(page, &seen.caches, "the cache").into_iter().flatten() {
        page.facts(vec![
            ("replication group", Some(cache.id.clone())),
            ("in the stack", Some(yes(cache.in_stack).to_owned())),
            ("status", Some(cache.status.clone())),
            ("engine", cache.engine.clone()),
            ("node type", cache.node_type.clone()),
            ("multi-AZ", cache.multi_az.clone()),
            ("automatic failover", cache.automatic_failover.clone()),
            ("encrypted in transit", cache.transit_encryption.map(|on| yes(on).to_owned())),
            ("encrypted at rest", cache.at_rest_encryption.map(|on| yes(on).to_owned())),
            ("user groups", Some(cache.user_groups.join(", "))),
            ("maintenance window", cache.maintenance_window.clone()),
            ("snapshot window", cache.snapshot_window.clone()),
        ]);
        let rows = cache.nodes.iter().map(|node| {
            vec![
                node.id.as_str().into(),
                node.status.as_str().into(),
                node.engine.as_deref().unwrap_or_default().into(),
                node.engine_version.as_deref().unwrap_or_default().into(),
                node.parameter_group.as_deref().unwrap_or_default().into(),
                yes(node.pending).into(),
            ]
        });
        page.table(
            &["Node", "Status", "Engine", "Version", "Parameter group", "Change pending"],
            rows.collect(),
        );
    }
    service_events(page, "Events of the cache", dossier.map(|found| &found.cache_events));
}

pub(super) fn triggers(page: &mut Page, seen: &Observation, dossier: Option<&Dossier>) {
    page.heading(2, "Worker triggers and queues");
    let Some(triggers) = present(page, &seen.triggers, "worker triggers") else { return };
    let rows = triggers.mappings.iter().map(|trigger| {
        let holds = trigger.tags.as_ref().map(|tags| {
            let tags = tags.iter().map(|(key, value)| format!("{key} = {value}"));
            tags.collect::<Vec<_>>().join("\n")
        });
        vec![
            trigger.function.as_str().into(),
            trigger.te_version.as_str().into(),
            trigger.state.as_str().into(),
            at(trigger.last_modified).into(),
            holds.as_deref().unwrap_or_default().into(),
            trigger.queue.as_deref().unwrap_or_default().into(),
        ]
    });
    page.table(
        &["Function", "TE version", "State", "Last modified", "Tags", "Queue"],
        rows.collect(),
    );
    let queues = dossier.and_then(|dossier| dossier.queues.present());
    let rows = queues.into_iter().flatten().map(|queue| {
        vec![
            queue.queue.as_str().into(),
            queue.messages.map_or_else(|| "not read".to_owned(), |n| n.to_string()).into(),
            queue
                .retention_seconds
                .map_or_else(String::new, |seconds| format!("{} h", seconds / 3600))
                .into(),
            at(queue.at).into(),
        ]
    });
    page.table(&["Queue", "Messages that wait", "Kept for", "Read"], rows.collect());
}

fn service_events(page: &mut Page, title: &str, events: Option<&Seen<Vec<ServiceEvent>>>) {
    let Some(events) = events.and_then(|events| present(page, events, title)) else { return };
    page.folded(&format!("{title} ({}, the last 14 days)", events.len()), |page| {
        let rows = events.iter().take(SHOWN_EVENTS).map(|event| {
            vec![
                at(event.at).into(),
                event.source.as_deref().unwrap_or_default().into(),
                event.message.as_str().into(),
            ]
        });
        page.table(&["Time", "Source", "Message"], rows.collect());
        rest(page, events.len());
    });
}

/// The thing, or a line that says why it is not there.
fn present<'a, T>(page: &mut Page, seen: &'a Seen<T>, what: &str) -> Option<&'a T> {
    match seen {
        Seen::Present(value) => return Some(value),
        Seen::Absent => page.paragraph("dim", &format!("Not there: {what}.")),
        Seen::Unreadable(gap) => {
            page.paragraph("warn", &format!("Could not be read: {what}: {}", gap.message));
        }
        Seen::NotLooked => page.paragraph("dim", &format!("Not looked for: {what}.")),
    }
    None
}

fn rest(page: &mut Page, all: usize) {
    if all > SHOWN_EVENTS {
        let more = all - SHOWN_EVENTS;
        page.paragraph("dim", &format!("{more} older ones are in the files beside this report."));
    }
}

/// Logical ids from the root down.
fn place(stack: &StackStory) -> String {
    if stack.path.is_empty() { "the root stack".to_owned() } else { stack.path.join(" › ") }
}

/// A status of AWS, with a colour for bad ones.
fn status(status: &str) -> Cell {
    let bad = ["FAILED", "TAINTED", "ERROR"].iter().any(|word| status.contains(word));
    let back = status.contains("ROLLBACK");
    match (bad, back) {
        (true, _) => Cell::Marked("bad", status.to_owned()),
        (false, true) => Cell::Marked("warn", status.to_owned()),
        (false, false) => Cell::Text(status.to_owned()),
    }
}

fn yes(is: bool) -> &'static str {
    if is { "yes" } else { "no" }
}

fn number(number: Option<i64>) -> String {
    number.map_or_else(|| "?".to_owned(), |number| number.to_string())
}
