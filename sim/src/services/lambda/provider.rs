//! `AWS::Lambda::Function` and `AWS::Lambda::EventSourceMapping`.

use super::outside::add_function;
use super::state::{Function, MappingState};
use super::{change, function_arn, input, mapping_arn, mappings, transitions};
use crate::error::ApiError;
use crate::services::cloudformation::provider::{Actual, On, Progress, Provider};
use crate::spec::{Input, Operation, Service, validate};
use crate::world::{Region, Scope, World};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The resource types of this service.
pub(crate) const PROVIDERS: &[(&str, &dyn Provider)] =
    &[("AWS::Lambda::Function", &Functions), ("AWS::Lambda::EventSourceMapping", &Mappings)];

struct Functions;

impl Provider for Functions {
    fn service(&self) -> &'static str {
        "Lambda"
    }

    fn create_only(&self) -> &'static [&'static str] {
        &["FunctionName", "PackageType"]
    }

    fn create(&self, on: &mut On<'_>, properties: &Value) -> Result<String, ApiError> {
        let name = match text(properties, "FunctionName") {
            Some(name) => name.to_owned(),
            None => on.generated_name(),
        };
        on.allow("lambda:CreateFunction", &function_arn(on.scope, &name, None))?;
        if on.world.region(on.scope).lambda.function(&name).is_some() {
            return Err(ApiError::new(
                "ResourceConflictException",
                format!("Function already exist: {name}"),
            )
            .with_status(409));
        }
        add_function(on.world, on.scope, configured(Function::new(&name, "".into()), properties));
        Ok(name)
    }

    fn update(
        &self,
        on: &mut On<'_>,
        id: &str,
        _before: &Value,
        after: &Value,
    ) -> Result<(), ApiError> {
        on.allow("lambda:UpdateFunctionConfiguration", &function_arn(on.scope, id, None))?;
        let missing = || super::function_not_found(on.scope, id, None);
        let mut function =
            on.world.region(on.scope).lambda.function(id).ok_or_else(missing)?.clone();
        // What the template no longer says goes back to its default.
        let fresh = Function::new(id, "".into());
        function = Function {
            versions: function.versions,
            aliases: function.aliases,
            code_size: function.code_size,
            ..fresh
        };
        add_function(on.world, on.scope, configured(function, after));
        Ok(())
    }

    fn delete(&self, on: &mut On<'_>, id: &str) -> Result<(), ApiError> {
        on.allow("lambda:DeleteFunction", &function_arn(on.scope, id, None))?;
        super::remove_function(on.world, on.scope, id);
        Ok(())
    }

    fn progress(&self, _world: &World, _scope: &Scope, _id: &str) -> Progress {
        Progress::Done
    }

    fn attributes(&self, region: &Region, id: &str) -> BTreeMap<String, String> {
        let arn =
            region.lambda.place().map(|scope| ("Arn".to_owned(), function_arn(scope, id, None)));
        arn.into_iter().collect()
    }

    fn actual(&self, region: &Region, id: &str) -> Actual {
        let Some(function) = region.lambda.function(id) else { return Actual::Missing };
        let mut properties = BTreeMap::from([
            ("FunctionName".to_owned(), json!(*function.name)),
            ("Description".to_owned(), json!(*function.description)),
            ("Runtime".to_owned(), json!(function.runtime)),
            ("Handler".to_owned(), json!(function.handler)),
            ("Role".to_owned(), json!(*function.role)),
            ("Timeout".to_owned(), json!(function.timeout)),
            ("MemorySize".to_owned(), json!(function.memory)),
        ]);
        if !function.environment.is_empty() {
            properties
                .insert("Environment".to_owned(), json!({"Variables": *function.environment}));
        }
        Actual::Properties(properties)
    }

    fn settle(&self, _on: &mut On<'_>, _id: &str) {}
}

/// The function that these properties of `AWS::Lambda::Function` describe.
pub(crate) fn function(properties: &Value) -> Function {
    let part = |name: &str| text(properties, name).unwrap_or_default();
    configured(Function::new(part("FunctionName"), part("Role").into()), properties)
}

fn configured(mut function: Function, properties: &Value) -> Function {
    let texts = |name: &str| text(properties, name).map(str::to_owned);
    let number = |name: &str| {
        properties.get(name).and_then(as_number).and_then(|number| u32::try_from(number).ok())
    };
    function.description = texts("Description").map_or(function.description, Into::into);
    function.runtime = texts("Runtime").map_or(function.runtime, Into::into);
    function.handler = texts("Handler").map_or(function.handler, Into::into);
    function.role = texts("Role").map_or(function.role, Into::into);
    function.timeout = number("Timeout").unwrap_or(function.timeout);
    function.memory = number("MemorySize").unwrap_or(function.memory);
    let variables = properties
        .get("Environment")
        .and_then(|environment| environment.get("Variables"))
        .and_then(Value::as_object);
    let texts = |(name, value): (&String, &Value)| {
        (name.clone(), value.as_str().map_or_else(|| value.to_string(), str::to_owned))
    };
    function.environment = Arc::new(variables.into_iter().flatten().map(texts).collect());
    function.tags = tags(properties);
    function
}

