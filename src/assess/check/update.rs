//! Rules about the one request that changes a TED.

use super::Found;
use crate::assess::facts::Facts;
use crate::assess::plan::update_token;
use crate::assess::roles::Roles;
use crate::assess::types::{ParameterValue, UpdateOrder};
use crate::assess::values;
use crate::desired::{Approval, Desired, Engine, Role, Storage, TedVersion};
use crate::observe::observation::{Observation, Parameter};
use std::collections::BTreeSet;

/// 5. Of every update, whether or not it may be sent now.
pub(super) fn order(
    desired: &Desired,
    observation: &Observation,
    order: &UpdateOrder,
    found: &mut Found,
) {
    let products = observation.products.present().map_or(&[][..], Vec::as_slice);
    let product = products.iter().find(|product| product.id == order.provisioned_product_id);
    found.must(
        products.len() == 1 && product.is_some(),
        "an update is for the one product that was found",
        || order.provisioned_product_id.clone(),
    );
    let record = product.and_then(|product| product.last_provisioning_record_id.as_deref());
    found.must(
        order.token == update_token(&order.provisioned_product_id, record),
        "a token depends on the product and its last record, and on nothing else",
        || order.token.clone(),
    );
    let expected = &order.expects;
    let root = observation.root.present();
    let as_seen = expected.last_provisioning_record_id.as_deref() == record
        && product.is_some_and(|product| product.status == expected.product_status)
        && root.is_some_and(|root| {
            root.id == expected.stack_id
                && root.status == expected.stack_status
                && root.updated == expected.stack_updated
        });
    found.must(as_seen, "an update expects what was seen", || format!("{expected:?}"));

    let parameters = offered(observation, order);
    let keys: Vec<&str> = order.parameters.iter().map(|parameter| parameter.key.as_str()).collect();
    let all: Vec<&str> = parameters.iter().map(|parameter| parameter.key.as_str()).collect();
    found.must(keys == all, "every parameter of the version is named once, and no other", || {
        keys.join(", ")
    });
    let facts = Facts::of(Some(desired), observation);
    let named = named(desired, &facts.roles);
    for parameter in &order.parameters {
        let key = parameter.key.as_str();
        let runs = root.is_some_and(|root| root.parameters.contains_key(key));
        let fits = match &parameter.value {
            ParameterValue::Value(_) => true,
            ParameterValue::Previous => runs,
            ParameterValue::Default => !runs,
        };
        found.must(
            fits,
            "the previous value is for what the running stack has, the default for what it lacks",
            || key.to_owned(),
        );
        if let ParameterValue::Value(_) = parameter.value {
            found.must(!is_secret(observation, parameters, key), "no secret travels", || {
                key.to_owned()
            });
            found.must(!is_masked(&parameter.value), "no mask travels", || key.to_owned());
            found.must(named.contains(key), "nothing is set that nobody named", || key.to_owned());
        }
    }
}

/// 6. Of an update that may be sent now: what can never be undone is not done without its key, or at all.
pub(super) fn start(
    desired: &Desired,
    observation: &Observation,
    order: &UpdateOrder,
    found: &mut Found,
) {
    let running = observation
        .root
        .present()
        .and_then(|root| root.outputs.get("ReleaseVersion"))
        .and_then(|text| TedVersion::read(text));
    let wanted = TedVersion::read(&order.artifact_name);
    let goes_back = running.as_ref().zip(wanted.as_ref()).is_some_and(|(is, will)| will < is);
    found.must(!goes_back, "TED is never downgraded", || order.artifact_name.clone());

    let engines: BTreeSet<&str> = observation
        .caches
        .present()
        .into_iter()
        .flatten()
        .filter(|cache| cache.in_stack)
        .flat_map(|cache| cache.nodes.iter().filter_map(|node| node.engine.as_deref()))
        .collect();
    let facts = Facts::of(Some(desired), observation);
    let after =
        facts.roles.target_key(Role::CacheEngine).and_then(|key| comes_to(observation, order, key));
    let is = |engine: Engine| {
        after.as_deref().is_some_and(|after| after.eq_ignore_ascii_case(engine.as_str()))
    };
    let used = facts
        .roles
        .target_key(Role::UseCache)
        .and_then(|key| comes_to(observation, order, key))
        .and_then(|value| values::truth(&value))
        != Some(false);
    let valkey = Engine::Valkey.as_str();
    found.must(
        !(used && engines.contains(valkey) && is(Engine::Redis)),
        "there is no way back from Valkey to Redis",
        || format!("{engines:?}"),
    );
    let opens = used && engines.contains(Engine::Redis.as_str()) && is(Engine::Valkey);
    found.must(
        !opens || desired.spec.policy.approve.contains(&Approval::RedisToValkey),
        "from Redis to Valkey takes its approval",
        || format!("{engines:?}"),
    );
    let unread = [
        ("caller", observation.caller.gap()),
        ("root", observation.root.gap()),
        ("nested", observation.nested.gap()),
        ("template", observation.template.gap()),
        ("caches", observation.caches.gap()),
        ("database", observation.database.gap()),
        ("paths", observation.paths.gap()),
        ("relatives", observation.relatives.gap()),
    ];
    let gap = unread.into_iter().find(|(_, gap)| gap.is_some());
    found.must(gap.is_none(), "nothing starts on what could not be read", || {
        gap.map(|(what, _)| what.to_owned()).unwrap_or_default()
    });
    let changes = running != wanted
        || order.parameters.iter().any(|parameter| match &parameter.value {
            ParameterValue::Value(_) => true,
            ParameterValue::Previous | ParameterValue::Default => false,
        });
    found.must(changes, "no update is sent that changes nothing", || order.artifact_name.clone());
}

