//! The parameters of an update: every parameter of the target version, each by value, by its previous value or by its default.
//!
//! The target version decides the list; "use the previous value" is for what the running stack has. Left out means "back to the
//! default" to CloudFormation, so nothing is left out but what is new. `NoEcho` values never travel. What stands in the way is not
//! an error but an [`Obstacle`], which the gate `parameters-known` shows.

use super::facts::{Effective, Facts};
use super::roles::{Candidate, Resolution, Template};
use super::storage;
use super::types::{ChangeKind, ParameterChange, ParameterValue, UpdateParameter};
use super::values::{self, Complaint};
use crate::desired::{Approval, Desired, Engine, Role, Storage};
use crate::observe::observation::Parameter;
use std::collections::BTreeMap;

/// What is shown for a secret.
const MASK: &str = "****";

/// An update, drafted: what it would send and what that changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Draft {
    /// Every parameter of the target version, in its order. Empty when its parameters could not be read.
    pub list: Vec<UpdateParameter>,
    /// What is set, new, dropped, redefined.
    pub changes: Vec<ParameterChange>,
    /// What each parameter will come to, by key: the value as given, `None` for secrets.
    pub finals: BTreeMap<String, Option<String>>,
    /// Parameters that held a value of their own and that the target version has no more.
    pub dropped: Vec<String>,
    /// What stands in the way of the list.
    pub obstacles: Vec<Obstacle>,
    /// What a person may want to know and that stands in nobody's way.
    pub warnings: Vec<String>,
    /// Whether something would change that the document asks for: the version, or a parameter's effective value.
    pub differs: bool,
    /// Whether the only change is the storage, taken over as RDS has it after a rollback that had to be continued.
    pub aligns: bool,
    /// Whether the only change is the deployment trigger, to heal a tainted product.
    pub retriggers: bool,
}

impl Draft {
    /// What a role's parameter will come to; the running stack's value where the target version has no such parameter.
    pub fn role_value<'a>(&'a self, facts: &Facts<'a>, role: Role) -> Option<&'a str> {
        match facts.roles.target_key(role) {
            Some(key) => self.finals.get(key)?.as_deref(),
            None => None,
        }
    }

    /// Whether a parameter's effective value would change.
    pub fn sets(&self, key: &str) -> bool {
        self.changes.iter().any(|change| change.key == key && change.change == ChangeKind::Set)
    }
}

/// Why a parameter cannot be settled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Obstacle {
    /// Whether it is a gap in what could be read. Else a person has to decide.
    pub unknown: bool,
    /// What is wrong, as a sentence.
    pub message: String,
    /// What to do about it; the line to add, where there is one.
    pub remedy: String,
    /// The role whose key has to be named, and the key if only one is in question: together these are one line of the document.
    pub key: Option<(Role, Option<String>)>,
}

impl Obstacle {
    fn person(message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { unknown: false, message: message.into(), remedy: remedy.into(), key: None }
    }

    fn unknown(message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { unknown: true, message: message.into(), remedy: remedy.into(), key: None }
    }

    /// A role that has to be named, with what may be meant. Of several candidates none is put into anybody's mouth.
    fn unnamed(message: String, role: Role, candidates: &[Candidate]) -> Self {
        let only = match candidates {
            [only] => Some(only.key.clone()),
            [] | [_, ..] => None,
        };
        let remedy = line_to_add(role, candidates);
        Self { unknown: false, message, remedy, key: Some((role, only)) }
    }

    /// Whether it is about a role.
    pub(super) fn is_about(&self, role: Role) -> bool {
        self.key.as_ref().is_some_and(|(about, _)| *about == role)
    }
}

/// A value that is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Wish {
    value: String,
    why: String,
    /// Where to correct it.
    field: String,
}

/// The wishes for an update, by key.
type Wishes = BTreeMap<String, Wish>;

