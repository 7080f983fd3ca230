//! Stories of the stack engine, on small trees of generic resources.

use super::start::continue_rollback;
use super::state::{During, Injection};
use super::template::Template;
use super::{Existing, Given, Update, fail_resource, materialize, see, start_update};
use crate::options::Options;
use crate::services::iam::Principal;
use crate::time::SimTime;
use crate::world::{Scope, World};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

struct Story {
    world: World,
    scope: Scope,
    caller: Principal,
}

/// A root with a role and two nested stacks; the second one uses an output of the first.
fn tree(version: &str, extra: Option<(&str, Value)>) -> Arc<Template> {
    let leaf = |kind: &str| {
        let body = json!({
            "Parameters": {"Text": {"Type": "String"}},
            "Resources": {
                "Constant": {"Type": kind, "Properties": {"Text": "same"}},
                "Thing": {"Type": kind, "Properties": {"Text": {"Ref": "Text"}}},
                "Last": {"Type": kind, "DependsOn": "Thing", "Properties": {"Text": {"Ref": "Text"}}},
            },
            "Outputs": {"Name": {"Value": {"Ref": "Thing"}}},
        });
        Arc::new(Template::parse(body, BTreeMap::new()).unwrap())
    };
    let nested = BTreeMap::from([
        ("first.yaml".to_owned(), leaf("AWS::SSM::Thing")),
        ("second.yaml".to_owned(), leaf("AWS::Logs::Thing")),
    ]);
    let mut body = json!({
        "Description": version,
        "Parameters": {"Text": {"Type": "String", "Default": "a"}, "Named": {"Type": "String", "Default": "bucket-a"}},
        "Resources": {
            "First": {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": "first.yaml", "Parameters": {"Text": {"Ref": "Text"}}}},
            "Second": {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": "second.yaml", "Parameters": {"Text": {"Fn::GetAtt": ["First", "Outputs.Name"]}}}},
            "Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": {"Ref": "Named"}}},
        },
        "Outputs": {"Release": {"Value": version}},
    });
    if let Some((id, resource)) = extra {
        body["Resources"][id] = resource;
    }
    Arc::new(Template::parse(body, nested).unwrap())
}

impl Story {
    fn new() -> Self {
        let mut world = World::new(
            SimTime::from_millis(0) + Duration::from_hours(24),
            "engine",
            Options::default(),
        );
        let scope = Scope::new("111122223333", "us-east-2");
        let caller = Principal::of_role("arn:aws:iam::111122223333:role/launch", "test").unwrap();
        let existing = Existing {
            name: "root".to_owned(),
            template: tree("1", None),
            parameters: BTreeMap::new(),
            role_arn: None,
            tags: BTreeMap::new(),
            created: SimTime::from_millis(0),
            updated: None,
        };
        materialize(&mut world, &scope, &caller, existing).unwrap();
        Self { world, scope, caller }
    }

    fn update(&mut self, template: Arc<Template>, given: &[(&str, &str)]) -> Result<(), String> {
        let parameters = given
            .iter()
            .map(|(key, value)| ((*key).to_owned(), Given::Value((*value).to_owned())))
            .collect();
        let update = Update {
            stack_name: "root".to_owned(),
            template,
            parameters,
            role_arn: None,
            client_token: Some("token".to_owned()),
        };
        start_update(&mut self.world, &self.scope, &self.caller, update)
            .map_err(|error| error.message)
    }

    fn continue_rollback(&mut self, name: &str, skip: &[String]) -> Result<(), String> {
        continue_rollback(&mut self.world, &self.scope, &self.caller, name, skip, false)
            .map_err(|error| error.message)
    }

    fn fail(&mut self, logical_id: &str, stack: &str, during: During, times: u32) {
        let injection = Injection {
            logical_id: logical_id.to_owned(),
            stack: Some(stack.to_owned()),
            during,
            message: "broken".to_owned(),
            times,
            after_change: false,
        };
        fail_resource(&mut self.world, &self.scope, injection);
    }

    fn wait(&mut self) {
        let later = self.world.now() + Duration::from_hours(1);
        self.world.advance_to(later);
    }

    fn status(&self) -> String {
        see(self.world.region(&self.scope), "root").unwrap().status
    }

    fn child(&self, logical_id: &str) -> String {
        let stacks = &self.world.region(&self.scope).cloudformation.stacks;
        stacks
            .values()
            .find(|stack| stack.parent.as_ref().is_some_and(|(_, id)| id == logical_id))
            .map(|stack| stack.name.clone())
            .unwrap_or_default()
    }

