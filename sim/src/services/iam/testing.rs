//! For tests: a call of an operation as the front would make it, validation included.

use super::Principal;
use crate::error::ApiError;
use crate::node::{Map, Node};
use crate::options::Options;
use crate::services::Call;
use crate::spec::{Service, validate};
use crate::time::SimTime;
use crate::world::{Scope, World};
use serde_json::Value;

/// The account of the tests' world.
pub(crate) const ACCOUNT: &str = "111122223333";

/// Where the tests' world lies.
pub(crate) fn scope() -> Scope {
    Scope::new(ACCOUNT, "us-east-2")
}

/// An empty world whose time is 1000 s after the epoch.
pub(crate) fn world(options: Options) -> World {
    let mut world = World::new(SimTime::from_millis(1_000_000), "tests", options);
    world.iam.add_account(ACCOUNT, "aws");
    world
}

/// The administrator of the tests' account.
pub(crate) fn admin() -> Principal {
    Principal { arn: format!("arn:aws:iam::{ACCOUNT}:user/admin"), account: ACCOUNT.to_owned() }
}

/// Calls `operation` as the administrator.
pub(crate) fn ask(
    world: &mut World,
    service: Service,
    operation: &str,
    input: &Value,
) -> Result<Map, ApiError> {
    ask_as(world, admin(), service, operation, input)
}

/// Calls `operation` as `caller`.
pub(crate) fn ask_as(
    world: &mut World,
    caller: Principal,
    service: Service,
    operation: &str,
    input: &Value,
) -> Result<Map, ApiError> {
    let operation = service.operation(operation).unwrap();
    let input = validate(service, operation, input)?;
    let scope = Scope::new(caller.account.clone(), scope().region);
    (operation.run)(&mut Call { world, scope, caller, input })
}

/// The node at a path such as `Credentials.AccessKeyId` or `Functions.0.FunctionName`.
pub(crate) fn at<'n>(answer: &'n Map, path: &str) -> Option<&'n Node> {
    let (first, rest) =
        path.split_once('.').map_or((path, None), |(first, rest)| (first, Some(rest)));
    rest.into_iter().flat_map(|rest| rest.split('.')).try_fold(answer.get(first)?, |node, part| {
        match node {
            Node::Map(map) => map.get(part),
            Node::List(_, items) => items.get(part.parse::<usize>().ok()?),
            _ => None,
        }
    })
}

/// The text at a path.
pub(crate) fn text(answer: &Map, path: &str) -> Option<String> {
    match at(answer, path)? {
        Node::Text(text) => Some(text.to_string()),
        Node::Int(number) => Some(number.to_string()),
        Node::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

/// How many items the list at a path has.
pub(crate) fn length(answer: &Map, path: &str) -> usize {
    match at(answer, path) {
        Some(Node::List(_, items)) => items.len(),
        _ => 0,
    }
}

/// Lets `seconds` pass.
pub(crate) fn pass(world: &mut World, seconds: u64) {
    let to = world.now() + std::time::Duration::from_secs(seconds);
    world.advance_to(to);
}