/// Drafts the update that a document asks for. `align`: storage has to be what RDS has, even if nothing else is to change.
pub fn draft(desired: &Desired, facts: &Facts<'_>, align: bool) -> Draft {
    let mut draft = Draft { differs: !facts.target.keeps(), ..Draft::default() };
    let (Some(present), Some(offered), Some(_)) = (facts.present, facts.offered, &facts.values)
    else {
        // A version that is not on offer has no parameters to read, and a gate of its own.
        if let Some(gap) = &facts.gap {
            draft
                .obstacles
                .push(Obstacle::unknown(gap, "`ted-controller doctor` shows what is missing"));
        }
        return draft;
    };
    let mut wishes = wishes(desired, facts, offered, &mut draft);
    let asked = wishes.iter().any(|(key, wish)| {
        offered.parameter(key).is_some_and(|parameter| is_change(parameter, facts, &wish.value))
    });
    draft.differs |= asked;
    if draft.differs {
        // Taking real storage over is no reason for an update, but none goes without it.
        if desired.spec.policy.storage == Storage::Adopt {
            adopt_storage(facts, offered, &mut wishes);
        }
    } else {
        if align {
            let before = wishes.len();
            adopt_storage(facts, offered, &mut wishes);
            draft.aligns = wishes.len() > before;
            draft.differs = draft.aligns;
        }
        if !draft.differs
            && is_tainted(facts)
            && desired.spec.policy.approve.contains(&Approval::Retrigger)
        {
            retrigger(facts, offered, &mut wishes, &mut draft);
        }
    }
    list(facts, present, offered, &wishes, &mut draft);
    drop_old(desired, facts, present, offered, &mut draft);
    draft
}

fn is_tainted(facts: &Facts<'_>) -> bool {
    facts.product.one().is_some_and(|product| product.status == "TAINTED")
}

/// Whether a value differs in effect from what the running stack has. A parameter that it has not yet takes its default.
fn is_change(parameter: &Parameter, facts: &Facts<'_>, value: &str) -> bool {
    let role = facts.roles.role_of(&parameter.key);
    match facts.value(&parameter.key) {
        Some(Effective::Known { given, resolved: _ }) => {
            !values::same(parameter, role, given, value)
        }
        // Nothing is known of a secret, and nothing is ever asked of it.
        Some(Effective::Secret) => false,
        // Without a version change there is no such parameter at all.
        None => parameter
            .default
            .as_deref()
            .is_none_or(|default| !values::same(parameter, role, default, value)),
    }
}

fn wishes(
    desired: &Desired,
    facts: &Facts<'_>,
    offered: Template<'_>,
    draft: &mut Draft,
) -> Wishes {
    let mut wishes = Wishes::new();
    if let Some(cache) = &desired.spec.cache {
        let version_role = match cache.engine {
            Engine::Redis => Role::RedisVersion,
            Engine::Valkey => Role::ValkeyVersion,
        };
        let mut wish = |role: Role, value: Option<String>| {
            if let Some(value) = value {
                wish_by_role(role, &value, facts, offered, &mut wishes, draft);
            }
        };
        wish(Role::CacheEngine, Some(cache.engine.to_string()));
        wish(version_role, Some(cache.version.to_string()));
        wish(Role::CacheNodeType, cache.node_type.as_ref().map(ToString::to_string));
        wish(Role::CacheNodes, cache.nodes.map(|nodes| nodes.to_string()));
        wish(Role::CacheMultiAz, cache.multi_az.map(|multi_az| multi_az.to_string()));
        wish(Role::CacheAuthMode, cache.auth_mode.clone());
        // Somebody who describes a cache wants one.
        if facts.role_value(Role::UseCache).and_then(values::truth) == Some(false) {
            wish(Role::UseCache, Some("true".to_owned()));
        }
    }
    for (key, value) in &desired.spec.parameters {
        wish_by_key(key.as_str(), value, facts, offered, &mut wishes, draft);
    }
    wishes
}