    /// The events of a stack behind its first two, as `logical id STATUS`, its own as `- STATUS`.
    fn events(&self, name: &str) -> Vec<String> {
        let stack = &self.world.region(&self.scope).cloudformation.stacks[name];
        let line = |event: &super::state::Event| {
            format!(
                "{} {}",
                if event.physical_id == stack.id { "-" } else { &event.logical_id },
                event.status
            )
        };
        stack.events.iter().skip(2).map(line).collect()
    }

    fn reason(&self, name: &str, line: &str) -> String {
        let stack = &self.world.region(&self.scope).cloudformation.stacks[name];
        let (id, status) = line.split_once(' ').unwrap();
        stack
            .events
            .iter()
            .rev()
            .find(|event| event.logical_id == id && event.status == status)
            .and_then(|event| event.reason.clone())
            .unwrap_or_default()
    }
}

#[test]
fn a_changed_value_updates_what_depends_on_it_and_every_nested_stack() {
    let mut story = Story::new();
    story.update(tree("2", None), &[("Text", "b")]).unwrap();
    assert_eq!(story.status(), "UPDATE_IN_PROGRESS");
    story.wait();
    assert_eq!(
        story.events("root"),
        [
            "- UPDATE_IN_PROGRESS",
            "First UPDATE_IN_PROGRESS",
            "First UPDATE_COMPLETE",
            "Second UPDATE_IN_PROGRESS",
            "Second UPDATE_COMPLETE",
            "- UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
            "- UPDATE_COMPLETE",
        ]
    );
    let first = [
        "- UPDATE_IN_PROGRESS",
        "Thing UPDATE_IN_PROGRESS",
        "Thing UPDATE_COMPLETE",
        "Last UPDATE_IN_PROGRESS",
        "Last UPDATE_COMPLETE",
        "- UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
        "- UPDATE_COMPLETE",
    ];
    assert_eq!(story.events(&story.child("First")), first);
    let second =
        ["- UPDATE_IN_PROGRESS", "- UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "- UPDATE_COMPLETE"];
    assert_eq!(story.events(&story.child("Second")), second, "the output it uses did not change");
    assert_eq!(see(story.world.region(&story.scope), "root").unwrap().outputs[0].1, "2");
}

#[test]
fn nothing_to_change_is_refused_and_so_are_bad_parameters() {
    let mut story = Story::new();
    for (given, expected) in [
        (vec![], "No updates are to be performed."),
        (vec![("Nope", "x")], "Parameters: [Nope] do not exist in the template"),
    ] {
        assert_eq!(story.update(tree("1", None), &given).unwrap_err(), expected);
    }
    story.update(tree("1", None), &[("Text", "b")]).unwrap();
    let busy = story.update(tree("1", None), &[("Text", "c")]).unwrap_err();
    assert!(busy.ends_with("is in UPDATE_IN_PROGRESS state and can not be updated."), "{busy}");
}

#[test]
fn a_failure_in_a_nested_stack_puts_everything_back() {
    let mut story = Story::new();
    story.fail("Last", "-First-", During::Update, 1);
    story.update(tree("2", None), &[("Text", "b"), ("Named", "bucket-b")]).unwrap();
    story.wait();
    assert_eq!(story.status(), "UPDATE_ROLLBACK_COMPLETE");
    let root = story.events("root");
    assert_eq!(root[0], "- UPDATE_IN_PROGRESS");
    assert!(root.contains(&"First UPDATE_FAILED".to_owned()), "{root:?}");
    assert!(
        !root.iter().any(|line| line.starts_with("Second")),
        "what did not start is not put back: {root:?}"
    );
    assert_eq!(root.last().unwrap(), "- UPDATE_ROLLBACK_COMPLETE");
    assert!(story.reason("root", "First UPDATE_FAILED").contains("was not successfully updated. Currently in UPDATE_ROLLBACK_IN_PROGRESS with reason: The following resource(s) failed to update: [Last]."));
    let first = story.child("First");
    assert_eq!(story.reason(&first, "Last UPDATE_FAILED"), "broken");
    assert_eq!(story.events(&first).last().unwrap(), "- UPDATE_ROLLBACK_COMPLETE");
    let stack = &story.world.region(&story.scope).cloudformation.stacks["root"];
    assert_eq!(
        (stack.parameters.given["Text"].as_str(), stack.template.description.as_str()),
        ("a", "1")
    );
    assert_eq!(
        stack.resources["Bucket"].physical_id, "bucket-a",
        "the replaced bucket is the old one again"
    );
}

#[test]
fn a_failed_rollback_is_continued_with_and_without_skipping() {
    let mut story = Story::new();
    story.fail("Last", "-First-", During::Update, 1);
    story.fail("Thing", "-First-", During::Rollback, 2);
    story.update(tree("2", None), &[("Text", "b")]).unwrap();
    story.wait();
    assert_eq!(story.status(), "UPDATE_ROLLBACK_FAILED");
    let first = story.child("First");
    assert_eq!(story.events(&first).last().unwrap(), "- UPDATE_ROLLBACK_FAILED");
    let again = story.update(tree("2", None), &[("Text", "b")]).unwrap_err();
    assert!(
        again.ends_with("is in UPDATE_ROLLBACK_FAILED state and can not be updated."),
        "{again}"
    );
    for (name, skip, expected) in [
        (first.as_str(), vec![], "RollbackUpdatedStack cannot be invoked on child stacks"),
        ("root", vec!["CacheStack.Thing".to_owned()], "Stack [CacheStack] does not exist"),
        ("root", vec!["First".to_owned()], "Nested stacks could not be skipped"),
        (
            "root",
            vec![format!("{first}.Last")],
            "Only the resources failed during UpdateRollback are allowed to be skipped",
        ),
    ] {
        let refusal = story.continue_rollback(name, &skip).unwrap_err();
        assert!(refusal.ends_with(expected), "{refusal}");
    }
    story.continue_rollback("root", &[]).unwrap();
    story.wait();
    assert_eq!(story.status(), "UPDATE_ROLLBACK_FAILED", "it fails a second time");
    story.continue_rollback("root", &[format!("{first}.Thing")]).unwrap();
    story.wait();
    assert_eq!(story.status(), "UPDATE_ROLLBACK_COMPLETE");
    assert_eq!(
        story.continue_rollback("root", &[]).unwrap_err().split(" is in ").nth(1).unwrap(),
        "UPDATE_ROLLBACK_COMPLETE state and can not continue rollback."
    );
    story.update(tree("2", None), &[("Text", "b")]).unwrap();
    story.wait();
    assert_eq!(story.status(), "UPDATE_COMPLETE");
}

#[test]
fn new_resources_are_made_and_removed_ones_go_in_the_clean_up() {
    let third = || {
        Some((
            "Third",
            json!({"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": "second.yaml", "Parameters": {"Text": "x"}}}),
        ))
    };
    let mut story = Story::new();
    story.update(tree("2", third()), &[("Named", "bucket-b")]).unwrap();
    story.wait();
    assert_eq!(story.status(), "UPDATE_COMPLETE");
    let root = story.events("root");
    for line in ["Third CREATE_COMPLETE", "Bucket UPDATE_COMPLETE", "Bucket DELETE_COMPLETE"] {
        assert!(root.contains(&line.to_owned()), "{line} in {root:?}");
    }
    let child = story.child("Third");
    assert_eq!(
        story.world.region(&story.scope).cloudformation.stacks[&child].status.as_str(),
        "CREATE_COMPLETE"
    );
    story.update(tree("3", None), &[("Named", "bucket-b")]).unwrap();
    story.wait();
    assert_eq!(story.child("Third"), "", "the removed nested stack is gone");
    assert!(story.events("root").contains(&"Third DELETE_COMPLETE".to_owned()));
    let id = story.world.region(&story.scope).cloudformation.deleted[0].id.clone();
    assert_eq!(
        story.world.region(&story.scope).cloudformation.find(&id).unwrap().status.as_str(),
        "DELETE_COMPLETE",
        "found by its ARN"
    );
}

#[test]
fn what_a_failed_update_created_is_removed() {
    let third =
        Some(("Third", json!({"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "third"}})));
    let mut story = Story::new();
    story.fail("Thing", "-First-", During::Update, 1);
    story.update(tree("2", third), &[("Text", "b")]).unwrap();
    story.wait();
    assert_eq!(story.status(), "UPDATE_ROLLBACK_COMPLETE");
    assert!(
        !story.world.region(&story.scope).cloudformation.stacks["root"]
            .resources
            .contains_key("Third")
    );
}
