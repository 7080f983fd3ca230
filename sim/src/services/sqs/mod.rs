//! Amazon SQS: queues with a level, as far as one can look at them. Messages cannot be sent or received one by one.
//!
//! Queues are found by the account and name in the path of their URL, whatever its host: a client may have been given the address of
//! a simulator. See [`queue`] for how the level is computed.

mod provider;
mod queue;
mod view;

pub(crate) use provider::PROVIDERS;
pub(crate) use queue::{Counts, Queue};
pub(crate) use view::view;

use crate::error::ApiError;
use crate::node::Map;
use crate::services::Call;
use crate::services::iam;
use crate::services::paging::page;
use crate::spec::{INT, Member, Operation, Service, Shape, TEXT, opt, req};
use crate::time::SimTime;
use crate::world::{Scope, World};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Queues of one page, and of one list that is not paged (SQS API reference, `ListQueues`).
const MAX_QUEUES: usize = 1000;

/// What can be asked for by name, in the order in which all are answered.
const ATTRIBUTES: &[&str] = &[
    "All",
    "Policy",
    "VisibilityTimeout",
    "MaximumMessageSize",
    "MessageRetentionPeriod",
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "CreatedTimestamp",
    "LastModifiedTimestamp",
    "QueueArn",
    "ApproximateNumberOfMessagesDelayed",
    "DelaySeconds",
    "ReceiveMessageWaitTimeSeconds",
    "RedrivePolicy",
    "FifoQueue",
    "ContentBasedDeduplication",
    "KmsMasterKeyId",
    "KmsDataKeyReusePeriodSeconds",
    "DeduplicationScope",
    "FifoThroughputLimit",
    "RedriveAllowPolicy",
    "SqsManagedSseEnabled",
];

static GET_QUEUE_URL: [Member; 2] = [req("QueueName", TEXT), opt("QueueOwnerAWSAccountId", TEXT)];
static GET_QUEUE_ATTRIBUTES: [Member; 2] = [
    req("QueueUrl", TEXT),
    opt(
        "AttributeNames",
        Shape::List { item: &Shape::Enum(ATTRIBUTES), name: "AttributeName", max: usize::MAX },
    ),
];
static LIST_QUEUES: [Member; 3] =
    [opt("QueueNamePrefix", TEXT), opt("NextToken", TEXT), opt("MaxResults", INT)];

pub(crate) const OPERATIONS: &[Operation] = &[
    Operation::read("GetQueueUrl", &GET_QUEUE_URL, get_queue_url),
    Operation::read("GetQueueAttributes", &GET_QUEUE_ATTRIBUTES, get_queue_attributes),
    Operation::read("ListQueues", &LIST_QUEUES, list_queues),
];

/// The queues of one account and region.
#[derive(Clone, Debug, Default)]
pub(crate) struct State {
    queues: BTreeMap<String, Arc<Queue>>,
}

impl State {
    /// The queue called `name`.
    pub(crate) fn queue(&self, name: &str) -> Option<&Queue> {
        self.queues.get(name).map(AsRef::as_ref)
    }

    /// All queues, by name.
    pub(crate) fn queues(&self) -> impl Iterator<Item = &Queue> {
        self.queues.values().map(AsRef::as_ref)
    }

    /// The queue called `name`, to change it.
    pub(crate) fn queue_mut(&mut self, name: &str) -> Option<&mut Queue> {
        self.queues.get_mut(name).map(Arc::make_mut)
    }

    /// A trigger of the queue with this ARN starts or stops polling. Unknown queues are nobody's business here.
    pub(crate) fn poll(&mut self, arn: &str, now: SimTime, starts: bool) {
        if let Some(queue) = arn.rsplit(':').next().and_then(|name| self.queue_mut(name)) {
            queue.poll(now, starts);
        }
    }
}

/// Adds a queue, polled by the triggers that already name it. `attributes` are those of `SetQueueAttributes`.
pub(crate) fn add_queue(
    world: &mut World,
    scope: &Scope,
    name: &str,
    attributes: BTreeMap<&'static str, String>,
) {
    let now = world.now();
    let region = world.region_mut(scope);
    let pollers = region.lambda.pollers(&scope.arn("sqs", name));
    region.sqs.queues.insert(name.to_owned(), Arc::new(Queue::new(name, now, attributes, pollers)));
}