fn wish_by_role(
    role: Role,
    value: &str,
    facts: &Facts<'_>,
    offered: Template<'_>,
    wishes: &mut Wishes,
    draft: &mut Draft,
) {
    let field = role.field().unwrap_or("spec.parameters").to_owned();
    let Some(key) = facts.roles.target_key(role) else {
        if let Some(obstacle) = unresolved(role, value, facts) {
            draft.obstacles.push(obstacle);
        }
        return;
    };
    let Some(parameter) = offered.parameter(key) else { return };
    let value = match values::truth(value)
        .filter(|_| matches!(role, Role::UseCache | Role::CacheMultiAz))
    {
        Some(truth) => values::spelled_truth(parameter, truth),
        None => version_spelled(parameter, role, value),
    };
    let wish = Wish { value, why: format!("the document's `{field}` asks for it"), field };
    admit(parameter, offered.label(key), wish, facts, wishes, draft);
}

/// A version in the template's spelling: of several that one prefix covers, none is chosen.
fn version_spelled(parameter: &Parameter, role: Role, value: &str) -> String {
    let spelled = values::spelled(parameter, Some(role), value);
    if !matches!(role, Role::RedisVersion | Role::ValkeyVersion)
        || parameter.allowed_values.contains(&spelled)
    {
        return spelled;
    }
    let mut covered =
        parameter.allowed_values.iter().filter(|allowed| values::version_satisfies(value, allowed));
    match (covered.next(), covered.next()) {
        (Some(only), None) => only.clone(),
        (Some(_), Some(_)) | (None, _) => spelled,
    }
}

fn wish_by_key(
    key: &str,
    value: &str,
    facts: &Facts<'_>,
    offered: Template<'_>,
    wishes: &mut Wishes,
    draft: &mut Draft,
) {
    let field = format!("spec.parameters.{key}");
    let Some(parameter) = offered.parameter(key) else {
        let version = version_name(facts);
        let message = if facts.value(key).is_some() {
            format!("{version} has no parameter `{key}` any more")
        } else {
            format!("{version} has no parameter `{key}`")
        };
        let near = offered.parameters.iter().map(|parameter| parameter.key.as_str());
        let remedy = match nearest(key, near) {
            Some(near) => format!("did you mean `{near}`? Correct or remove `{field}`"),
            None => format!("remove `{field}`"),
        };
        draft.obstacles.push(Obstacle::person(message, remedy));
        return;
    };
    if facts.value(key) == Some(Effective::Secret) && !parameter.no_echo {
        // Secret until now: the document may set it, but nobody can tell whether that changes anything.
        draft.warnings.push(format!(
            "`{key}` is secret in the running version: what it is cannot be compared"
        ));
    }
    let role = facts.roles.role_of(key);
    let value = values::spelled(parameter, role, value);
    let wish = Wish { value, why: format!("the document's `{field}` asks for it"), field };
    admit(parameter, offered.label(key), wish, facts, wishes, draft);
}

/// Takes a wish among the wishes, unless something is against it.
fn admit(
    parameter: &Parameter,
    label: Option<&str>,
    wish: Wish,
    facts: &Facts<'_>,
    wishes: &mut Wishes,
    draft: &mut Draft,
) {
    let Wish { value, why: _, field } = &wish;
    if parameter.no_echo {
        draft.obstacles.push(Obstacle::person(
            format!(
                "`{}` is a secret (`NoEcho`), and a document may not contain one",
                parameter.key
            ),
            format!("remove `{field}`; set the secret in Service Catalog's console"),
        ));
        return;
    }
    let role = facts.roles.role_of(&parameter.key);
    if let Some(other) = wishes.get(&parameter.key)
        && !values::same(parameter, role, &other.value, value)
    {
        draft.obstacles.push(Obstacle::person(
            format!(
                "`{}` is to be `{}` by `{}` and `{value}` by `{field}`",
                parameter.key, other.value, other.field
            ),
            format!("remove `{field}`"),
        ));
        return;
    }
    for complaint in values::check(parameter, label, value) {
        match complaint {
            Complaint::Refused(message) => {
                draft.obstacles.push(Obstacle::person(message, format!("correct `{field}`")));
            }
            Complaint::Unchecked(message) => draft.warnings.push(message),
        }
    }
    wishes.insert(parameter.key.clone(), wish);
}