struct Mappings;

/// A property, the member of the request, and the value that takes it away.
type Shared = (&'static str, &'static str, fn() -> Value);

/// Properties that a template and `UpdateEventSourceMapping` both have, by their names in each, with what takes the setting away.
const SHARED: [Shared; 10] = [
    ("FunctionName", "FunctionName", || Value::Null),
    ("BatchSize", "BatchSize", || json!(10)),
    ("MaximumBatchingWindowInSeconds", "MaximumBatchingWindowInSeconds", || json!(0)),
    ("FilterCriteria", "FilterCriteria", || json!({})),
    ("KmsKeyArn", "KMSKeyArn", || json!("")),
    ("MetricsConfig", "MetricsConfig", || json!({})),
    ("LoggingConfig", "LoggingConfig", || json!({})),
    ("ScalingConfig", "ScalingConfig", || json!({})),
    ("FunctionResponseTypes", "FunctionResponseTypes", || json!([])),
    ("ProvisionedPollerConfig", "ProvisionedPollerConfig", || json!({})),
];

impl Provider for Mappings {
    fn service(&self) -> &'static str {
        "Lambda"
    }

    fn create_only(&self) -> &'static [&'static str] {
        &[
            "EventSourceArn",
            "StartingPosition",
            "StartingPositionTimestamp",
            "SelfManagedEventSource",
        ]
    }

    fn create(&self, on: &mut On<'_>, properties: &Value) -> Result<String, ApiError> {
        on.allow("lambda:CreateEventSourceMapping", "*")?;
        let function = text(properties, "FunctionName").unwrap_or_default();
        let source = text(properties, "EventSourceArn").unwrap_or_default();
        // Validated before anything exists: a refused creation leaves nothing behind.
        let settings = request(&json!({}), properties)?;
        let uuid = change::create(on.world, on.scope, function, source)?;
        if let Err(error) = change::configure(on.world, on.scope, &uuid, &settings) {
            super::remove_mapping(on.world, on.scope, &uuid);
            return Err(error);
        }
        if let Some(mapping) = on.world.region_mut(on.scope).lambda.mapping_mut(&uuid) {
            mapping.enabled = settings.bool("Enabled").unwrap_or(true);
            mapping.tags = tags(properties);
        }
        Ok(uuid)
    }

    fn update(
        &self,
        on: &mut On<'_>,
        id: &str,
        before: &Value,
        after: &Value,
    ) -> Result<(), ApiError> {
        on.allow("lambda:UpdateEventSourceMapping", &mapping_arn(on.scope, id))?;
        change::change(on.world, on.scope, id, &request(before, after)?)?;
        if before.get("Tags") != after.get("Tags") {
            let (gone, tags) = (tags(before), tags(after));
            if let Some(mapping) = on.world.region_mut(on.scope).lambda.mapping_mut(id) {
                // Tags that the stack never set stay: somebody else's.
                mapping.tags.retain(|key, _| !gone.contains_key(key));
                mapping.tags.extend(tags);
            }
        }
        Ok(())
    }

    fn delete(&self, on: &mut On<'_>, id: &str) -> Result<(), ApiError> {
        on.allow("lambda:DeleteEventSourceMapping", &mapping_arn(on.scope, id))?;
        if on.world.region(on.scope).lambda.mapping(id).is_none() {
            return Ok(());
        }
        transitions::changeable(on.world, on.scope, id)?;
        transitions::begin(on.world, on.scope, id, MappingState::Deleting, false);
        Ok(())
    }

    fn progress(&self, world: &World, scope: &Scope, id: &str) -> Progress {
        match world.region(scope).lambda.mapping(id) {
            Some(mapping) if !mapping.state.is_stable() => Progress::Busy,
            _ => Progress::Done,
        }
    }

    fn attributes(&self, region: &Region, id: &str) -> BTreeMap<String, String> {
        let arn = region
            .lambda
            .place()
            .map(|scope| ("EventSourceMappingArn".to_owned(), mapping_arn(scope, id)));
        arn.into_iter().chain([("Id".to_owned(), id.to_owned())]).collect()
    }

    fn actual(&self, region: &Region, id: &str) -> Actual {
        let Some(mapping) = region.lambda.mapping(id) else { return Actual::Missing };
        let mut properties = BTreeMap::from([
            ("EventSourceArn".to_owned(), json!(*mapping.source_arn)),
            ("FunctionName".to_owned(), json!(*mapping.told)),
            ("Enabled".to_owned(), json!(mapping.enabled)),
            ("BatchSize".to_owned(), json!(mapping.batch_size)),
            ("MaximumBatchingWindowInSeconds".to_owned(), json!(mapping.window)),
        ]);
        for (property, member, _) in SHARED {
            if let Some(value) = mapping.settings.get(member) {
                properties.insert(property.to_owned(), value.clone());
            }
        }
        Actual::Properties(properties)
    }

    fn settle(&self, on: &mut On<'_>, id: &str) {
        transitions::settle(on.world, on.scope, id);
    }
}

