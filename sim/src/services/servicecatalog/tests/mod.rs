//! A small catalog over real stacks, and the operations as a client sees them.

mod reads;
mod refusals;
mod updates;

use super::*;
use crate::options::Options;
use crate::services::Call;
use crate::services::cloudformation::template::Template;
use crate::services::cloudformation::{self, During, Injection};
use crate::services::iam::Principal;
use crate::spec::{Service, validate};
use crate::time::SimTime;
use crate::wire::{self, Decoded};
use crate::world::{Scope, World};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

const LAUNCH_ROLE: &str = "arn:aws:iam::111122223333:role/launch";

/// One product in one portfolio, provisioned once.
struct Catalog {
    world: World,
    scope: Scope,
    caller: Principal,
    product: String,
    portfolio: String,
    path: String,
    /// Versions by name: `v1` is provisioned, `v2` drops the parameter `Old` and has `New` and `Must`.
    versions: BTreeMap<&'static str, String>,
    provisioned: String,
    tokens: u32,
}

fn person(name: &str) -> Principal {
    Principal::of_role("arn:aws:iam::111122223333:role/ops", name).unwrap()
}

fn template(version: &str) -> Arc<Template> {
    let own = match version {
        "v1" => json!({"Old": {"Type": "String", "Default": "old"}}),
        _ => {
            json!({"New": {"Type": "String", "Default": ""}, "Must": {"Type": "String", "MinLength": 2}})
        }
    };
    let mut parameters = json!({
        "Text": {"Type": "String", "Default": "a", "AllowedValues": ["a", "b", "c"]},
        "Secret": {"Type": "String", "NoEcho": true, "Default": "hush"},
    });
    parameters.as_object_mut().unwrap().extend(own.as_object().unwrap().clone());
    let outputs = (0..25)
        .map(|index| (format!("Out{index:02}"), json!({"Value": format!("{version}-{index}")})));
    let body = json!({
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": format!("the template of {version}"),
        "Metadata": {"AWS::CloudFormation::Interface": {"ParameterLabels": {"Text": {"default": "A label"}}}},
        "Rules": {"Own": {"Assertions": []}},
        "Parameters": parameters,
        "Resources": {
            "Base": {"Type": "AWS::Logs::Thing", "Properties": {"Version": version}},
            "Thing": {"Type": "AWS::Logs::Thing", "DependsOn": "Base", "Properties": {"Text": {"Ref": "Text"}, "Version": version}},
        },
        "Outputs": outputs.collect::<serde_json::Map<String, Value>>(),
    });
    Arc::new(Template::parse(body, BTreeMap::new()).unwrap())
}

impl Catalog {
    fn new() -> Self {
        Self::with(|_| {})
    }

    fn with(set: impl FnOnce(&mut Options)) -> Self {
        let mut options = Options::default();
        set(&mut options);
        let mut world =
            World::new(SimTime::from_millis(0) + Duration::from_hours(1000), "catalog", options);
        let scope = Scope::new("111122223333", "us-east-2");
        let caller = person("me");
        let new = NewProduct {
            name: "A Database".to_owned(),
            owner: "Somebody".to_owned(),
            ..NewProduct::default()
        };
        let product = add_product(&mut world, &scope, new);
        let portfolio = add_portfolio(
            &mut world,
            &scope,
            NewPortfolio { name: "Foundation".to_owned(), ..NewPortfolio::default() },
        );
        let path = NewPath {
            portfolio_id: portfolio.clone(),
            launch_role: Some(LAUNCH_ROLE.to_owned()),
            ..NewPath::default()
        };
        let path = add_path(&mut world, &scope, &product, path).unwrap();
        let mut versions = BTreeMap::new();
        for name in ["v2", "v1"] {
            let new = NewArtifact {
                name: name.to_owned(),
                description: Some(format!("A Database {name}")),
                created: world.now(),
                active: true,
                guidance: Guidance::Default,
                template: template(name),
            };
            versions.insert(name, add_artifact(&mut world, &scope, &product, new).unwrap());
        }
        let mut catalog = Self {
            world,
            scope,
            caller,
            product,
            portfolio,
            path,
            versions,
            provisioned: String::new(),
            tokens: 0,
        };
        catalog.provisioned = catalog.provision("db-one", "me");
        catalog
    }