/// What a role without a key means for somebody who needs it; `None`: nothing, the wish is fulfilled without it.
fn unresolved(role: Role, value: &str, facts: &Facts<'_>) -> Option<Obstacle> {
    match facts.roles.of(role) {
        Resolution::Found { key, in_present: _, in_target: _ } => Some(Obstacle::person(
            format!(
                "{} has no parameter `{key}` any more, which is the {role} in the running one",
                version_name(facts)
            ),
            format!("name its successor: `parameterKeys: {{{role}: KEY}}`"),
        )),
        Resolution::Absent { candidates } => {
            // Before 1.50.0 there is no engine to choose: it is Redis. That Valkey needs more is `valkey-supported`'s to say.
            let engine_not_offered = facts
                .target_version()
                .is_none_or(|version| (version.major(), version.minor()) < (1, 50));
            let about_engine = matches!(role, Role::CacheEngine | Role::ValkeyVersion);
            if about_engine && engine_not_offered {
                return None;
            }
            if role == Role::CacheEngine && value == Engine::Redis.as_str() && candidates.is_empty()
            {
                return None;
            }
            let message = format!(
                "no label of {} tells which parameter is the `{role}`{}",
                version_name(facts),
                candidate_list(candidates)
            );
            Some(Obstacle::unnamed(message, role, candidates))
        }
        Resolution::Doubtful { why, candidates } => Some(doubt(role, why, candidates)),
        Resolution::Unknown { why } => Some(Obstacle::unknown(
            format!("which parameter is the {role} is not known: {why}"),
            "`ted-controller doctor` shows what is missing",
        )),
    }
}

/// A doubt about a role as something a person can settle with one line.
pub(super) fn doubt(role: Role, why: &str, candidates: &[Candidate]) -> Obstacle {
    let message =
        format!("which parameter is the `{role}` is in doubt: {why}{}", candidate_list(candidates));
    Obstacle::unnamed(message, role, candidates)
}

fn candidate_list(candidates: &[Candidate]) -> String {
    if candidates.is_empty() {
        return String::new();
    }
    let shown: Vec<String> = candidates
        .iter()
        .map(|Candidate { key, label }| match label {
            Some(label) => format!("`{key}` ({label})"),
            None => format!("`{key}`"),
        })
        .collect();
    format!("; candidates: {}", shown.join(", "))
}

/// The line of the document that settles a role. Where there is one candidate it is in the line.
pub(super) fn line_to_add(role: Role, candidates: &[Candidate]) -> String {
    match candidates {
        [] => format!("add the key to the document: `parameterKeys: {{{role}: KEY}}`"),
        [only] => format!("add to the document: `parameterKeys: {{{role}: {}}}`", only.key),
        several => {
            let lines: Vec<String> = several
                .iter()
                .map(|candidate| format!("`parameterKeys: {{{role}: {}}}`", candidate.key))
                .collect();
            format!("add one of these to the document: {}", lines.join(", "))
        }
    }
}

/// The line that names all roles of these obstacles. Where only one is unnamed it is that one's remedy.
pub(super) fn line_of_all(obstacles: &[Obstacle]) -> Option<String> {
    let unnamed: Vec<(&Obstacle, &Role, &Option<String>)> = obstacles
        .iter()
        .filter_map(|obstacle| {
            let (role, key) = obstacle.key.as_ref()?;
            Some((obstacle, role, key))
        })
        .collect();
    match unnamed.as_slice() {
        [] => None,
        [(only, _, _)] => Some(only.remedy.clone()),
        several => {
            let keys: Vec<String> = several
                .iter()
                .map(|(_, role, key)| format!("{role}: {}", key.as_deref().unwrap_or("KEY")))
                .collect();
            let which = if several.iter().all(|(_, _, key)| key.is_some()) {
                ""
            } else {
                ", with the right one for KEY"
            };
            Some(format!("add to the document{which}: `parameterKeys: {{{}}}`", keys.join(", ")))
        }
    }
}

