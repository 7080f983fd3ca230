//! What the versions of TED have, and what changes between them.

use super::*;
use crate::services::cloudformation::template::Parameter;
use crate::spec::matches;

#[test]
fn the_versions_cover_what_a_controller_has_to_tell_apart() {
    let ted = ted();
    assert!(ted.releases.len() >= 8);
    let offered = ted.releases.iter().filter(|release| release.active);
    let newest = offered.max_by(|a, b| a.version.cmp(&b.version)).unwrap();
    assert_eq!(newest.name, "v1.52.1", "no newer one is active, and no pre-release");
    let row = |name: &str| ted.release(name).unwrap();
    assert_eq!(
        row("v1.44.0").description,
        "Turbot Guardrails Enterprise Database v1.44.0 [Build #20240813120826859]"
    );
    assert_eq!(row("v1.48.0").guidance, "DEPRECATED");
    assert!(!row("v1.53.0").active && row("v1.53.0").version > row("v1.52.1").version);
    assert!(
        row("v1.53.0-beta.2").version > row("v1.52.1").version
            && row("v1.53.0-beta.2").version < row("v1.53.0").version
    );
    let by_version: Vec<&Version> = ted.releases.iter().map(|release| &release.version).collect();
    assert!(
        !by_version.is_sorted() && !by_version.iter().rev().is_sorted(),
        "listed in no useful order"
    );
    for (older, newer) in ted.releases.iter().flat_map(|a| ted.releases.iter().map(move |b| (a, b)))
    {
        assert!(
            older.version >= newer.version
                || older.created < newer.created
                || !older.version.pre.is_empty()
                || !newer.version.pre.is_empty(),
            "{} {}",
            older.name,
            newer.name
        );
    }
}

#[test]
fn the_certain_keys_are_there_in_every_version() {
    for release in &ted().releases {
        for key in [
            "AddHiveBucketPolicy",
            "AllocatedIops",
            "AllocatedStorage",
            "AllowMajorVersionUpgrade",
            "AuditTrailLogGroupNameFormat",
            "MaxAllocatedStorage",
            "HiveName",
            "PrimaryRegion",
            "ResourceNamePrefix",
            "MaxConnections",
            "ParameterDeploymentTrigger",
        ] {
            assert!(release.template.parameter(key).is_some(), "{} {key}", release.name);
        }
        let count = release.template.parameters.len();
        assert!((65..=80).contains(&count), "{} has {count} parameters: about 70", release.name);
        let outputs = release.template.outputs();
        assert!(
            ["HivePrimaryEndpointAddress", "HivePrimaryInstance", "ReleaseVersion"]
                .iter()
                .all(|output| outputs.contains_key(*output))
        );
        assert!(outputs.len() > 20, "a record shows 20 outputs a page");
        assert_eq!(outputs["ReleaseVersion"]["Value"], release.version.to_string());
    }
}

#[test]
fn labels_of_the_cache_are_those_of_the_console() {
    let ted = ted();
    let old = &ted.release("v1.44.0").unwrap().template;
    let new = &ted.release("v1.52.1").unwrap().template;
    for (key, expected, values) in [
        ("ElastiCache", "ElastiCache", "true,false"),
        ("ElastiCacheEngine", "ElastiCache Engine", "redis,valkey"),
        ("ElastiCacheVersion", "ElastiCache Version", "6.2,7.0,7.1"),
        ("ValkeyCacheVersion", "Valkey Cache Version", "7.2,8.0,8.1"),
        ("CacheAuthMode", "Cache Authentication Mode", "Redis Password,IAM,Redis Password & IAM"),
        ("CacheNumberOfNodes", "Cache Number Of Nodes", ""),
        ("CacheMultiAZ", "Enable Multi-AZ", "true,false"),
    ] {
        assert_eq!(label(new, key).as_deref(), Some(expected));
        assert_eq!(new.parameter(key).unwrap().allowed_values.join(","), values, "{key}");
    }
    assert_eq!(label(new, "CacheNodeType").as_deref(), Some("Cache Node Type"));
    let unlabelled =
        new.parameters.iter().filter(|parameter| label(new, &parameter.key).is_none()).count();
    assert!(unlabelled >= 5, "not every parameter is labelled");
    let groups = |template: &Template| -> Vec<(String, Vec<String>)> {
        serde_json::from_value::<Vec<Value>>(template.metadata.as_ref().unwrap()["AWS::CloudFormation::Interface"]["ParameterGroups"].clone()).unwrap().iter().map(|group| (group["Label"]["default"].as_str().unwrap().to_owned(), serde_json::from_value(group["Parameters"].clone()).unwrap())).collect()
    };
    let cache = |template: &Template| {
        groups(template).into_iter().find(|(label, _)| label == "Cache").unwrap().1
    };
    assert_eq!(
        cache(new)[..4],
        ["ElastiCache", "ElastiCacheEngine", "ElastiCacheVersion", "ValkeyCacheVersion"]
    );
    assert_eq!(cache(old)[..2], ["ElastiCache", "ElastiCacheVersion"]);
    assert!(
        groups(new).iter().any(|(label, _)| label == "PgBouncer")
            && !groups(old).iter().any(|(label, _)| label == "PgBouncer")
    );
}

