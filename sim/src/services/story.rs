//! For tests of a service: a world with one account, operations called as the front calls them, answers read by path.

use super::Call;
use super::cloudformation::provider::{On, Provider};
use super::iam::Principal;
use crate::error::ApiError;
use crate::node::{Map, Node};
use crate::options::Options;
use crate::spec::{Service, validate};
use crate::time::SimTime;
use crate::world::{Scope, World};
use serde_json::Value;
use std::time::Duration;

/// A world with one account in one region.
pub(crate) struct Story {
    pub(crate) world: World,
    pub(crate) scope: Scope,
    caller: Principal,
}

impl Story {
    /// A world at 10:00 on 1 August 2026, a Saturday.
    pub(crate) fn new(options: Options) -> Self {
        let now: SimTime = "2026-08-01T10:00:00Z".parse().unwrap();
        let caller = Principal::of_role("arn:aws:iam::111122223333:role/launch", "test").unwrap();
        Self {
            world: World::new(now, "story", options),
            scope: Scope::new("111122223333", "us-east-2"),
            caller,
        }
    }

    /// Calls an operation.
    pub(crate) fn call(
        &mut self,
        service: Service,
        name: &str,
        input: &Value,
    ) -> Result<Map, ApiError> {
        let operation = service.operation(name).unwrap_or_else(|| panic!("no operation {name}"));
        let input = validate(service, operation, input)?;
        let (scope, caller) = (self.scope.clone(), self.caller.clone());
        let mut call = Call { world: &mut self.world, scope, caller, input };
        (operation.run)(&mut call)
    }

    /// Does something with a provider, as the stack engine does.
    pub(crate) fn on<T>(&mut self, act: impl FnOnce(&mut On<'_>) -> T) -> T {
        act(&mut On {
            world: &mut self.world,
            scope: &self.scope,
            principal: &self.caller,
            stack_name: "stack",
            logical_id: "Thing",
        })
    }

    /// A resource that has long been there.
    pub(crate) fn existing(&mut self, provider: &dyn Provider, properties: &Value) -> String {
        self.on(|on| {
            let id = provider.create(on, properties).unwrap();
            provider.settle(on, &id);
            id
        })
    }

    /// Lets time pass.
    pub(crate) fn pass(&mut self, time: Duration) {
        let to = self.world.now() + time;
        self.world.advance_to(to);
    }

    /// What of an answer stands at `path`: `ReplicationGroups.0.Status`. Absent members are `-`.
    pub(crate) fn read(
        &mut self,
        service: Service,
        name: &str,
        input: &Value,
        path: &str,
    ) -> String {
        at(&self.call(service, name, input).unwrap(), path)
    }
}

/// The provider of `kind` in a service's list.
pub(crate) fn provider(
    list: &'static [(&'static str, &'static dyn Provider)],
    kind: &str,
) -> &'static dyn Provider {
    list.iter().find(|(name, _)| *name == kind).unwrap_or_else(|| panic!("no provider of {kind}")).1
}

/// What stands at `path` in an answer; a list is its items with commas, a structure `{}`, what is absent `-`.
pub(crate) fn at(answer: &Map, path: &str) -> String {
    let mut node = Node::Map(answer.clone());
    for part in path.split('.') {
        let next = match &node {
            Node::Map(map) => map.get(part).cloned(),
            Node::List(_, items) => {
                part.parse::<usize>().ok().and_then(|index| items.get(index).cloned())
            }
            _ => None,
        };
        let Some(next) = next else { return "-".to_owned() };
        node = next;
    }
    shown(&node)
}

fn shown(node: &Node) -> String {
    match node {
        Node::Text(text) => text.clone().into_owned(),
        Node::Int(number) => number.to_string(),
        Node::Float(number) => number.to_string(),
        Node::Bool(flag) => flag.to_string(),
        Node::Time(at) => at.iso(),
        Node::List(_, items) => items.iter().map(shown).collect::<Vec<_>>().join(","),
        Node::Map(map) => format!(
            "{{{}}}",
            map.members()
                .map(|(name, node)| format!("{name}={}", shown(node)))
                .collect::<Vec<_>>()
                .join(" ")
        ),
    }
}