fn adopt_storage(facts: &Facts<'_>, offered: Template<'_>, wishes: &mut Wishes) {
    for adoption in storage::adoptions(facts) {
        let known = facts.roles.target_key(adoption.role).and_then(|key| offered.parameter(key));
        let Some(parameter) = known.filter(|parameter| !parameter.no_echo) else { continue };
        // A value in the document is somebody's word: the gate `storage-in-step` judges it.
        wishes.entry(parameter.key.clone()).or_insert_with(|| Wish {
            value: adoption.value.to_string(),
            why: "storage is adopted as RDS has it".to_owned(),
            field: "spec.policy.storage".to_owned(),
        });
    }
}

fn retrigger(facts: &Facts<'_>, offered: Template<'_>, wishes: &mut Wishes, draft: &mut Draft) {
    let role = Role::DeploymentTrigger;
    let Some(parameter) = facts.roles.target_key(role).and_then(|key| offered.parameter(key))
    else {
        if let Some(obstacle) = unresolved(role, "", facts) {
            draft.obstacles.push(obstacle);
        }
        return;
    };
    let present = facts.value(&parameter.key).and_then(Effective::given).unwrap_or_default();
    let other = parameter
        .allowed_values
        .iter()
        .find(|value| !values::same(parameter, Some(role), value, present));
    if let Some(other) = other.filter(|_| parameter.allowed_values.len() == 2) {
        let why = "the approval `retrigger` lets a tainted product update without another change"
            .to_owned();
        let wish = Wish { value: other.clone(), why, field: "spec.policy.approve".to_owned() };
        wishes.insert(parameter.key.clone(), wish);
        draft.differs = true;
        draft.retriggers = true;
    } else {
        draft.obstacles.push(Obstacle::person(
            format!("`{}` has not two allowed values to switch between", parameter.key),
            line_to_add(role, &[]),
        ));
    }
}

/// Fills in the list, what changes, and what each parameter comes to.
fn list(
    facts: &Facts<'_>,
    present: Template<'_>,
    offered: Template<'_>,
    wishes: &Wishes,
    draft: &mut Draft,
) {
    for parameter in offered.parameters {
        let label = offered.label(&parameter.key);
        let before = facts.value(&parameter.key);
        let wish = wishes.get(&parameter.key).filter(|wish| match before {
            Some(Effective::Known { given: _, resolved: _ }) => {
                is_change(parameter, facts, &wish.value)
            }
            // What is new, or was secret, gets what was asked for in so many words, be it the default.
            Some(Effective::Secret) | None => true,
        });
        let value = match (wish, before) {
            (Some(wish), _) => ParameterValue::Value(wish.value.clone()),
            (None, Some(_)) => ParameterValue::Previous,
            (None, None) => ParameterValue::Default,
        };
        let comes_to = match &value {
            ParameterValue::Value(value) => Some(value.clone()),
            ParameterValue::Previous => before.and_then(Effective::given).map(str::to_owned),
            ParameterValue::Default => parameter.default.clone().filter(|_| !parameter.no_echo),
        };
        let old = present.parameter(&parameter.key);
        match (&value, before) {
            (ParameterValue::Value(_), _) => {}
            (ParameterValue::Previous, Some(before)) => {
                check_carried(parameter, label, old, before, facts, draft);
            }
            (ParameterValue::Default, _) if parameter.default.is_none() => {
                draft.obstacles.push(must_have_a_value(parameter, label, facts));
            }
            (ParameterValue::Default | ParameterValue::Previous, _) => {}
        }
        if let Some(change) = change(parameter, label, old, before, &value, wish, facts) {
            draft.changes.push(change);
        }
        draft.finals.insert(parameter.key.clone(), comes_to);
        draft.list.push(UpdateParameter { key: parameter.key.clone(), value });
    }
}