#[test]
fn groups_and_install_name_parameters_of_some_version() {
    let file = &catalog().ted;
    let parameters = file.root["Parameters"].as_object().unwrap();
    for group in file.root["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
        .as_array()
        .unwrap()
    {
        for key in group["Parameters"].as_array().unwrap() {
            assert!(parameters.contains_key(key.as_str().unwrap()), "{key}");
        }
    }
    for key in file.install.keys() {
        assert!(parameters.contains_key(key), "{key}");
    }
}

#[test]
fn between_versions_changes_exactly_what_the_data_says() {
    let ted = ted();
    let difference = |from: &str, to: &str| {
        let (from, to) = (&ted.release(from).unwrap().template, &ted.release(to).unwrap().template);
        let added: Vec<&str> = keys(to).difference(&keys(from)).copied().collect();
        let removed: Vec<&str> = keys(from).difference(&keys(to)).copied().collect();
        let changed: Vec<&str> = from
            .parameters
            .iter()
            .filter(|before| to.parameter(&before.key).is_some_and(|after| after != *before))
            .map(|parameter| parameter.key.as_str())
            .collect();
        format!("+ {} - {} ~ {}", added.join(" "), removed.join(" "), changed.join(" "))
    };
    for (from, to, expected) in [
        ("v1.36.0", "v1.39.2", "+  -  ~ StorageType"),
        ("v1.39.2", "v1.44.0", "+  -  ~ DBEngineVersion DBInstanceClass ElastiCacheVersion"),
        ("v1.44.0", "v1.48.0", "+  -  ~ AutovacuumMaxWorkers BackupRetentionPeriod"),
        (
            "v1.48.0",
            "v1.50.0",
            "+ ElastiCacheEngine PgBouncer PgBouncerDefaultPoolSize PgBouncerMaxClientConnections PgBouncerPoolMode PgBouncerPort PgBouncerTaskCount ValkeyCacheVersion - DatabaseStatementLogging ~ ElastiCacheVersion",
        ),
        (
            "v1.44.0",
            "v1.50.0",
            "+ ElastiCacheEngine PgBouncer PgBouncerDefaultPoolSize PgBouncerMaxClientConnections PgBouncerPoolMode PgBouncerPort PgBouncerTaskCount ValkeyCacheVersion - DatabaseStatementLogging ~ AutovacuumMaxWorkers BackupRetentionPeriod ElastiCacheVersion",
        ),
        ("v1.50.0", "v1.51.0", "+  -  ~ CacheNodeType DBInstanceClass"),
        (
            "v1.50.0",
            "v1.52.1",
            "+ DatabaseInsightsMode -  ~ CacheNodeType DBInstanceClass PgBouncerTaskCount ValkeyCacheVersion",
        ),
        ("v1.52.0", "v1.52.1", "+  -  ~ "),
        ("v1.52.1", "v1.53.0-beta.2", "+  -  ~ "),
        ("v1.52.1", "v1.53.0", "+ ReportingRetentionDays -  ~ ValkeyCacheVersion"),
    ] {
        assert_eq!(difference(from, to), expected, "{from} to {to}");
    }
    let offered = |version: &str| {
        ted.release(version)
            .unwrap()
            .template
            .parameter("ValkeyCacheVersion")
            .unwrap()
            .allowed_values
            .contains(&"8.1".to_owned())
    };
    assert!(!offered("v1.51.0") && offered("v1.52.0"), "Valkey 8.1 from v1.52 on");
    assert_eq!(
        ted.release("v1.53.0")
            .unwrap()
            .template
            .parameter("ReportingRetentionDays")
            .unwrap()
            .default,
        None
    );
}

#[test]
fn secrets_are_flagged_and_one_pattern_needs_look_around() {
    for release in &ted().releases {
        let secret: Vec<&str> = release
            .template
            .parameters
            .iter()
            .filter(|parameter| parameter.no_echo)
            .map(|parameter| parameter.key.as_str())
            .collect();
        assert_eq!(secret, ["CachePassword", "MasterPassword"]);
        let kinds: BTreeSet<&str> =
            release.template.parameters.iter().map(|parameter| parameter.kind.as_str()).collect();
        for kind in ["String", "Number", "CommaDelimitedList", "AWS::SSM::Parameter::Value<String>"]
        {
            assert!(kinds.contains(kind), "{kind}");
        }
        let database = release.template.parameter("DatabaseName").unwrap();
        assert!(database.allowed_pattern.as_deref().unwrap().contains("(?!"));
        assert_eq!(
            release.template.parameter("AlarmEmail").unwrap().default.as_deref(),
            Some(""),
            "an empty default is one"
        );
        assert_eq!(release.template.parameter("HiveName").unwrap().default, None);
        assert_eq!(
            release.template.parameter("HiveName").unwrap().allowed_pattern.as_deref(),
            Some("^[a-z][a-z0-9_-]*[a-z0-9]$")
        );
    }
}

/// The constraint that `value` breaks.
fn broken(parameter: &Parameter, value: &str) -> Option<&'static str> {
    let limit = |text: &Option<String>| text.as_ref().map(|text| text.parse::<f64>().unwrap());
    let number = (parameter.kind == "Number").then(|| value.parse::<f64>());
    match number {
        Some(Err(_)) => return Some("number"),
        Some(Ok(number))
            if limit(&parameter.min_value).is_some_and(|min| number < min)
                || limit(&parameter.max_value).is_some_and(|max| number > max) =>
        {
            return Some("range");
        }
        _ => {}
    }
    let length = f64::from(u32::try_from(value.len()).unwrap());
    if limit(&parameter.min_length).is_some_and(|min| length < min)
        || limit(&parameter.max_length).is_some_and(|max| length > max)
    {
        return Some("length");
    }
    if !parameter.allowed_values.is_empty()
        && !parameter.allowed_values.iter().any(|allowed| allowed == value)
    {
        return Some("allowed values");
    }
    parameter.allowed_pattern.as_ref().filter(|pattern| !matches(pattern, value)).map(|_| "pattern")
}

