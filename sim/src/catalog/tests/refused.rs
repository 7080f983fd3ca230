//! Worlds that call things otherwise, and data that are wrong.

use super::whole::Used;
use super::*;

#[test]
fn a_renamed_world_has_none_of_the_old_keys() {
    let every: Vec<String> =
        catalog().ted.root["Parameters"].as_object().unwrap().keys().cloned().collect();
    let rename = Rename {
        keys: every.iter().map(|key| (key.clone(), format!("P{}", key.to_lowercase()))).collect(),
        labels: BTreeMap::from([
            ("ElastiCache Engine".to_owned(), "Cache Engine".to_owned()),
            ("Enable Multi-AZ".to_owned(), String::new()),
        ]),
    };
    let renamed = catalog().ted(CacheUpgrade::InPlace, &rename).unwrap();
    for (release, plain) in renamed.releases.iter().zip(&ted().releases) {
        let template = &release.template;
        assert_eq!(template.parameters.len(), plain.template.parameters.len());
        let used = Used::by(&template.body);
        let interface = &template.metadata.as_ref().unwrap()["AWS::CloudFormation::Interface"];
        let shown: BTreeSet<String> = interface["ParameterGroups"]
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|group| group["Parameters"].as_array().unwrap())
            .map(|key| key.as_str().unwrap().to_owned())
            .collect();
        for old in &every {
            assert!(
                template.parameter(old).is_none()
                    && !used.references.contains(old)
                    && interface["ParameterLabels"].get(old).is_none()
                    && !shown.contains(old),
                "{} {old}",
                release.name
            );
        }
        for key in used.references.iter().filter(|key| {
            key.starts_with('P')
                && every.iter().any(|old| format!("P{}", old.to_lowercase()) == **key)
        }) {
            assert!(template.parameter(key).is_some(), "{} {key}", release.name);
        }
        assert_eq!(template.nested, plain.template.nested, "nested templates keep their own names");
        assert_eq!(label(template, "Pcachemultiaz"), None);
        let chosen = renamed.install_parameters(release, HIVE);
        assert_eq!(chosen["Phivename"], "einstein");
        assert_eq!(chosen.len(), ted().install_parameters(plain, HIVE).len());
    }
    assert_eq!(
        label(&renamed.release("v1.50.0").unwrap().template, "Pelasticacheengine").as_deref(),
        Some("Cache Engine")
    );
}

#[test]
fn a_rename_that_cannot_be_is_refused() {
    let one = |keys: &[(&str, &str)], labels: &[(&str, &str)]| {
        let map = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(old, new)| ((*old).to_owned(), (*new).to_owned())).collect()
        };
        catalog()
            .ted(CacheUpgrade::InPlace, &Rename { keys: map(keys), labels: map(labels) })
            .unwrap_err()
    };
    for (error, expected, why) in [
        (
            one(&[("Elasticache", "Cache")], &[]),
            "no version of TED has a parameter `Elasticache`",
            "a key that is none",
        ),
        (
            one(&[("ElastiCache", "HiveName")], &[]),
            "two parameters would be called `HiveName`",
            "a key in use",
        ),
        (
            one(&[("ElastiCache", "CacheStack")], &[]),
            "a resource is called `CacheStack`",
            "a resource's name",
        ),
        (one(&[("ElastiCache", "Use-Cache")], &[]), "letters and digits only", "no key at all"),
        (
            one(&[], &[("Elasticache", "Cache")]),
            "no version of TED has a parameter labelled `Elasticache`",
            "a label that is none",
        ),
    ] {
        assert!(error.contains(expected), "{why}: {error}");
    }
}

#[test]
fn wrong_data_is_refused_with_file_and_place() {
    let ted = SOURCES.ted;
    let with = |old: &str, new: &str| {
        assert!(ted.contains(old), "{old}");
        let text = ted.replacen(old, new, 1);
        let catalog = Catalog::read(&Sources { ted: &text, ..SOURCES });
        catalog
            .and_then(|catalog| catalog.ted(CacheUpgrade::InPlace, &Rename::default()).map(drop))
            .unwrap_err()
    };
    for (old, new, expected, why) in [
        ("  name: Turbot", "  name: [Turbot", "ted.yaml: ", "no YAML: line and column"),
        (
            "Default: \"7.0\"",
            "Default: 7.0",
            "ted.yaml: root.Parameters.ElastiCacheVersion.Default: 7.0 must be quoted",
            "a number that loses its spelling",
        ),
        (
            "x-since: 1.50.0\n      x-label: ElastiCache Engine",
            "x-since: v1\n      x-label: ElastiCache Engine",
            "ted.yaml: root.Parameters.ElastiCacheEngine.x-since: `v1` is no version",
            "an annotation that is none",
        ),
        (
            "x-label: Hive Name",
            "x-lable: Hive Name",
            "root.Parameters.HiveName.x-lable: is no annotation",
            "a typing error",
        ),
        (
            "cacheUpgrade: leave-behind",
            "cacheUpgrad: leave-behind",
            "nested.cache.Resources.CacheCluster.UpdateReplacePolicy.x-first.0.x-when.cacheUpgrad: is no option",
            "an unknown option",
        ),
        (
            "!Equals [!Ref ElastiCache, \"true\"]",
            "!Equal [!Ref ElastiCache, \"true\"]",
            "root.Conditions.UseCache: `!Equal` is no function",
            "an unknown function",
        ),
        (
            "{{templates}}/cache.template.json",
            "{{templates}}/cash.template.json",
            "root.Resources.CacheStack: TemplateURL",
            "a template that is missing",
        ),
        (
            "{{templates}}/cache.template.json",
            "{{template}}/cache.template.json",
            "TemplateURL: `{{template}}` is no placeholder",
            "an unknown placeholder",
        ),
        ("name: v1.48.0", "name: latest", "`latest` is no version", "a version that is none"),
        (
            "guidance: DEPRECATED",
            "guidanc: DEPRECATED",
            "ted.yaml: unknown field `guidanc`",
            "an unknown member",
        ),
        (
            "    PrimaryRegion:\n      Type: String",
            "    PrimaryRegion:\n      Kind: String",
            "parameter PrimaryRegion: Type is missing",
            "a parameter without a type",
        ),
    ] {
        let error = with(old, new);
        assert!(error.contains(expected), "{why}: {error}");
    }
}
