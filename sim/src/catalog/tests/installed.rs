//! What the stack engine makes of the templates.

use super::*;
use crate::options::Options;
use crate::services::cloudformation::{
    Existing, Given, Update, materialize, parameter_keys, see, start_update, view,
};
use crate::services::iam::Principal;
use crate::world::{Scope, World};
use serde_json::json;
use std::time::Duration;

const ROOT: &str = "SC-111122223333-pp-senyqa2ncjkws";

/// A world in which `release` of `ted` is installed.
struct Installed {
    world: World,
    scope: Scope,
    caller: Principal,
}

impl Installed {
    fn new(ted: &Ted, release: &str, more: &[(&str, &str)]) -> Self {
        let mut world = World::new(
            SimTime::from_millis(0) + Duration::from_hours(24),
            "catalog",
            Options::default(),
        );
        let scope = Scope::new("111122223333", "us-east-2");
        world.region_mut(&scope).parameters.extend(published(&catalog().tef("1.60.0").unwrap()));
        let release = ted.release(release).unwrap();
        let mut parameters = ted.install_parameters(release, HIVE);
        parameters.extend(more.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
        let existing = Existing {
            name: ROOT.to_owned(),
            template: Arc::clone(&release.template),
            parameters,
            role_arn: None,
            tags: BTreeMap::new(),
            created: SimTime::from_millis(0),
            updated: None,
        };
        let caller = Principal::of_role("arn:aws:iam::111122223333:role/launch", "test").unwrap();
        materialize(&mut world, &scope, &caller, existing).unwrap();
        Self { world, scope, caller }
    }

    /// Updates to `release` and waits; what is not in `changes` keeps its value. Answers the status of the root.
    fn update(&mut self, ted: &Ted, release: &str, changes: &[(&str, &str)]) -> String {
        let template = Arc::clone(&ted.release(release).unwrap().template);
        let has = parameter_keys(self.world.region(&self.scope), ROOT);
        let mut parameters: BTreeMap<String, Given> = has
            .into_iter()
            .filter(|key| template.parameter(key).is_some())
            .map(|key| (key, Given::Previous))
            .collect();
        parameters.extend(
            changes
                .iter()
                .map(|(key, value)| ((*key).to_owned(), Given::Value((*value).to_owned()))),
        );
        let update = Update {
            stack_name: ROOT.to_owned(),
            template,
            parameters,
            role_arn: None,
            client_token: None,
        };
        start_update(&mut self.world, &self.scope, &self.caller, update).unwrap();
        let later = self.world.now() + Duration::from_hours(24);
        self.world.advance_to(later);
        see(self.world.region(&self.scope), ROOT).unwrap().status
    }

    fn stacks(&self) -> serde_json::Map<String, Value> {
        view(&self.world.region(&self.scope).cloudformation).as_object().unwrap().clone()
    }

    /// Resources of the root, and of all stacks.
    fn resources(&self) -> (usize, usize) {
        let stacks = self.stacks();
        let count = |stack: &Value| stack["resources"].as_object().unwrap().len();
        (count(&stacks[ROOT]), stacks.values().map(count).sum())
    }

    fn physical(&self, id: &str) -> String {
        self.stacks()
            .values()
            .find_map(|stack| Some(stack["resources"].get(id)?["physicalId"].as_str()?.to_owned()))
            .unwrap()
    }

    fn output(&self, key: &str) -> Option<String> {
        see(self.world.region(&self.scope), ROOT)
            .unwrap()
            .outputs
            .into_iter()
            .find(|(output, _, _)| output == key)
            .map(|(_, value, _)| value)
    }
}

#[test]
fn an_installation_has_as_many_resources_as_in_the_field() {
    let ted = ted();
    for release in &ted.releases {
        let installed = Installed::new(&ted, &release.name, &[]);
        let (root, all) = installed.resources();
        assert_eq!(root, 27, "{}: resources at the root", release.name);
        assert!((87..=90).contains(&all), "{}: {all} resources", release.name);
        assert!(
            (11..=18).contains(&installed.stacks().len()),
            "{}: 10 or more stacks below the root",
            release.name
        );
        assert_eq!(installed.output("ReleaseVersion"), Some(release.version.to_string()));
    }
}

#[test]
fn names_come_from_prefix_and_hive_with_hyphens_for_underscores() {
    let installed = Installed::new(
        &ted(),
        "v1.44.0",
        &[("HiveName", "new_ton_1"), ("ResourceNamePrefix", "tb")],
    );
    assert_eq!(installed.physical("HiveBucket"), "tb-new-ton-1-111122223333-us-east-2");
    assert_eq!(installed.physical("AuditTrailLogGroup"), "/turbot/hive/new_ton_1/audit");
    let stacks = installed.stacks();
    let database =
        stacks.values().find(|stack| stack["resources"].get("HivePrimary").is_some()).unwrap();
    assert_eq!(database["parameters"]["InstanceIdentifier"], "tb-new-ton-1");
    let cache =
        stacks.values().find(|stack| stack["resources"].get("CacheCluster").is_some()).unwrap();
    assert_eq!(
        (&cache["parameters"]["ResourceNamePrefix"], &cache["parameters"]["HiveSlug"]),
        (&json!("tb"), &json!("new-ton-1"))
    );
}

#[test]
fn a_migration_to_valkey_runs_through_in_every_variant() {
    for upgrade in CacheUpgrade::ALL {
        let ted = catalog().ted(*upgrade, &Rename::default()).unwrap();
        let mut installed = Installed::new(&ted, "v1.44.0", &[]);
        let status = installed.update(
            &ted,
            "v1.52.1",
            &[("ElastiCacheEngine", "valkey"), ("ValkeyCacheVersion", "8.0")],
        );
        assert_eq!(status, "UPDATE_COMPLETE", "{}", upgrade.as_str());
        let cache = match upgrade {
            CacheUpgrade::InPlace => "turbot-einstein-cache-cluster",
            CacheUpgrade::Replace | CacheUpgrade::LeaveBehind => "turbot-einstein-cache-valkey",
        };
        assert_eq!(installed.physical("CacheCluster"), cache, "{}", upgrade.as_str());
        assert_eq!(installed.output("ReleaseVersion").as_deref(), Some("1.52.1"));
        assert_eq!(
            installed.resources(),
            Installed::new(&ted, "v1.52.1", &[]).resources(),
            "{}: what the version dropped is gone",
            upgrade.as_str()
        );
    }
}

#[test]
fn every_switch_of_the_template_makes_a_valid_installation() {
    let ted = ted();
    for (parameters, why) in [
        (vec![("ElastiCache", "false")], "no cache at all"),
        (vec![("ElastiCacheEngine", "valkey"), ("ValkeyCacheVersion", "8.1")], "Valkey"),
        (
            vec![
                ("CacheAuthMode", "IAM"),
                ("AccessControlOption", "User Group Access Control List"),
            ],
            "user groups",
        ),
        (vec![("CacheAuthMode", "Redis Password & IAM")], "password and IAM"),
        (vec![("CreateReadReplica", "true")], "a read replica"),
        (vec![("PgBouncer", "true")], "PgBouncer"),
        (
            vec![
                ("AllocatedStorage", "400"),
                ("AllocatedIops", "12000"),
                ("StorageThroughput", "500"),
            ],
            "large gp3 storage",
        ),
        (
            vec![
                ("MaxAllocatedStorage", "0"),
                ("EnhancedMonitoringInterval", "0"),
                ("PerformanceInsights", "false"),
            ],
            "everything off",
        ),
        (
            vec![
                ("KmsKeyArn", "arn:aws:kms:us-east-2:111122223333:key/k"),
                ("AddHiveBucketPolicy", "false"),
                ("AlarmEmail", ""),
            ],
            "a given key",
        ),
    ] {
        let (_, all) = Installed::new(&ted, "v1.52.1", &parameters).resources();
        assert!(all > 70, "{why}: {all}");
    }
}