#[test]
fn defaults_and_install_parameters_keep_every_constraint() {
    for release in &ted().releases {
        let chosen = ted().install_parameters(release, HIVE);
        for parameter in &release.template.parameters {
            let value = chosen
                .get(&parameter.key)
                .or(parameter.default.as_ref())
                .unwrap_or_else(|| panic!("{} {} has no value", release.name, parameter.key));
            for value in parameter.default.iter().chain([value]) {
                assert_eq!(
                    broken(parameter, value),
                    None,
                    "{} {}: {value}",
                    release.name,
                    parameter.key
                );
            }
        }
        assert_eq!(
            (chosen["HiveName"].as_str(), chosen["PrimaryRegion"].as_str()),
            ("einstein", "us-east-2")
        );
        assert!(
            chosen
                .iter()
                .filter(|(key, value)| release
                    .template
                    .parameter(key)
                    .unwrap()
                    .default
                    .as_ref()
                    .is_some_and(|default| default != *value))
                .count()
                >= 5,
            "the operator chose something"
        );
    }
}

#[test]
fn ssm_parameters_of_ted_are_published_by_tef() {
    let published = published(&catalog().tef("1.60.0").unwrap());
    for release in &ted().releases {
        let ssm = release
            .template
            .parameters
            .iter()
            .filter(|parameter| parameter.kind.starts_with("AWS::SSM::"));
        for parameter in ssm {
            assert!(
                published.contains_key(parameter.default.as_ref().unwrap()),
                "{}",
                parameter.key
            );
        }
    }
    assert_eq!(published["/turbot/tef/vpc_cidr"], "10.20.0.0/16");
    assert!(published["/turbot/tef/cache_subnet_ids"].contains(",subnet-"));
}

#[test]
fn the_families_of_all_offered_cache_versions_are_known() {
    for release in &ted().releases {
        let cache = release
            .template
            .nested
            .iter()
            .find(|(url, _)| url.ends_with("/cache.template.json"))
            .unwrap()
            .1;
        for (key, map) in
            [("ElastiCacheVersion", "RedisFamily"), ("ValkeyCacheVersion", "ValkeyFamily")]
        {
            for version in release
                .template
                .parameter(key)
                .into_iter()
                .flat_map(|parameter| &parameter.allowed_values)
            {
                assert!(
                    cache.body["Mappings"][map][version]["Name"].is_string(),
                    "{} {key} {version}",
                    release.name
                );
            }
        }
    }
}

#[test]
fn equal_worlds_share_their_templates() {
    let again = catalog().ted(CacheUpgrade::InPlace, &Rename::default()).unwrap();
    assert!(Arc::ptr_eq(&ted(), &again));
}
