//! `AWS::SQS::Queue`.

use super::queue::DEFAULTS;
use super::{add_queue, in_url, remove_queue, url};
use crate::error::ApiError;
use crate::services::cloudformation::provider::{Actual, On, Progress, Provider};
use crate::world::{Region, Scope, World};
use serde_json::Value;
use std::collections::BTreeMap;

/// The resource types of this service.
pub(crate) const PROVIDERS: &[(&str, &dyn Provider)] = &[("AWS::SQS::Queue", &Queues)];

/// Properties that are attributes of the same name, with the limits of the numbers (SQS API reference, `SetQueueAttributes`).
const PROPERTIES: [(&str, Option<(u64, u64)>); 14] = [
    ("VisibilityTimeout", Some((0, 43_200))),
    ("MaximumMessageSize", Some((1024, 1_048_576))),
    ("MessageRetentionPeriod", Some((60, 1_209_600))),
    ("DelaySeconds", Some((0, 900))),
    ("ReceiveMessageWaitTimeSeconds", Some((0, 20))),
    ("KmsDataKeyReusePeriodSeconds", Some((60, 86_400))),
    ("SqsManagedSseEnabled", None),
    ("KmsMasterKeyId", None),
    ("RedrivePolicy", None),
    ("RedriveAllowPolicy", None),
    ("FifoQueue", None),
    ("ContentBasedDeduplication", None),
    ("DeduplicationScope", None),
    ("FifoThroughputLimit", None),
];

struct Queues;

impl Provider for Queues {
    fn service(&self) -> &'static str {
        "Sqs"
    }

    fn create_only(&self) -> &'static [&'static str] {
        &["QueueName", "FifoQueue"]
    }

    fn create(&self, on: &mut On<'_>, properties: &Value) -> Result<String, ApiError> {
        let name = match properties.get("QueueName").and_then(Value::as_str) {
            Some(name) => name.to_owned(),
            None => on.generated_name(),
        };
        on.allow("sqs:CreateQueue", &on.scope.arn("sqs", &name))?;
        let attributes = attributes(properties)?;
        if on.world.region(on.scope).sqs.queue(&name).is_some() {
            let message = format!(
                "A queue already exists with the same name and a different value for attribute: {name}"
            );
            return Err(ApiError::new("QueueNameExists", message));
        }
        add_queue(on.world, on.scope, &name, attributes);
        if let Some(queue) = on.world.region_mut(on.scope).sqs.queue_mut(&name) {
            queue.tags = tags(properties);
        }
        Ok(url(on.scope, &name))
    }

    fn update(
        &self,
        on: &mut On<'_>,
        id: &str,
        _before: &Value,
        after: &Value,
    ) -> Result<(), ApiError> {
        let name = name_in(id);
        on.allow("sqs:SetQueueAttributes", &on.scope.arn("sqs", name))?;
        let attributes = attributes(after)?;
        let now = on.world.now();
        let queue =
            on.world.region_mut(on.scope).sqs.queue_mut(name).ok_or_else(super::unknown_queue)?;
        queue.configure(now, attributes);
        queue.tags = tags(after);
        Ok(())
    }

    fn delete(&self, on: &mut On<'_>, id: &str) -> Result<(), ApiError> {
        let name = name_in(id);
        on.allow("sqs:DeleteQueue", &on.scope.arn("sqs", name))?;
        remove_queue(on.world, on.scope, name);
        Ok(())
    }

    fn progress(&self, _world: &World, _scope: &Scope, _id: &str) -> Progress {
        Progress::Done
    }

    fn attributes(&self, _region: &Region, id: &str) -> BTreeMap<String, String> {
        let mut found = BTreeMap::from([
            ("QueueUrl".to_owned(), id.to_owned()),
            ("QueueName".to_owned(), name_in(id).to_owned()),
        ]);
        // https://sqs.<region>.amazonaws.com/<account>/<name>
        let region = id.split_once("://sqs.").and_then(|(_, rest)| rest.split('.').next());
        if let (Some(region), Some((account, name))) = (region, in_url(id)) {
            found.insert("Arn".to_owned(), Scope::new(account, region).arn("sqs", name));
        }
        found
    }

    fn actual(&self, region: &Region, id: &str) -> Actual {
        let Some(queue) = region.sqs.queue(name_in(id)) else { return Actual::Missing };
        let value =
            |name: &str| queue.attribute(name).map(|text| (name.to_owned(), typed(name, text)));
        let mut properties: BTreeMap<String, Value> =
            PROPERTIES.iter().filter_map(|(name, _)| value(name)).collect();
        properties.insert("QueueName".to_owned(), Value::from(queue.name.as_str()));
        Actual::Properties(properties)
    }

    fn settle(&self, _on: &mut On<'_>, _id: &str) {}
}

