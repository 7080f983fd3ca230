//! Reading and changing event source mappings.

use super::name::FunctionName;
use super::state::Mapping;
use super::{change, function_arn, invalid, mapping_arn, node, transitions};
use crate::error::ApiError;
use crate::node::Map;
use crate::options::UnknownFunction;
use crate::services::Call;
use crate::services::paging::page;
use crate::world::Scope;

/// Mappings of one page, whatever `MaxItems` says (Lambda API reference, `ListEventSourceMappings`).
const MAX_MAPPINGS: usize = 100;

/// The optional structures of a mapping of a queue, in the order answers have them.
pub(super) const SETTINGS: [&str; 7] = [
    "FilterCriteria",
    "KMSKeyArn",
    "MetricsConfig",
    "LoggingConfig",
    "ScalingConfig",
    "FunctionResponseTypes",
    "ProvisionedPollerConfig",
];

pub(super) fn list(call: &mut Call<'_>) -> Result<Map, ApiError> {
    let options = &call.world.options;
    let region = call.region();
    let function = call.input.text("FunctionName");
    let source = call.input.text("EventSourceArn");
    let name = function
        .map(|text| FunctionName::of_call(call, "ListEventSourceMappings", text))
        .transpose()?;
    let asked = match name {
        None => None,
        Some(name) => match name.find(region, &call.scope) {
            Ok((function, qualifier)) => Some((&*function.name, qualifier)),
            Err(error)
                if error.status == 404
                    && options.mappings_of_unknown_function == UnknownFunction::Empty =>
            {
                Some((name.name, name.qualifier))
            }
            Err(error) => return Err(error),
        },
    };
    let of_function = |mapping: &&Mapping| {
        asked.is_none_or(|(name, qualifier)| {
            let any_qualifier = qualifier.is_none() && options.bare_name_lists_qualified;
            *mapping.function == *name
                && (any_qualifier || mapping.qualifier.as_deref() == qualifier)
        })
    };
    let found = region
        .lambda
        .mappings()
        .filter(of_function)
        .filter(|mapping| source.is_none_or(|source| *mapping.source_arn == *source));
    let size = call
        .input
        .int("MaxItems")
        .and_then(|size| usize::try_from(size).ok())
        .unwrap_or(MAX_MAPPINGS)
        .min(MAX_MAPPINGS);
    let of = format!("mappings:{}:{}", function.unwrap_or_default(), source.unwrap_or_default());
    let page = page(found, &of, call.input.text("Marker"), size, options.page_size)
        .map_err(|_| invalid("Invalid marker."))?;
    let entries: Vec<Map> =
        page.items.into_iter().map(|mapping| configuration(&call.scope, mapping)).collect();
    Ok(Map::new().maybe("NextMarker", page.next).list("EventSourceMappings", entries))
}

pub(super) fn get(call: &mut Call<'_>) -> Result<Map, ApiError> {
    answer(call)
}

pub(super) fn update(call: &mut Call<'_>) -> Result<Map, ApiError> {
    change::change(call.world, &call.scope, call.input.need("UUID"), &call.input)?;
    answer(call)
}

fn answer(call: &Call<'_>) -> Result<Map, ApiError> {
    let mapping = call
        .region()
        .lambda
        .mapping(call.input.need("UUID"))
        .ok_or_else(transitions::mapping_not_found)?;
    Ok(configuration(&call.scope, mapping))
}