/// Removes a queue with its messages. Answers whether it was there.
pub(crate) fn remove_queue(world: &mut World, scope: &Scope, name: &str) -> bool {
    world.region_mut(scope).sqs.queues.remove(name).is_some()
}

/// From now on, `arrival` messages a second arrive and each trigger takes `drain` a second. Answers whether there is such a queue.
pub(crate) fn set_rates(
    world: &mut World,
    scope: &Scope,
    name: &str,
    arrival: f64,
    drain: f64,
) -> bool {
    let now = world.now();
    world
        .region_mut(scope)
        .sqs
        .queue_mut(name)
        .map(|queue| queue.set_rates(now, arrival, drain))
        .is_some()
}

/// A queue's URL.
pub(crate) fn url(scope: &Scope, name: &str) -> String {
    let suffix = if scope.partition() == "aws-cn" { "amazonaws.com.cn" } else { "amazonaws.com" };
    format!("https://sqs.{}.{suffix}/{}/{name}", scope.region, scope.account)
}

/// Account and name in a queue's URL: the last two segments of its path.
fn in_url(url: &str) -> Option<(&str, &str)> {
    let path = url.split_once("://").map_or(url, |(_, rest)| rest);
    let mut segments = path.trim_end_matches('/').rsplit('/');
    let (name, account) = (segments.next()?, segments.next()?);
    let is_account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    (is_account && !name.is_empty()).then_some((account, name))
}

/// What IAM is asked about for an operation: the queue's ARN, or `*`. The request is not validated yet.
pub(crate) fn resource(scope: &Scope, input: &Value) -> String {
    let text = |name: &str| input.get(name).and_then(Value::as_str);
    let asked = || {
        text("QueueName")
            .map(|name| (text("QueueOwnerAWSAccountId").unwrap_or(&scope.account), name))
    };
    let named = text("QueueUrl").and_then(in_url).or_else(asked);
    let owned =
        |(account, name): (&str, &str)| Scope::new(account, scope.region.clone()).arn("sqs", name);
    named.map_or("*".to_owned(), owned)
}

fn unknown_queue() -> ApiError {
    ApiError::new("QueueDoesNotExist", "The specified queue does not exist.")
}

/// The queue `name` of `account`. Queues of other accounts are refused: queue policies are not evaluated here.
fn find<'w>(call: &'w Call<'_>, account: &str, name: &str) -> Result<&'w Queue, ApiError> {
    let owner = Scope::new(account, call.scope.region.clone());
    if owner.account != call.scope.account {
        let message = format!("Access to the resource {} is denied.", url(&owner, name));
        return Err(iam::denied(Service::Sqs, ApiError::new("AccessDenied", message)));
    }
    call.region().sqs.queue(name).ok_or_else(unknown_queue)
}

fn get_queue_url(call: &mut Call<'_>) -> Result<Map, ApiError> {
    let account = call.input.text("QueueOwnerAWSAccountId").unwrap_or(&call.scope.account);
    let queue = find(call, account, call.input.need("QueueName"))?;
    Ok(Map::new().with("QueueUrl", url(&call.scope, &queue.name)))
}

fn get_queue_attributes(call: &mut Call<'_>) -> Result<Map, ApiError> {
    let given = call.input.need("QueueUrl");
    let (account, name) = in_url(given).ok_or_else(|| {
        ApiError::new(
            "InvalidAddress",
            format!("The address {given} is not valid for this endpoint."),
        )
    })?;
    let queue = find(call, account, name)?;
    let asked = call.input.texts("AttributeNames");
    let all = asked.iter().any(|name| name == "All");
    let wanted = ATTRIBUTES
        .iter()
        .filter(|name| **name != "All" && (all || asked.iter().any(|asked| asked == **name)));
    let counts = queue.counts(call.now());
    let found =
        wanted.filter_map(|name| Some((*name, attribute(&call.scope, queue, counts, name)?)));
    let attributes = found.fold(Map::new(), |map, (name, value)| map.with(name, value));
    // Without names there is nothing to answer, not an empty map (SQS API reference, GetQueueAttributes).
    Ok(if asked.is_empty() { Map::new() } else { Map::new().with("Attributes", attributes) })
}