/// The update that leads from one set of properties to another: what differs, what is gone as its default, and `Enabled` whenever the
/// template says it. So an update of any property also undoes a pause by hand.
fn request(before: &Value, after: &Value) -> Result<Input, ApiError> {
    static UPDATE: Operation = Operation::write(
        "UpdateEventSourceMapping",
        &input::UPDATE_EVENT_SOURCE_MAPPING,
        mappings::update,
    );
    let mut members = Map::new();
    members.insert("UUID".to_owned(), json!("00000000-0000-0000-0000-000000000000"));
    for (property, member, default) in SHARED {
        match (before.get(property), after.get(property)) {
            (before, Some(value)) if before != Some(value) => {
                members.insert(member.to_owned(), value.clone())
            }
            (Some(_), None) => members.insert(member.to_owned(), default()),
            _ => None,
        };
    }
    if let Some(enabled) = after.get("Enabled") {
        members.insert("Enabled".to_owned(), enabled.clone());
    }
    validate(Service::Lambda, &UPDATE, &Value::Object(members))
}

fn text<'v>(properties: &'v Value, name: &str) -> Option<&'v str> {
    properties.get(name).and_then(Value::as_str)
}

/// Templates write numbers as numbers or as text.
fn as_number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.trim().parse().ok())
}

