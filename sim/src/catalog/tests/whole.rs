//! Templates fit together: every reference has its target.

use super::*;

/// Every template of every version in every variant, nested ones too, with a name for messages.
fn every_template() -> Vec<(String, Arc<Template>)> {
    let mut all: Vec<(String, Arc<Template>)> = vec![
        ("te".to_owned(), catalog().te("5.47.0-beta.16").unwrap()),
        ("mods".to_owned(), catalog().mods().unwrap()),
        ("workspace".to_owned(), catalog().workspace().unwrap()),
        ("tef".to_owned(), catalog().tef("1.60.0").unwrap()),
    ];
    for upgrade in CacheUpgrade::ALL {
        for release in &catalog().ted(*upgrade, &Rename::default()).unwrap().releases {
            all.push((
                format!("{} {}", release.name, upgrade.as_str()),
                Arc::clone(&release.template),
            ));
            all.extend(release.template.nested.iter().map(|(url, template)| {
                (format!("{} {url}", upgrade.as_str()), Arc::clone(template))
            }));
        }
    }
    all
}

/// What a template refers to: `Ref`s and variables, attributes of resources, conditions, maps.
#[derive(Default)]
pub(super) struct Used {
    pub(super) references: BTreeSet<String>,
    attributes: BTreeSet<(String, String)>,
    conditions: BTreeSet<String>,
    maps: BTreeSet<String>,
}

impl Used {
    pub(super) fn by(value: &Value) -> Self {
        let mut used = Self::default();
        used.look(value);
        used
    }

    fn look(&mut self, value: &Value) {
        match value {
            Value::Object(object) => {
                for (key, inner) in object {
                    match (key.as_str(), inner) {
                        ("Ref", Value::String(name)) => {
                            self.references.insert(name.clone());
                        }
                        ("Fn::GetAtt", Value::Array(path)) => drop(self.attributes.insert((
                            path[0].as_str().unwrap().to_owned(),
                            path[1].as_str().unwrap().to_owned(),
                        ))),
                        ("Fn::Sub", Value::String(text)) => self.variables(text),
                        ("Fn::If", Value::Array(parts)) => {
                            self.conditions.insert(parts[0].as_str().unwrap().to_owned());
                        }
                        ("Fn::FindInMap", Value::Array(parts)) => {
                            self.maps.insert(parts[0].as_str().unwrap().to_owned());
                        }
                        // A condition of IAM is a map.
                        ("Condition", Value::String(name)) => {
                            self.conditions.insert(name.clone());
                        }
                        ("DependsOn", Value::String(name)) => {
                            self.references.insert(name.clone());
                        }
                        ("DependsOn", Value::Array(names)) => self
                            .references
                            .extend(names.iter().map(|name| name.as_str().unwrap().to_owned())),
                        _ => {}
                    }
                    self.look(inner);
                }
            }
            Value::Array(items) => items.iter().for_each(|item| self.look(item)),
            _ => {}
        }
    }

    fn variables(&mut self, text: &str) {
        for variable in text.split("${").skip(1).map(|rest| rest.split_once('}').unwrap().0) {
            match variable.split_once('.') {
                Some((resource, attribute)) => {
                    self.attributes.insert((resource.to_owned(), attribute.to_owned()));
                }
                None => {
                    self.references.insert(variable.to_owned());
                }
            }
        }
    }
}

#[test]
fn rendered_templates_look_like_real_ones() {
    for (name, template) in every_template() {
        let text = template.body.to_string();
        assert!(
            !text.contains("\"x-") && !text.contains("{{") && !text.contains("\"!"),
            "{name}: {text}"
        );
        assert_eq!(template.body["AWSTemplateFormatVersion"], "2010-09-09", "{name}");
        assert!(!template.description.is_empty(), "{name}");
        // AWS docs: CloudFormation quotas.
        assert!(
            template.parameters.len() <= 200
                && template.outputs().len() <= 200
                && template.resources().len() <= 500,
            "{name}"
        );
        for (id, resource) in template.resources() {
            assert!(
                resource["Type"].as_str().unwrap().contains("::")
                    && id.chars().all(|c| c.is_ascii_alphanumeric()),
                "{name}: {id}"
            );
        }
    }
}