/// There is no `Enabled` in answers: `State` says it (botocore model).
fn configuration(scope: &Scope, mapping: &Mapping) -> Map {
    let mut map = Map::new()
        .with("UUID", &*mapping.uuid)
        .with("BatchSize", mapping.batch_size)
        .with("MaximumBatchingWindowInSeconds", mapping.window)
        .with("EventSourceArn", &*mapping.source_arn)
        .with("FunctionArn", function_arn(scope, &mapping.function, mapping.qualifier.as_deref()))
        .with("LastModified", mapping.modified)
        .with("State", mapping.state.as_str())
        .with("StateTransitionReason", mapping.reason.as_str());
    for name in SETTINGS {
        if let Some(value) = mapping.settings.get(name) {
            map.put(name, node(value));
        }
    }
    if !mapping.settings.contains_key("FunctionResponseTypes") {
        map = map.list("FunctionResponseTypes", Vec::<&str>::new());
    }
    map.with("EventSourceMappingArn", mapping_arn(scope, &mapping.uuid))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::node::Node;
    use crate::options::{Options, TransitionReason};
    use crate::services::iam::testing::{ask, at, length, pass, scope, text, world};
    use crate::services::lambda::{Function, add_function, add_mapping, remove_function};
    use crate::services::sqs;
    use crate::spec::Service;
    use crate::world::World;
    use serde_json::{Value, json};
    use std::collections::BTreeMap;

    pub(in super::super) const WORKER: &str = "turbot_5_39_12_worker";

    pub(in super::super) fn with_workers(options: Options) -> (World, Vec<String>) {
        let mut world = world(options);
        let mut uuids = Vec::new();
        for (function, qualifier) in
            [(WORKER, ""), (WORKER, ":live"), ("turbot_5_39_12_worker_priority", "")]
        {
            let queue = format!("{function}{}", qualifier.replace(':', "_"));
            sqs::add_queue(&mut world, &scope(), &queue, BTreeMap::new());
            let mut worker = Function::new(function, "role".into());
            worker.versions = vec![1];
            worker.aliases = BTreeMap::from([("live".to_owned(), 1)]);
            add_function(&mut world, &scope(), worker);
            uuids.push(
                add_mapping(
                    &mut world,
                    &scope(),
                    &format!("{function}{qualifier}"),
                    &scope().arn("sqs", &queue),
                )
                .unwrap(),
            );
        }
        (world, uuids)
    }

    fn list(world: &mut World, input: &Value) -> Result<Vec<String>, ApiError> {
        let answer = ask(world, Service::Lambda, "ListEventSourceMappings", input)?;
        Ok((0..length(&answer, "EventSourceMappings"))
            .filter_map(|index| text(&answer, &format!("EventSourceMappings.{index}.UUID")))
            .collect())
    }

    pub(in super::super) fn update(
        world: &mut World,
        uuid: &str,
        members: &Value,
    ) -> Result<Map, ApiError> {
        let mut input = json!({"UUID": uuid});
        input.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        ask(world, Service::Lambda, "UpdateEventSourceMapping", &input)
    }

    #[test]
    fn a_mapping_is_shown_as_the_model_has_it() {
        let (mut world, uuids) = with_workers(Options {
            transition_reason: TransitionReason::UserAction,
            ..Options::default()
        });
        let found =
            ask(&mut world, Service::Lambda, "GetEventSourceMapping", &json!({"UUID": uuids[1]}))
                .unwrap();
        let arn = "arn:aws:lambda:us-east-2:111122223333";
        for (member, expected) in [
            ("UUID", uuids[1].clone()),
            ("FunctionArn", format!("{arn}:function:{WORKER}:live")),
            ("EventSourceArn", format!("arn:aws:sqs:us-east-2:111122223333:{WORKER}_live")),
            ("EventSourceMappingArn", format!("{arn}:event-source-mapping:{}", uuids[1])),
            ("State", "Enabled".to_owned()),
            ("StateTransitionReason", "User action".to_owned()),
            ("BatchSize", "10".to_owned()),
        ] {
            assert_eq!(text(&found, member), Some(expected), "{member}");
        }
        assert_eq!(at(&found, "LastModified"), Some(&Node::Time(world.now())));
        assert_eq!(at(&found, "Enabled"), None);
    }

    #[test]
    fn mappings_are_listed_by_function_and_source() {
        for bare_lists_all in [false, true] {
            let (mut world, uuids) = with_workers(Options {
                bare_name_lists_qualified: bare_lists_all,
                ..Options::default()
            });
            let by_bare_name: &[usize] = if bare_lists_all { &[0, 1] } else { &[0] };
            let arn = scope().arn("lambda", format_args!("function:{WORKER}"));
            for (why, input, expected) in [
                ("all", json!({}), &[0, 1, 2][..]),
                ("by name", json!({"FunctionName": WORKER}), by_bare_name),
                ("by ARN", json!({"FunctionName": arn}), by_bare_name),
                (
                    "by partial ARN",
                    json!({"FunctionName": format!("111122223333:function:{WORKER}")}),
                    by_bare_name,
                ),
                ("by alias", json!({"FunctionName": format!("{arn}:live")}), &[1]),
                ("by another version", json!({"FunctionName": format!("{WORKER}:1")}), &[]),
                ("by source", json!({"EventSourceArn": scope().arn("sqs", WORKER)}), &[0]),
                (
                    "by source and another function",
                    json!({"EventSourceArn": scope().arn("sqs", WORKER), "FunctionName": "turbot_5_39_12_worker_priority"}),
                    &[],
                ),
            ] {
                let mut expected: Vec<String> =
                    expected.iter().map(|index| uuids[*index].clone()).collect();
                expected.sort();
                assert_eq!(
                    list(&mut world, &input).unwrap(),
                    expected,
                    "{why}, bare lists all: {bare_lists_all}"
                );
            }
        }
    }

    #[test]
    fn an_unknown_function_is_not_found_or_has_no_mappings() {
        for (answer, expected) in
            [(UnknownFunction::NotFound, Err(404)), (UnknownFunction::Empty, Ok(0))]
        {
            let (mut world, _) = with_workers(Options {
                mappings_of_unknown_function: answer,
                ..Options::default()
            });
            let found = list(&mut world, &json!({"FunctionName": "nobody"}));
            assert_eq!(
                found.map(|found| found.len()).map_err(|error| error.status),
                expected,
                "{answer:?}"
            );
        }
        let (mut world, uuids) = with_workers(Options {
            mappings_of_unknown_function: UnknownFunction::Empty,
            ..Options::default()
        });
        remove_function(&mut world, &scope(), WORKER);
        assert_eq!(
            list(&mut world, &json!({"FunctionName": WORKER})).unwrap(),
            [uuids[0].clone()],
            "the trigger outlives its function"
        );
    }

    #[test]
    fn a_page_has_a_hundred_mappings_at_most() {
        let (mut world, _) = with_workers(Options::default());
        for number in 0..150 {
            add_mapping(
                &mut world,
                &scope(),
                WORKER,
                &format!("arn:aws:sqs:us-east-2:444455556666:q{number}"),
            )
            .unwrap();
        }
        for (size, expected) in [(json!(null), 100), (json!(10_000), 100), (json!(30), 30)] {
            assert_eq!(
                list(&mut world, &json!({"MaxItems": size})).unwrap().len(),
                expected,
                "{size}"
            );
        }
        let answer =
            ask(&mut world, Service::Lambda, "ListEventSourceMappings", &json!({})).unwrap();
        assert_eq!(
            list(&mut world, &json!({"Marker": text(&answer, "NextMarker")})).unwrap().len(),
            53
        );
        let marker = json!({"Marker": text(&answer, "NextMarker"), "FunctionName": WORKER});
        assert_eq!(
            list(&mut world, &marker).unwrap_err().code,
            "InvalidParameterValueException",
            "of another list"
        );
    }

    #[test]
    fn an_update_answers_the_transitional_state() {
        for (why, members, during, after) in [
            ("disabled", json!({"Enabled": false}), "Disabling", "Disabled"),
            ("the same again", json!({"Enabled": true}), "Enabled", "Enabled"),
            ("something else", json!({"BatchSize": 5}), "Updating", "Enabled"),
            (
                "something else and the same",
                json!({"BatchSize": 5, "Enabled": true}),
                "Updating",
                "Enabled",
            ),
            ("both", json!({"BatchSize": 5, "Enabled": false}), "Disabling", "Disabled"),
            ("nothing", json!({}), "Enabled", "Enabled"),
        ] {
            let (mut world, uuids) = with_workers(Options::default());
            let answer = update(&mut world, &uuids[0], &members).unwrap();
            assert_eq!(text(&answer, "State").as_deref(), Some(during), "{why}");
            if members.get("BatchSize").is_some() {
                assert_eq!(text(&answer, "BatchSize").as_deref(), Some("5"), "{why}");
            }
            pass(&mut world, 20);
            let answer = ask(
                &mut world,
                Service::Lambda,
                "GetEventSourceMapping",
                &json!({"UUID": uuids[0]}),
            )
            .unwrap();
            assert_eq!(text(&answer, "State").as_deref(), Some(after), "{why}");
        }
    }

    #[test]
    fn settings_are_kept_shown_and_taken_away() {
        let (mut world, uuids) = with_workers(Options::default());
        let settings = json!({"ScalingConfig": {"MaximumConcurrency": 5}, "FunctionResponseTypes": ["ReportBatchItemFailures"]});
        let answer = update(&mut world, &uuids[0], &settings).unwrap();
        assert_eq!(text(&answer, "ScalingConfig.MaximumConcurrency").as_deref(), Some("5"));
        assert_eq!(
            text(&answer, "FunctionResponseTypes.0").as_deref(),
            Some("ReportBatchItemFailures")
        );
        pass(&mut world, 20);
        let answer = update(
            &mut world,
            &uuids[0],
            &json!({"ScalingConfig": {}, "FunctionResponseTypes": []}),
        )
        .unwrap();
        assert_eq!(
            (at(&answer, "ScalingConfig"), length(&answer, "FunctionResponseTypes")),
            (None, 0)
        );
    }
}