fn tags(properties: &Value) -> BTreeMap<String, String> {
    let pair = |tag: &Value| Some((text(tag, "Key")?.to_owned(), text(tag, "Value")?.to_owned()));
    properties
        .get("Tags")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(pair)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Options;
    use crate::services::iam::testing::{admin, pass, scope, world};
    use crate::services::iam::{Denial, DenialKind};
    use crate::services::{lambda, sqs};

    fn on<T>(world: &mut World, act: impl FnOnce(&mut On<'_>) -> T) -> T {
        act(&mut On {
            world,
            scope: &scope(),
            principal: &admin(),
            stack_name: "te",
            logical_id: "Worker",
        })
    }

    fn worker() -> World {
        let mut world = world(Options::default());
        sqs::add_queue(&mut world, &scope(), "work", BTreeMap::new());
        let properties = json!({"FunctionName": "worker", "Role": "arn:aws:iam::111122223333:role/w", "Timeout": "900"});
        on(&mut world, |on| Functions.create(on, &properties)).unwrap();
        world
    }

    fn properties(extra: &Value) -> Value {
        let mut properties = json!({"FunctionName": "worker", "EventSourceArn": "arn:aws:sqs:us-east-2:111122223333:work", "BatchSize": 1});
        properties.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        properties
    }

    fn actual(world: &World, provider: &dyn Provider, id: &str) -> BTreeMap<String, Value> {
        match provider.actual(world.region(&scope()), id) {
            Actual::Properties(properties) => properties,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_function_is_created_changed_and_removed() {
        let mut world = worker();
        assert_eq!(actual(&world, &Functions, "worker")["Timeout"], json!(900));
        let arn = &Functions.attributes(world.region(&scope()), "worker")["Arn"];
        assert_eq!(arn, "arn:aws:lambda:us-east-2:111122223333:function:worker");
        let taken = on(&mut world, |on| Functions.create(on, &json!({"FunctionName": "worker"})))
            .unwrap_err();
        assert_eq!(taken.code, "ResourceConflictException");
        let after = json!({"FunctionName": "worker", "MemorySize": 512, "Environment": {"Variables": {"A": "b", "N": 1}}});
        on(&mut world, |on| Functions.update(on, "worker", &json!({}), &after)).unwrap();
        let now = actual(&world, &Functions, "worker");
        assert_eq!(
            (&now["MemorySize"], &now["Timeout"]),
            (&json!(512), &json!(3)),
            "what is gone is a default again"
        );
        assert_eq!(now["Environment"], json!({"Variables": {"A": "b", "N": "1"}}));
        on(&mut world, |on| Functions.delete(on, "worker")).unwrap();
        assert_eq!(Functions.actual(world.region(&scope()), "worker"), Actual::Missing);
        assert!(
            on(&mut world, |on| Functions.create(on, &json!({})))
                .unwrap()
                .starts_with("te-Worker-")
        );
    }

    #[test]
    fn a_mapping_is_busy_while_it_changes() {
        let mut world = worker();
        let before = properties(&json!({"Enabled": true, "Tags": [{"Key": "a", "Value": "1"}]}));
        let id = on(&mut world, |on| Mappings.create(on, &before)).unwrap();
        assert_eq!(Mappings.progress(&world, &scope(), &id), Progress::Busy);
        pass(&mut world, 20);
        assert_eq!(Mappings.progress(&world, &scope(), &id), Progress::Done);
        let after =
            properties(&json!({"Enabled": true, "ScalingConfig": {"MaximumConcurrency": 7}}));
        on(&mut world, |on| Mappings.update(on, &id, &before, &after)).unwrap();
        assert_eq!(
            world.region(&scope()).lambda.mapping(&id).unwrap().state,
            MappingState::Updating
        );
        assert!(world.region(&scope()).lambda.mapping(&id).unwrap().tags.is_empty());
        pass(&mut world, 20);
        assert_eq!(
            actual(&world, &Mappings, &id)["ScalingConfig"],
            json!({"MaximumConcurrency": 7})
        );
        on(&mut world, |on| Mappings.update(on, &id, &after, &before)).unwrap();
        assert_eq!(actual(&world, &Mappings, &id).get("ScalingConfig"), None, "taken away");
        pass(&mut world, 20);
        on(&mut world, |on| Mappings.delete(on, &id)).unwrap();
        assert_eq!(Mappings.progress(&world, &scope(), &id), Progress::Busy);
        pass(&mut world, 20);
        assert_eq!(Mappings.actual(world.region(&scope()), &id), Actual::Missing);
        on(&mut world, |on| Mappings.delete(on, &id)).unwrap();
    }

    #[test]
    fn an_update_of_a_template_that_says_enabled_undoes_a_pause_by_hand() {
        for (why, said, expected) in [
            ("says so", json!({"Enabled": true}), MappingState::Enabling),
            ("is silent", json!({}), MappingState::Updating),
        ] {
            let mut world = worker();
            let before = properties(&said);
            let id = on(&mut world, |on| Mappings.create(on, &before)).unwrap();
            on(&mut world, |on| Mappings.settle(on, &id));
            lambda::toggle(&mut world, &scope(), &id, false).unwrap();
            pass(&mut world, 20);
            assert_eq!(actual(&world, &Mappings, &id)["Enabled"], json!(false), "drift");
            let mut after = before.clone();
            after["BatchSize"] = json!(2);
            on(&mut world, |on| Mappings.update(on, &id, &before, &after)).unwrap();
            assert_eq!(
                world.region(&scope()).lambda.mapping(&id).unwrap().state,
                expected,
                "the template {why}"
            );
        }
    }

    #[test]
    fn a_mapping_can_begin_disabled() {
        let mut world = worker();
        let id = on(&mut world, |on| Mappings.create(on, &properties(&json!({"Enabled": false}))))
            .unwrap();
        pass(&mut world, 20);
        assert_eq!(
            world.region(&scope()).lambda.mapping(&id).unwrap().state,
            MappingState::Disabled
        );
        assert_eq!(world.region(&scope()).lambda.runs(&id), [], "it never ran");
    }

    #[test]
    fn a_refused_mapping_leaves_nothing_behind() {
        for (why, extra, code) in [
            ("no such function", json!({"FunctionName": "nobody"}), "ResourceNotFoundException"),
            (
                "a batch without a window",
                json!({"BatchSize": 100}),
                "InvalidParameterValueException",
            ),
            ("a bad value", json!({"BatchSize": "many"}), "ValidationException"),
        ] {
            let mut world = worker();
            let error = on(&mut world, |on| Mappings.create(on, &properties(&extra))).unwrap_err();
            assert_eq!(error.code, code, "{why}: {}", error.message);
            assert_eq!(world.region(&scope()).lambda.mappings().count(), 0, "{why}");
        }
        let mut world = worker();
        let denial = Denial {
            principal: "*".to_owned(),
            action: "lambda:Create*".to_owned(),
            resource: "*".to_owned(),
            kind: DenialKind::Scp,
        };
        world.iam.deny(denial);
        let error = on(&mut world, |on| Mappings.create(on, &properties(&json!({})))).unwrap_err();
        assert!(error.message.contains("service control policy"), "{}", error.message);
    }
}