fn attribute(scope: &Scope, queue: &Queue, counts: Counts, name: &str) -> Option<String> {
    Some(match name {
        "ApproximateNumberOfMessages" => counts.visible.to_string(),
        "ApproximateNumberOfMessagesNotVisible" => counts.in_flight.to_string(),
        "ApproximateNumberOfMessagesDelayed" => "0".to_owned(),
        "CreatedTimestamp" => (queue.created.as_millis() / 1000).to_string(),
        "LastModifiedTimestamp" => (queue.modified.as_millis() / 1000).to_string(),
        "QueueArn" => scope.arn("sqs", &queue.name),
        // One kind of encryption excludes the other.
        "SqsManagedSseEnabled" if queue.attributes.contains_key("KmsMasterKeyId") => {
            "false".to_owned()
        }
        configured => queue.attribute(configured)?.to_owned(),
    })
}

fn list_queues(call: &mut Call<'_>) -> Result<Map, ApiError> {
    let prefix = call.input.text("QueueNamePrefix").unwrap_or_default();
    let asked = call.input.int("MaxResults");
    let size = match asked.map(usize::try_from) {
        None => MAX_QUEUES,
        Some(Ok(size)) if (1..=MAX_QUEUES).contains(&size) => size,
        Some(_) => {
            let message = "Value for parameter MaxResults is invalid. Reason: must be an integer between 1 and 1000.";
            return Err(ApiError::new("InvalidParameterValue", message));
        }
    };
    let queues = call.region().sqs.queues().filter(|queue| queue.name.starts_with(prefix));
    let page = page(
        queues,
        &format!("queues:{prefix}"),
        call.input.text("NextToken"),
        size,
        call.world.options.page_size,
    )
    .map_err(|_| ApiError::new("InvalidParameterValue", "Invalid or expired next token."))?;
    let urls: Vec<String> = page.items.iter().map(|queue| url(&call.scope, &queue.name)).collect();
    // A list that was not asked for in pages has no next one.
    let next = page.next.filter(|_| asked.is_some() || call.world.options.page_size.is_some());
    let answer = if urls.is_empty() { Map::new() } else { Map::new().list("QueueUrls", urls) };
    Ok(answer.maybe("NextToken", next))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Options;
    use crate::services::iam::testing::{ACCOUNT, ask, at, length, pass, scope, text, world};
    use serde_json::json;

    const URL: &str = "https://sqs.us-east-2.amazonaws.com/111122223333/jobs";

    fn with_queue() -> World {
        let mut world = world(Options::default());
        add_queue(
            &mut world,
            &scope(),
            "jobs",
            BTreeMap::from([("RedrivePolicy", "{}".to_owned())]),
        );
        world
    }

    fn attributes(world: &mut World, url: &str, names: &Value) -> Result<Map, ApiError> {
        ask(
            world,
            Service::Sqs,
            "GetQueueAttributes",
            &json!({"QueueUrl": url, "AttributeNames": names}),
        )
    }

    #[test]
    fn a_queue_is_found_by_name_and_by_any_url_with_its_path() {
        let mut world = with_queue();
        let found =
            ask(&mut world, Service::Sqs, "GetQueueUrl", &json!({"QueueName": "jobs"})).unwrap();
        assert_eq!(text(&found, "QueueUrl").as_deref(), Some(URL));
        for url in [
            URL,
            "http://127.0.0.1:4566/111122223333/jobs",
            "https://queue.amazonaws.com/111122223333/jobs/",
        ] {
            let answer = attributes(&mut world, url, &json!(["QueueArn"])).unwrap();
            assert_eq!(
                text(&answer, "Attributes.QueueArn").as_deref(),
                Some("arn:aws:sqs:us-east-2:111122223333:jobs"),
                "{url}"
            );
        }
    }

    #[test]
    fn attributes_are_texts_and_come_by_name_or_all() {
        let mut world = with_queue();
        let all = attributes(&mut world, URL, &json!(["All"])).unwrap();
        for (name, value) in [
            ("VisibilityTimeout", "30"),
            ("MessageRetentionPeriod", "345600"),
            ("ApproximateNumberOfMessages", "0"),
            ("ApproximateNumberOfMessagesNotVisible", "0"),
            ("ApproximateNumberOfMessagesDelayed", "0"),
            ("CreatedTimestamp", "1000"),
            ("LastModifiedTimestamp", "1000"),
            ("DelaySeconds", "0"),
            ("RedrivePolicy", "{}"),
            ("SqsManagedSseEnabled", "true"),
        ] {
            assert_eq!(text(&all, &format!("Attributes.{name}")).as_deref(), Some(value), "{name}");
        }
        assert_eq!(at(&all, "Attributes.KmsMasterKeyId"), None, "what is not set is left out");
        let one = attributes(&mut world, URL, &json!(["DelaySeconds"])).unwrap();
        assert_eq!(
            (text(&one, "Attributes.DelaySeconds").as_deref(), at(&one, "Attributes.QueueArn")),
            (Some("0"), None)
        );
        assert_eq!(attributes(&mut world, URL, &json!([])).unwrap(), Map::new());
    }

    #[test]
    fn the_level_follows_virtual_time() {
        let mut world = with_queue();
        assert!(set_rates(&mut world, &scope(), "jobs", 3.0, 10.0));
        pass(&mut world, 60);
        let answer = attributes(&mut world, URL, &json!(["ApproximateNumberOfMessages"])).unwrap();
        assert_eq!(text(&answer, "Attributes.ApproximateNumberOfMessages").as_deref(), Some("180"));
        assert!(!set_rates(&mut world, &scope(), "other", 3.0, 10.0));
    }

    #[test]
    fn what_is_wrong_has_its_own_code() {
        let mut world = with_queue();
        for (why, operation, input, code) in [
            ("unknown", "GetQueueUrl", json!({"QueueName": "other"}), "QueueDoesNotExist"),
            (
                "unknown by URL",
                "GetQueueAttributes",
                json!({"QueueUrl": format!("{URL}2")}),
                "QueueDoesNotExist",
            ),
            (
                "another account's",
                "GetQueueUrl",
                json!({"QueueName": "jobs", "QueueOwnerAWSAccountId": "444455556666"}),
                "AccessDeniedException",
            ),
            (
                "no queue's URL",
                "GetQueueAttributes",
                json!({"QueueUrl": "https://example.com/jobs"}),
                "InvalidAddress",
            ),
            ("no URL", "GetQueueAttributes", json!({}), "MissingParameter"),
            (
                "no attribute",
                "GetQueueAttributes",
                json!({"QueueUrl": URL, "AttributeNames": ["Size"]}),
                "InvalidAttributeName",
            ),
            ("no page size", "ListQueues", json!({"MaxResults": 1001}), "InvalidParameterValue"),
            ("no token", "ListQueues", json!({"NextToken": "x"}), "InvalidParameterValue"),
        ] {
            assert_eq!(
                ask(&mut world, Service::Sqs, operation, &input).unwrap_err().code,
                code,
                "{why}"
            );
        }
    }

    #[test]
    fn queues_are_listed_by_prefix_and_in_pages() {
        let mut world = with_queue();
        for name in ["jobs-b", "jobs-a", "other"] {
            add_queue(&mut world, &scope(), name, BTreeMap::new());
        }
        let mut list = |input: Value| ask(&mut world, Service::Sqs, "ListQueues", &input).unwrap();
        assert_eq!(length(&list(json!({})), "QueueUrls"), 4);
        assert_eq!(list(json!({"QueueNamePrefix": "x"})), Map::new());
        let first = list(json!({"QueueNamePrefix": "jobs", "MaxResults": 2}));
        assert_eq!(
            text(&first, "QueueUrls.1").as_deref(),
            Some(format!("https://sqs.us-east-2.amazonaws.com/{ACCOUNT}/jobs-a").as_str())
        );
        let second = list(
            json!({"QueueNamePrefix": "jobs", "MaxResults": 2, "NextToken": text(&first, "NextToken")}),
        );
        assert_eq!((length(&second, "QueueUrls"), at(&second, "NextToken")), (1, None));
    }

    #[test]
    fn iam_is_asked_about_the_queue() {
        let ask = |input: Value| resource(&scope(), &input);
        assert_eq!(
            ask(json!({"QueueUrl": "http://localhost/444455556666/q"})),
            "arn:aws:sqs:us-east-2:444455556666:q"
        );
        assert_eq!(ask(json!({"QueueName": "q"})), "arn:aws:sqs:us-east-2:111122223333:q");
        assert_eq!(ask(json!({})), "*");
    }
}