/// A carried value has to pass the target version's rules too, and must not change its meaning on the way.
fn check_carried(
    parameter: &Parameter,
    label: Option<&str>,
    old: Option<&Parameter>,
    before: Effective<'_>,
    facts: &Facts<'_>,
    draft: &mut Draft,
) {
    // Without a new version the rules are those the value was accepted by.
    if !facts.target.moves() {
        return;
    }
    if let Some(old) = old
        && values::is_ssm(old) != values::is_ssm(parameter)
    {
        draft.obstacles.push(Obstacle::person(
            format!(
                "`{}` changes its type from `{}` to `{}` in {}: its previous value would mean something else",
                parameter.key,
                old.kind,
                parameter.kind,
                version_name(facts)
            ),
            format!("name a value: `parameters: {{{}: …}}`", parameter.key),
        ));
    }
    let Some(given) = before.given() else { return };
    for complaint in values::check(parameter, label, given) {
        match complaint {
            Complaint::Refused(message) => draft.obstacles.push(Obstacle::person(
                format!("{} does not take a present value: {message}", version_name(facts)),
                format!("name a value that it takes: `parameters: {{{}: …}}`", parameter.key),
            )),
            Complaint::Unchecked(_) => {
                // The value was accepted before; say so only when the rule is another one now.
                if old.is_some_and(|old| {
                    old.allowed_pattern.is_some()
                        && old.allowed_pattern != parameter.allowed_pattern
                }) {
                    draft.warnings.push(format!(
                        "the pattern of `{}` changes and cannot be checked here",
                        parameter.key
                    ));
                }
            }
        }
    }
}

fn must_have_a_value(parameter: &Parameter, label: Option<&str>, facts: &Facts<'_>) -> Obstacle {
    let key = &parameter.key;
    let named = label.map_or_else(|| format!("`{key}`"), |label| format!("`{key}` ({label})"));
    let message = format!("{named} is new in {} and has no default", version_name(facts));
    if parameter.no_echo {
        Obstacle::person(
            format!("{message}, and it is a secret, which a document may not contain"),
            "update to this version once in Service Catalog's console, then come back here",
        )
    } else {
        let allowed = if parameter.allowed_values.is_empty() {
            String::new()
        } else {
            format!("; allowed are {}", values::listed(&parameter.allowed_values))
        };
        Obstacle::person(message, format!("decide on a value: `parameters: {{{key}: …}}`{allowed}"))
    }
}

fn change(
    parameter: &Parameter,
    label: Option<&str>,
    old: Option<&Parameter>,
    before: Option<Effective<'_>>,
    value: &ParameterValue,
    wish: Option<&Wish>,
    facts: &Facts<'_>,
) -> Option<ParameterChange> {
    let shown = |effective: Effective<'_>| effective.given().unwrap_or(MASK).to_owned();
    let change = |kind, from, to, why| {
        let label = label.map(str::to_owned);
        Some(ParameterChange { key: parameter.key.clone(), label, change: kind, from, to, why })
    };
    match (value, before) {
        (ParameterValue::Value(to), before) => {
            let why = wish.map(|wish| wish.why.clone()).unwrap_or_default();
            let kind = if before.is_some() { ChangeKind::Set } else { ChangeKind::New };
            change(kind, before.map(shown), Some(to.clone()), why)
        }
        (ParameterValue::Default, _) => {
            let to =
                if parameter.no_echo { Some(MASK.to_owned()) } else { parameter.default.clone() };
            change(
                ChangeKind::New,
                None,
                to,
                format!("new in {}: its default", version_name(facts)),
            )
        }
        (ParameterValue::Previous, before) => {
            let why = redefined(old?, parameter).filter(|_| facts.target.moves())?;
            change(ChangeKind::Redefined, before.map(shown), before.map(shown), why)
        }
    }
}