#[test]
fn every_reference_resolves_and_every_parameter_is_used() {
    const PSEUDO: [&str; 7] = [
        "AWS::AccountId",
        "AWS::NoValue",
        "AWS::Partition",
        "AWS::Region",
        "AWS::StackId",
        "AWS::StackName",
        "AWS::URLSuffix",
    ];
    for (name, template) in every_template() {
        let outside: Value = template
            .body
            .as_object()
            .unwrap()
            .iter()
            .filter(|(section, _)| *section != "Parameters" && *section != "Metadata")
            .map(|(section, value)| (section.clone(), value.clone()))
            .collect();
        let used = Used::by(&outside);
        let resources = template.resources();
        for reference in &used.references {
            let parameter = template.parameter(reference).is_some();
            assert!(
                parameter
                    || resources.contains_key(reference)
                    || PSEUDO.contains(&reference.as_str()),
                "{name}: {reference}"
            );
            assert!(
                !(parameter && resources.contains_key(reference)),
                "{name}: {reference} is both"
            );
        }
        for (resource, attribute) in &used.attributes {
            let definition =
                resources.get(resource).unwrap_or_else(|| panic!("{name}: {resource}.{attribute}"));
            if let Some(output) = attribute.strip_prefix("Outputs.") {
                let child =
                    &template.nested[definition["Properties"]["TemplateURL"].as_str().unwrap()];
                assert!(child.outputs().contains_key(output), "{name}: {resource}.{attribute}");
            }
        }
        for condition in &used.conditions {
            assert!(template.conditions().contains_key(condition), "{name}: {condition}");
        }
        for condition in template.conditions().keys() {
            assert!(used.conditions.contains(condition), "{name}: nothing uses {condition}");
        }
        for map in &used.maps {
            assert!(template.body["Mappings"][map].is_object(), "{name}: {map}");
        }
        for parameter in &template.parameters {
            assert!(
                used.references.contains(&parameter.key),
                "{name}: nothing uses {}",
                parameter.key
            );
        }
    }
}

#[test]
fn nested_stacks_get_exactly_the_parameters_they_have() {
    for release in &ted().releases {
        let root = &release.template;
        let stacks: Vec<(&String, &Value)> = root
            .resources()
            .iter()
            .filter(|(_, resource)| resource["Type"] == "AWS::CloudFormation::Stack")
            .collect();
        assert_eq!(stacks.len(), root.nested.len());
        for (id, stack) in stacks {
            let child = &root.nested[stack["Properties"]["TemplateURL"].as_str().unwrap()];
            let given: BTreeSet<&str> = stack["Properties"]["Parameters"]
                .as_object()
                .unwrap()
                .keys()
                .map(String::as_str)
                .collect();
            assert_eq!(given, keys(child), "{} {id}", release.name);
            for parameter in &child.parameters {
                let from = stack["Properties"]["Parameters"][&parameter.key]["Ref"]
                    .as_str()
                    .and_then(|key| root.parameter(key));
                assert_eq!(
                    parameter.no_echo,
                    from.is_some_and(|from| from.no_echo),
                    "{} {id}.{}: a secret stays one",
                    release.name,
                    parameter.key
                );
            }
        }
    }
}

