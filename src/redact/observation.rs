//! An observation without secrets, that can be replayed all the same.
//!
//! What is withheld is marked, and an assessment takes the mark for what it is: a value that is not known ([`WITHHELD`]). So a replay
//! never shows a difference that is only the mark's.

use super::{REDACTED, Redactor, WITHHELD, is_mark, is_secret_name, shape};
use crate::observe::observation::{
    DeepDrift, Observation, Parameter, Record, Seen, StackParameter, Triggers,
};
use std::collections::{BTreeMap, BTreeSet};

/// What the keys of our own tags begin with; their values are ours to show.
const HOLD_PREFIX: &str = "ted-controller:hold:";

/// What is done with the value of a parameter.
enum Fate {
    Kept,
    /// `NoEcho`: shown as AWS shows it.
    Masked,
    Withheld,
}

impl Redactor {
    /// Learns what an observation holds that is secret or may be.
    pub fn learn_observation(&mut self, seen: &Observation) {
        let names = names(seen);
        if let Seen::Present(root) = &seen.root {
            for (key, parameter) in &root.parameters {
                if matches!(fate(seen, key, parameter, &names), Fate::Kept) {
                    continue;
                }
                self.keys.insert(key.clone());
                let values = [Some(&parameter.value), parameter.resolved.as_ref()];
                for value in values.into_iter().flatten() {
                    self.learn(value);
                }
            }
            self.learn_values(&root.outputs, &names);
        }
        for record in [&seen.last_record, &seen.last_success] {
            if let Seen::Present(record) = record {
                self.learn_values(&record.outputs, &names);
            }
        }
        for trigger in seen.triggers.present().into_iter().flat_map(|found| &found.mappings) {
            for (key, value) in trigger.tags.iter().flatten() {
                if !is_own_tag(key) && is_to_hide(key, value, &names) {
                    self.learn(value);
                }
            }
        }
        for drift in seen.deep_drift.present().into_iter().flat_map(|deep| &deep.drifts) {
            for (path, expected, actual) in &drift.differences {
                if is_secret_name(path) {
                    self.learn(expected);
                    self.learn(actual);
                }
            }
        }
    }

    /// Learns the values of a document's parameters that an observation does not show to be harmless.
    pub fn learn_parameters<'a>(
        &mut self,
        parameters: impl Iterator<Item = (&'a str, &'a str)>,
        seen: &Observation,
    ) {
        let names = names(seen);
        for (key, value) in parameters {
            let template = template(seen, key);
            let secret = is_secret_name(key) || template.is_some_and(|found| found.no_echo);
            if secret || !shape::is_harmless(value, template, &names) {
                self.keys.insert(key.to_owned());
                self.learn(value);
            }
        }
    }

    fn learn_values(&mut self, values: &BTreeMap<String, String>, names: &BTreeSet<String>) {
        for (key, value) in values {
            if is_to_hide(key, value, names) {
                self.learn(value);
            }
        }
    }

    /// An observation without secrets. What it holds should have been learned before.
    #[must_use]
    pub fn observation(&self, seen: &Observation) -> Observation {
        let names = names(seen);
        let mut copy = seen.clone();
        if let Seen::Present(root) = &mut copy.root {
            for (key, parameter) in &mut root.parameters {
                let value = match fate(seen, key, parameter, &names) {
                    Fate::Kept => continue,
                    Fate::Masked => "****",
                    Fate::Withheld => WITHHELD,
                };
                *parameter = StackParameter { value: value.to_owned(), resolved: None };
            }
            hide(&mut root.outputs, &names);
        }
        for record in [&mut copy.last_record, &mut copy.last_success] {
            if let Seen::Present(Record { outputs, .. }) = record {
                hide(outputs, &names);
            }
        }
        if let Seen::Present(Triggers { mappings, .. }) = &mut copy.triggers {
            for tags in mappings.iter_mut().filter_map(|trigger| trigger.tags.as_mut()) {
                for (key, value) in tags.iter_mut().filter(|(key, _)| !is_own_tag(key)) {
                    if is_to_hide(key, value, &names) {
                        WITHHELD.clone_into(value);
                    }
                }
            }
        }
        if let Seen::Present(DeepDrift { drifts, .. }) = &mut copy.deep_drift {
            let differences = drifts.iter_mut().flat_map(|drift| &mut drift.differences);
            for (_, expected, actual) in differences.filter(|(path, ..)| is_secret_name(path)) {
                WITHHELD.clone_into(expected);
                WITHHELD.clone_into(actual);
            }
        }
        self.through_texts(&copy)
    }

    /// Takes secrets out of every text, whichever field it is in.
    fn through_texts(&self, seen: &Observation) -> Observation {
        let mut tree = serde_json::to_value(seen).unwrap_or_default();
        self.texts(&mut tree);
        // Only texts changed, so the shape is still that of an observation; keys of maps are texts, too.
        serde_json::from_value(tree)
            .unwrap_or_else(|_| Observation::nothing(seen.now, &seen.region))
    }
}