/// What differs between two versions of a parameter whose value stays.
fn redefined(old: &Parameter, new: &Parameter) -> Option<String> {
    let text = |default: &Option<String>| match default {
        Some(default) => format!("`{default}`"),
        None => "none".to_owned(),
    };
    let mut differs = Vec::new();
    if !old.no_echo && !new.no_echo && old.default != new.default {
        differs.push(format!(
            "its default changes from {} to {}",
            text(&old.default),
            text(&new.default)
        ));
    }
    if old.allowed_values != new.allowed_values {
        differs.push(allowed_otherwise(&old.allowed_values, &new.allowed_values));
    }
    (!differs.is_empty()).then(|| differs.join(", "))
}

/// How the values that are allowed differ: what came and what went, not all there is.
fn allowed_otherwise(old: &[String], new: &[String]) -> String {
    if old.is_empty() {
        return format!("it allows {} only", values::listed(new));
    }
    if new.is_empty() {
        return "it allows any value".to_owned();
    }
    let without = |these: &[String], those: &[String]| -> Vec<String> {
        these.iter().filter(|value| !those.contains(value)).cloned().collect()
    };
    let (came, went) = (without(new, old), without(old, new));
    let mut told = Vec::new();
    if !came.is_empty() {
        told.push(format!("it also allows {}", values::listed(&came)));
    }
    if !went.is_empty() {
        told.push(format!("it no longer allows {}", values::listed(&went)));
    }
    if told.is_empty() { "its values stand in another order".to_owned() } else { told.join(", ") }
}

/// Lists what the target version has no more. A value of its own that goes with it needs an approval.
fn drop_old(
    desired: &Desired,
    facts: &Facts<'_>,
    present: Template<'_>,
    offered: Template<'_>,
    draft: &mut Draft,
) {
    for (key, before) in facts.values.iter().flatten() {
        if offered.parameter(key).is_some() {
            continue;
        }
        let old = present.parameter(key);
        let is_default = match (before.given(), old.and_then(|old| old.default.as_deref())) {
            (Some(given), Some(default)) => {
                old.is_some_and(|old| values::same(old, None, given, default))
            }
            // A secret, or a parameter without a default: somebody chose it.
            (Some(_) | None, _) => false,
        };
        draft.changes.push(ParameterChange {
            key: (*key).to_owned(),
            label: present.label(key).map(str::to_owned),
            change: ChangeKind::Dropped,
            from: Some(before.given().unwrap_or(MASK).to_owned()),
            to: None,
            why: format!("{} has it no more", version_name(facts)),
        });
        if !is_default {
            draft.dropped.push((*key).to_owned());
        }
    }
    let Some(version) = facts.target_version().filter(|_| !draft.dropped.is_empty()) else {
        return;
    };
    let approval = Approval::DroppedParameters(version.clone());
    if !desired.spec.policy.approve.contains(&approval) {
        let keys: Vec<String> = draft.dropped.iter().map(|key| format!("`{key}`")).collect();
        draft.obstacles.push(Obstacle::person(
            format!(
                "{version} drops parameters that hold a value of their own: {}",
                keys.join(", ")
            ),
            format!("if they are not needed any more: `approve: [{approval}]`"),
        ));
    }
}

/// What people call the version that an update leads to.
fn version_name(facts: &Facts<'_>) -> String {
    facts.target_version().map_or_else(|| "the target version".to_owned(), ToString::to_string)
}

fn nearest<'a>(key: &str, keys: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    keys.map(|candidate| (strsim::jaro_winkler(key, candidate), candidate))
        .filter(|(likeness, _)| *likeness > 0.87)
        .max_by(|one, other| one.0.total_cmp(&other.0))
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests;