    /// Another provisioned product of `v1`, launched by `owner`. Answers its id.
    fn provision(&mut self, name: &str, owner: &str) -> String {
        let id = self.world.id("pp-");
        let stack = cloudformation::Existing {
            name: format!("SC-111122223333-{id}"),
            template: template("v1"),
            parameters: BTreeMap::from([("Secret".to_owned(), "kept".to_owned())]),
            role_arn: None,
            tags: BTreeMap::new(),
            created: SimTime::from_millis(0),
            updated: None,
        };
        let stack =
            cloudformation::materialize(&mut self.world, &self.scope, &self.caller, stack).unwrap();
        let existing = Existing {
            id,
            name: name.to_owned(),
            product_id: self.product.clone(),
            artifact_id: self.versions["v1"].clone(),
            path_id: None,
            stack,
            owner: person(owner),
            created: SimTime::from_millis(0),
            tags: vec![("team".to_owned(), "data".to_owned())],
            history: Vec::new(),
        };
        provision_existing(&mut self.world, &self.scope, existing).unwrap()
    }

    /// Calls an operation as a client of JSON would, and answers what it reads: the body, or `Code: message`.
    fn call(&mut self, operation: &str, input: Value) -> Result<Value, String> {
        let operation = Service::ServiceCatalog.operation(operation).unwrap();
        let said = |error: crate::error::ApiError| format!("{}: {}", error.code, error.message);
        let read = validate(Service::ServiceCatalog, operation, &input).map_err(said)?;
        let mut call = Call {
            world: &mut self.world,
            scope: self.scope.clone(),
            caller: self.caller.clone(),
            input: read,
        };
        let answer = (operation.run)(&mut call).map_err(said)?;
        let decoded = Decoded { service: Service::ServiceCatalog, operation, input };
        let response = wire::encode(&decoded, &answer, "request", self.world.now());
        Ok(serde_json::from_slice(response.body()).unwrap())
    }

    /// The input of an update to `version`, with a token of its own.
    fn input(&mut self, version: &str, parameters: &Value) -> Value {
        self.tokens += 1;
        json!({
            "ProvisionedProductId": self.provisioned,
            "ProductId": self.product,
            "ProvisioningArtifactId": self.versions[version],
            "ProvisioningParameters": parameters,
            "UpdateToken": format!("token-{}", self.tokens),
        })
    }

    /// Updates to `version`. Answers the record's id.
    fn update(&mut self, version: &str, parameters: &Value) -> Result<String, String> {
        let input = self.input(version, parameters);
        self.send(input)
    }

    fn send(&mut self, input: Value) -> Result<String, String> {
        let answer = self.call("UpdateProvisionedProduct", input)?;
        Ok(answer["RecordDetail"]["RecordId"].as_str().unwrap().to_owned())
    }

    fn wait(&mut self, how_long: Duration) {
        let later = self.world.now() + how_long;
        self.world.advance_to(later);
    }

    fn settle(&mut self) {
        self.wait(Duration::from_hours(1));
    }

    fn product(&mut self) -> Value {
        let id = self.provisioned.clone();
        self.call("DescribeProvisionedProduct", json!({"Id": id})).unwrap()["ProvisionedProductDetail"].take()
    }

    fn record(&mut self, id: &str) -> Value {
        self.call("DescribeRecord", json!({"Id": id})).unwrap()
    }

    fn status(&mut self) -> String {
        self.product()["Status"].as_str().unwrap().to_owned()
    }

    fn stack(&self) -> String {
        format!("SC-111122223333-{}", self.provisioned)
    }

    fn fail(&mut self, during: During) {
        let injection = Injection {
            logical_id: "Thing".to_owned(),
            stack: None,
            during,
            message: "broken".to_owned(),
            times: 1,
            after_change: false,
        };
        cloudformation::fail_resource(&mut self.world, &self.scope, injection);
    }
}

/// `[{Key, Value}]` of values, `UsePreviousValue` for those without one.
fn given(parameters: &[(&str, Option<&str>)]) -> Value {
    let one = |(key, value): &(&str, Option<&str>)| match value {
        Some(value) => json!({"Key": key, "Value": value}),
        None => json!({"Key": key, "UsePreviousValue": true}),
    };
    Value::Array(parameters.iter().map(one).collect())
}

/// What `v2` needs.
fn to_v2() -> Value {
    given(&[("Must", Some("now")), ("Secret", None), ("Text", None)])
}

/// The texts of a member of every item of a list.
fn each<'v>(list: &'v Value, member: &str) -> Vec<&'v str> {
    list.as_array().unwrap().iter().map(|item| item[member].as_str().unwrap()).collect()
}