fn is_own_tag(key: &str) -> bool {
    key.starts_with(HOLD_PREFIX)
}

fn is_to_hide(key: &str, value: &str, names: &BTreeSet<String>) -> bool {
    !is_mark(value) && (is_secret_name(key) || !shape::is_harmless(value, None, names))
}

fn hide(values: &mut BTreeMap<String, String>, names: &BTreeSet<String>) {
    for (key, value) in values {
        if is_to_hide(key, value, names) {
            let mark = if is_secret_name(key) { REDACTED } else { WITHHELD };
            mark.clone_into(value);
        }
    }
}

/// What a template says of a parameter: the running one's, else that of the version to have.
fn template<'a>(seen: &'a Observation, key: &str) -> Option<&'a Parameter> {
    let running = seen.template.present().map_or(&[][..], |template| &template.parameters);
    let offered = seen.target.present().and_then(|offer| offer.parameters.present());
    running.iter().chain(offered.into_iter().flatten()).find(|parameter| parameter.key == key)
}

fn fate(
    seen: &Observation,
    key: &str,
    parameter: &StackParameter,
    names: &BTreeSet<String>,
) -> Fate {
    let template = template(seen, key);
    if template.is_some_and(|template| template.no_echo) {
        return Fate::Masked;
    }
    let values = [Some(&parameter.value), parameter.resolved.as_ref()];
    let harmless = values
        .into_iter()
        .flatten()
        .all(|value| is_mark(value) || shape::is_harmless(value, template, names));
    if harmless && !is_secret_name(key) { Fate::Kept } else { Fate::Withheld }
}

/// What things of this installation are called: a parameter that says so gives nothing away.
fn names(seen: &Observation) -> BTreeSet<String> {
    let mut names = BTreeSet::from([seen.region.clone()]);
    for product in seen.products.present().into_iter().flatten() {
        names.extend([product.id.clone(), product.name.clone()]);
        // `ted-einstein` is the TED of the hive `einstein`.
        names.extend(product.name.split_once('-').map(|(_, hive)| hive.to_owned()));
        names.extend(product.product_name.clone());
    }
    for relative in seen.relatives.present().into_iter().flatten() {
        names.insert(relative.name.clone());
        names.extend(relative.workspace.clone());
        names.extend(relative.te_version.clone());
    }
    if let Seen::Present(database) = &seen.database {
        names.insert(database.id.clone());
        // `<prefix>-<hive>`; a hive's underscores became hyphens.
        if let Some((prefix, hive)) = database.id.split_once('-') {
            names.extend([prefix.to_owned(), hive.to_owned(), hive.replace('-', "_")]);
        }
    }
    names.extend(seen.replica.present().map(|replica| replica.id.clone()));
    for cache in seen.caches.present().into_iter().flatten() {
        names.insert(cache.id.clone());
        names.extend(cache.nodes.iter().map(|node| node.id.clone()));
    }
    for stack in seen.nested.present().into_iter().flatten() {
        names.extend([stack.name.clone(), stack.logical_id.clone()]);
        // Groups and the like, whose names are outputs, too.
        names.extend(stack.resources.iter().map(|resource| resource.physical_id.clone()));
    }
    if let Seen::Present(root) = &seen.root {
        names.insert(root.name.clone());
    }
    if let Seen::Present(caller) = &seen.caller {
        names.insert(caller.account.clone());
    }
    names
}