fn name_in(url: &str) -> &str {
    in_url(url).map_or(url, |(_, name)| name)
}

/// The attributes that differ from the defaults, as texts.
fn attributes(properties: &Value) -> Result<BTreeMap<&'static str, String>, ApiError> {
    let mut found = BTreeMap::new();
    for (name, limits) in PROPERTIES {
        let Some(value) = properties.get(name) else { continue };
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let fits =
            |(min, max): (u64, u64)| text.parse().is_ok_and(|number| (min..=max).contains(&number));
        if !limits.is_none_or(fits) {
            return Err(ApiError::new(
                "InvalidAttributeValue",
                format!("Invalid value for the parameter {name}."),
            ));
        }
        if !DEFAULTS.contains(&(name, text.as_str())) {
            found.insert(name, text);
        }
    }
    Ok(found)
}

/// The value of the kind its template has: numbers, booleans, policies as objects.
fn typed(name: &str, text: &str) -> Value {
    if name == "KmsMasterKeyId" {
        return Value::from(text);
    }
    serde_json::from_str(text).unwrap_or_else(|_| Value::from(text))
}

fn tags(properties: &Value) -> BTreeMap<String, String> {
    let pair = |tag: &Value| {
        Some((tag.get("Key")?.as_str()?.to_owned(), tag.get("Value")?.as_str()?.to_owned()))
    };
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
    use crate::services::iam::testing::{admin, scope, world};
    use crate::services::iam::{Denial, DenialKind};
    use serde_json::json;

    fn on<T>(world: &mut World, act: impl FnOnce(&mut On<'_>) -> T) -> T {
        act(&mut On {
            world,
            scope: &scope(),
            principal: &admin(),
            stack_name: "te",
            logical_id: "Work",
        })
    }

    #[test]
    fn a_queue_is_created_changed_and_removed() {
        let mut world = world(Options::default());
        let before = json!({"QueueName": "work", "VisibilityTimeout": "900", "RedrivePolicy": {"maxReceiveCount": 3}});
        let id = on(&mut world, |on| Queues.create(on, &before)).unwrap();
        assert_eq!(id, "https://sqs.us-east-2.amazonaws.com/111122223333/work");
        assert_eq!(
            Queues.attributes(world.region(&scope()), &id)["Arn"],
            "arn:aws:sqs:us-east-2:111122223333:work"
        );
        let Actual::Properties(actual) = Queues.actual(world.region(&scope()), &id) else {
            panic!("it is there")
        };
        assert_eq!(
            (&actual["VisibilityTimeout"], &actual["RedrivePolicy"]),
            (&json!(900), &json!({"maxReceiveCount": 3}))
        );
        assert_eq!(actual["MessageRetentionPeriod"], json!(345_600), "the default");
        on(&mut world, |on| {
            Queues.update(
                on,
                &id,
                &before,
                &json!({"QueueName": "work", "MessageRetentionPeriod": 60}),
            )
        })
        .unwrap();
        let Actual::Properties(actual) = Queues.actual(world.region(&scope()), &id) else {
            panic!("it is there")
        };
        assert_eq!(
            (&actual["VisibilityTimeout"], &actual["MessageRetentionPeriod"]),
            (&json!(30), &json!(60))
        );
        on(&mut world, |on| Queues.delete(on, &id)).unwrap();
        assert_eq!(Queues.actual(world.region(&scope()), &id), Actual::Missing);
        on(&mut world, |on| Queues.delete(on, &id)).unwrap();
    }

    #[test]
    fn a_queue_that_cannot_be_is_refused() {
        let mut world = world(Options::default());
        let create = |world: &mut World, properties: Value| {
            on(world, |on| Queues.create(on, &properties)).map_err(|error| error.code)
        };
        assert_eq!(
            create(&mut world, json!({"QueueName": "q", "VisibilityTimeout": 50_000})),
            Err("InvalidAttributeValue".into())
        );
        assert!(create(&mut world, json!({})).unwrap().contains("/te-Work-"), "a generated name");
        create(&mut world, json!({"QueueName": "q"})).unwrap();
        assert_eq!(create(&mut world, json!({"QueueName": "q"})), Err("QueueNameExists".into()));
        let denial = Denial {
            principal: "*".to_owned(),
            action: "sqs:*".to_owned(),
            resource: "*".to_owned(),
            kind: DenialKind::Explicit,
        };
        world.iam.deny(denial);
        assert_eq!(create(&mut world, json!({"QueueName": "r"})), Err("AccessDenied".into()));
    }
}
