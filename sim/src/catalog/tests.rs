//! What the data promise.

mod installed;
mod refused;
mod versions;
mod whole;

use super::*;
use std::collections::BTreeSet;

const HIVE: Install<'static> = Install { hive: "einstein", prefix: "turbot", region: "us-east-2" };

fn catalog() -> &'static Catalog {
    Catalog::get().unwrap()
}

fn ted() -> Arc<Ted> {
    catalog().ted(CacheUpgrade::InPlace, &Rename::default()).unwrap()
}

fn keys(template: &Template) -> BTreeSet<&str> {
    template.parameters.iter().map(|parameter| parameter.key.as_str()).collect()
}

fn label(template: &Template, key: &str) -> Option<String> {
    let interface = &template.metadata.as_ref()?["AWS::CloudFormation::Interface"];
    Some(interface["ParameterLabels"][key]["default"].as_str()?.to_owned())
}
