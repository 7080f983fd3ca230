//! A look at what moves during a change: product, record, all stacks, caches, database and the triggers with their tags; two rounds.
//!
//! Versions, paths, templates, history and queues are as the last full look found them. That is good for as long as the change is the
//! same one: when it ended, or another began, everything is read.

use super::{
    Known, OfStacks, caches, check, databases, hive_of, name_in, nested, now, passing_gap,
    relatives,
};
use crate::aws::reader::ProductRef as ReaderRef;
use crate::aws::{Reader, Session, SessionError, types as aws};
use crate::observe::observation::{NestedStack, Observation, Product, Record, Seen};
use crate::observe::shared::Lists;
use crate::observe::{Query, convert, join::join_all, triggers};
use jiff::SignedDuration;

/// How old the rest may get while something changes.
const REST: SignedDuration = SignedDuration::from_mins(5);

/// Looks. `None`: the change ended, or another began, or the rest is too old; then everything is read.
pub(super) async fn brisk(
    session: &Session,
    lists: Lists<'_>,
    query: &Query,
    known: &Known,
) -> Result<Option<Observation>, SessionError> {
    let before = &known.observation;
    let (Some([product]), Some(root), Some(record)) = (
        before.products.present().map(Vec::as_slice),
        before.root.present(),
        before.last_record.present(),
    ) else {
        return Ok(None);
    };
    let reader = session.reader();
    let by_id = ReaderRef::Id(product.id.clone());
    let is_over = record.is_over();
    let record_again = async {
        // A record that is over stays as it is.
        if is_over { None } else { Some(reader.record(&record.id).await) }
    };
    let (checked, product_now, record_now, stacks, groups, clusters, instances, mappings) = tokio::join!(
        check(session, query.account.as_deref()),
        reader.provisioned_product(&by_id),
        record_again,
        lists.stacks(),
        lists.replication_groups(),
        lists.cache_clusters(),
        lists.db_instances(),
        lists.mappings(),
    );
    checked?;
    let at = now(session, before.now);
    let (Ok(product_now), Ok((stacks, _)), Ok((mappings, _))) = (product_now, stacks, mappings)
    else {
        return Ok(None);
    };
    let Some(root_now) = stacks.iter().find(|stack| stack.id == root.id) else { return Ok(None) };
    let product_now = Product {
        product_name: product.product_name.clone(),
        physical_id: product.physical_id.clone(),
        ..convert::product(product_now)
    };
    let record_now = match record_now {
        None => record.clone(),
        Some(Ok(found)) => convert::record(found.record, &found.outputs),
        Some(Err(_)) => return Ok(None),
    };
    let root_now = convert::stack(root_now);
    let same_change = product_now.last_provisioning_record_id
        == product.last_provisioning_record_id
        && moves(&product_now, &record_now, &root_now.status)
            == moves(product, record, &root.status);
    let fresh = at.duration_since(known.slow_at) < REST;
    if !same_change || !fresh || passing_gap(before) {
        return Ok(None);
    }
    let hive = hive_of(query, before);
    let mut found = before.clone();
    found.now = at;
    found.relatives = match &hive {
        Some(hive) => Seen::Present(relatives(&stacks, hive)),
        None => before.relatives.clone(),
    };
    let hold = crate::observe::hold_key(&product.id);
    let workers = triggers::workers(
        &mappings,
        found.relatives.present().map_or(&[][..], Vec::as_slice),
        &query.prefix,
    );
    let nested_before = before.nested.present().map_or(&[][..], Vec::as_slice);
    let below: Vec<&aws::Stack> =
        stacks.iter().filter(|stack| stack.root_id.as_deref() == Some(&root.id)).collect();
    let (tagged, nested_now) = tokio::join!(
        Box::pin(workers.tagged(&reader, &hold)),
        Box::pin(nested_again(&reader, &below, nested_before, &root.id)),
    );
    let (mut tagged, unread) = tagged;
    found.details.tags = unread;
    tagged.queues =
        before.triggers.present().map(|triggers| triggers.queues.clone()).unwrap_or_default();
    found.triggers = Seen::Present(tagged);
    found.nested = nested_now;
    found.caches = caches(&groups, &clusters, &known.resources, hive.as_deref());
    let storage_changed = before.database.present().and_then(|database| database.storage_changed);
    (found.database, found.replica) = databases(&instances, &known.resources, storage_changed);
    found.products = Seen::Present(vec![product_now]);
    found.last_record = Seen::Present(record_now);
    found.root = Seen::Present(root_now);
    for part in [
        "products",
        "lastRecord",
        "root",
        "nested",
        "relatives",
        "caches",
        "database",
        "replica",
        "triggers",
    ] {
        found.read_at.insert(part.to_owned(), at);
    }
    Ok(Some(found))
}

/// Whether a change runs, by any of the three that can tell.
fn moves(product: &Product, record: &Record, root_status: &str) -> bool {
    product.status == "UNDER_CHANGE" || root_status.ends_with("_IN_PROGRESS") || !record.is_over()
}

/// The nested stacks; resources are listed again only of those that work at them now.
async fn nested_again(
    reader: &Reader,
    below: &[&aws::Stack],
    before: &[NestedStack],
    root_id: &str,
) -> Seen<Vec<NestedStack>> {
    let works = |stack: &&&aws::Stack| {
        let status = stack.status.as_deref().unwrap_or_default();
        let was = before.iter().find(|known| known.id == stack.id);
        was.is_none_or(|was| was.status != status)
            || (status.ends_with("_IN_PROGRESS") && !status.contains("CLEANUP"))
    };
    let at_work: Vec<&aws::Stack> = below.iter().filter(works).copied().collect();
    let lists = join_all(at_work.iter().map(|stack| reader.stack_resources(&stack.id))).await;
    let lists: OfStacks = at_work
        .iter()
        .map(|stack| stack.id.clone())
        .zip(lists.into_iter().map(|list| list.map(Option::unwrap_or_default)))
        .collect();
    let owned: Vec<aws::Stack> = below.iter().map(|stack| (*stack).clone()).collect();
    let Seen::Present(mut all) = nested(&owned, root_id, &lists) else {
        // What a stack holds could not be read again: what it held is as good as it gets, its status is new.
        return Seen::Present(with_statuses(before, &owned));
    };
    for stack in &mut all {
        let Some(known) = before.iter().find(|known| known.id == stack.id) else { continue };
        stack.logical_id.clone_from(&known.logical_id);
        if !at_work.iter().any(|at_work| at_work.id == stack.id) {
            stack.resources.clone_from(&known.resources);
            stack.resources_total = known.resources_total;
            stack.resources_complete = known.resources_complete;
            stack.heard = known.heard;
        }
    }
    Seen::Present(all)
}

fn with_statuses(before: &[NestedStack], now: &[aws::Stack]) -> Vec<NestedStack> {
    before
        .iter()
        .map(|known| {
            let found = now.iter().find(|stack| stack.id == known.id);
            let status = found.and_then(|stack| stack.status.clone());
            let parent = found.and_then(|stack| stack.parent_id.as_deref()).map(name_in);
            NestedStack {
                updated: found
                    .and_then(|stack| stack.updated_at.or(stack.created_at))
                    .or(known.updated),
                status: status.unwrap_or_else(|| known.status.clone()),
                parent: parent.map_or_else(|| known.parent.clone(), str::to_owned),
                ..known.clone()
            }
        })
        .collect()
}