#[test]
fn the_cache_gets_to_valkey_as_the_option_says() {
    let group = |upgrade: CacheUpgrade, version: &str| {
        let ted = catalog().ted(upgrade, &Rename::default()).unwrap();
        let nested = &ted.release(version).unwrap().template.nested;
        let cluster = nested
            .iter()
            .find(|(url, _)| url.ends_with("/cache.template.json"))
            .unwrap()
            .1
            .resources()["CacheCluster"]
            .clone();
        (
            cluster["Properties"]["ReplicationGroupId"].to_string().contains("IsValkey"),
            cluster["UpdateReplacePolicy"].as_str().unwrap().to_owned(),
        )
    };
    for (upgrade, version, renamed, policy) in [
        (CacheUpgrade::InPlace, "v1.52.1", false, "Delete"),
        (CacheUpgrade::Replace, "v1.52.1", true, "Delete"),
        (CacheUpgrade::LeaveBehind, "v1.52.1", true, "Retain"),
        (CacheUpgrade::Replace, "v1.44.0", false, "Delete"),
    ] {
        assert_eq!(
            group(upgrade, version),
            (renamed, policy.to_owned()),
            "{} {version}",
            upgrade.as_str()
        );
    }
}

#[test]
fn the_cache_follows_the_database_and_others_follow_the_cache() {
    let ted = ted();
    let root = &ted.release("v1.52.1").unwrap().template;
    let after = |id: &str| -> BTreeSet<String> {
        let mut after = BTreeSet::from([id.to_owned()]);
        loop {
            let more: BTreeSet<String> = root
                .resources()
                .iter()
                .filter(|(_, resource)| {
                    let used = Used::by(resource);
                    used.references
                        .iter()
                        .chain(used.attributes.iter().map(|(id, _)| id))
                        .any(|id| after.contains(id))
                })
                .map(|(id, _)| id.clone())
                .collect();
            if more.is_subset(&after) {
                return after;
            }
            after.extend(more);
        }
    };
    assert!(
        !after("CacheStack").contains("DatabaseStack")
            && after("DatabaseStack").contains("CacheStack"),
        "a database that refuses its change leaves the cache as it was, as the guide's failures do"
    );
    assert!(
        after("CacheStack").is_superset(
            &["MonitoringStack", "SettingsStack", "HiveVersionParameter"].map(str::to_owned).into()
        ),
        "something is past the door"
    );
}

#[test]
fn te_has_three_workers_and_others_that_look_alike() {
    let triggers = |template: &Template| -> BTreeMap<String, String> {
        let resources = template.resources();
        let mappings = resources
            .values()
            .filter(|resource| resource["Type"] == "AWS::Lambda::EventSourceMapping");
        let named = |id: &Value, property: &str| {
            resources[id.as_str().unwrap()]["Properties"][property]["Fn::Sub"]
                .as_str()
                .unwrap()
                .replace("${ResourceNamePrefix}", "turbot")
        };
        mappings
            .map(|mapping| {
                (
                    named(&mapping["Properties"]["FunctionName"]["Ref"], "FunctionName"),
                    named(&mapping["Properties"]["EventSourceArn"]["Fn::GetAtt"][0], "QueueName"),
                )
            })
            .collect()
    };
    let te = triggers(&catalog().te("5.39.12").unwrap());
    let names: Vec<&String> = te.keys().collect();
    assert_eq!(
        names,
        [
            "turbot_5_39_12_worker",
            "turbot_5_39_12_worker_priority",
            "turbot_5_39_12_worker_retry",
            "turbot_5_39_12_workflow"
        ]
    );
    assert!(
        te.iter().all(|(function, queue)| function == queue),
        "each has a queue of its own: {te:?}"
    );
    assert_eq!(
        triggers(&catalog().te("5.47.0-beta.16").unwrap()).keys().next().unwrap(),
        "turbot_5_47_0_beta_16_worker"
    );
    assert!(triggers(&catalog().mods().unwrap()).contains_key("turbot_mod_job_worker"));
    assert!(catalog().te("five").is_err());
    let extra = catalog().extra_functions("111122223333", "turbot", 1500).unwrap();
    assert_eq!(
        extra
            .iter()
            .map(|function| function["FunctionName"].as_str().unwrap())
            .collect::<BTreeSet<_>>()
            .len(),
        1500
    );
    let workspace = catalog().workspace().unwrap();
    assert!(
        ["Name", "Hive", "Version"].iter().all(|key| workspace
            .parameter(key)
            .is_some_and(|parameter| parameter.default.is_none()))
    );
}