/// The parameters of the version that an update leads to: as offered, or, of the version that stays, as the template has them.
fn offered<'a>(observation: &'a Observation, order: &UpdateOrder) -> &'a [Parameter] {
    let offer = observation.target.present().filter(|offer| offer.artifact.id == order.artifact_id);
    let parameters = match offer {
        Some(offer) => offer.parameters.present(),
        None => observation.template.present().map(|template| &template.parameters),
    };
    parameters.map_or(&[], Vec::as_slice)
}

/// Whether the running template or the version to have calls a parameter secret.
fn is_secret(observation: &Observation, offered: &[Parameter], key: &str) -> bool {
    let template = observation.template.present().map_or(&[][..], |template| &template.parameters);
    // What the running version kept secret and the next one does not may be set: the document's value is no secret of the stack.
    let now = offered.iter().find(|parameter| parameter.key == key);
    now.or_else(|| template.iter().find(|parameter| parameter.key == key))
        .is_some_and(|parameter| parameter.no_echo)
}

/// What AWS shows instead of a secret.
fn is_masked(value: &ParameterValue) -> bool {
    match value {
        ParameterValue::Value(value) => value.len() > 3 && value.bytes().all(|byte| byte == b'*'),
        ParameterValue::Previous | ParameterValue::Default => false,
    }
}

/// The keys that somebody named: in the document, by asking for a cache, by letting storage be adopted, by approving the trigger.
fn named<'a>(desired: &'a Desired, roles: &'a Roles) -> BTreeSet<&'a str> {
    let mut named: BTreeSet<&str> =
        desired.spec.parameters.keys().map(crate::desired::ParameterKey::as_str).collect();
    let mut role = |role: Role| named.extend(roles.target_key(role));
    if let Some(cache) = &desired.spec.cache {
        role(Role::CacheEngine);
        role(match cache.engine {
            Engine::Redis => Role::RedisVersion,
            Engine::Valkey => Role::ValkeyVersion,
        });
        role(Role::UseCache);
        for (wanted, which) in [
            (cache.node_type.is_some(), Role::CacheNodeType),
            (cache.nodes.is_some(), Role::CacheNodes),
            (cache.multi_az.is_some(), Role::CacheMultiAz),
            (cache.auth_mode.is_some(), Role::CacheAuthMode),
        ] {
            if wanted {
                role(which);
            }
        }
    }
    if desired.spec.policy.storage == Storage::Adopt {
        role(Role::AllocatedStorage);
        role(Role::AllocatedIops);
        role(Role::StorageThroughput);
        role(Role::MaxAllocatedStorage);
    }
    if desired.spec.policy.approve.contains(&Approval::Retrigger) {
        role(Role::DeploymentTrigger);
    }
    named
}

/// What a parameter will be.
fn comes_to(observation: &Observation, order: &UpdateOrder, key: &str) -> Option<String> {
    let sent = order.parameters.iter().find(|parameter| parameter.key == key)?;
    match &sent.value {
        ParameterValue::Value(value) => Some(value.clone()),
        ParameterValue::Previous => {
            let root = observation.root.present()?;
            root.parameters.get(key).map(|parameter| parameter.value.clone())
        }
        ParameterValue::Default => offered(observation, order)
            .iter()
            .find(|parameter| parameter.key == key)
            .and_then(|parameter| parameter.default.clone()),
    }
}
