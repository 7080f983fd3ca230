//! What an observation means for a document, and what to do about it. Pure: time comes in as [`Observation::now`], AWS's.
//!
//! Read in this order: [`facts`] is what an observation means, worked out once; [`roles`] which parameter is for what, and
//! `evidence` what contradicts that; [`values`] when two values are the same to AWS; [`parameters`] the update as it would be sent;
//! `storage` and `protected` the rules of RDS and of what must not change; [`past`] what is remembered; [`gates`] the preconditions; [`protocol`] how events are paused
//! and given back; `recovery` what becomes of a rollback that failed; [`plan`] the steps.
//!
//! Nothing here remembers anything, and nothing fails: bad news is an answer. The same input gives the same answer, byte for byte.

#![warn(clippy::wildcard_enum_match_arm)]

pub mod by_hand;
pub mod check;
pub mod codes;
mod conditions;
pub mod diagnosis;
mod evidence;
pub mod facts;
pub mod findings;
pub mod gates;
pub mod guides;
pub mod holds;
pub mod parameters;
pub mod past;
pub mod plan;
mod protected;
pub mod protocol;
mod recovery;
pub mod roles;
mod running;
mod storage;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod traps;
pub mod types;
pub mod values;

use crate::desired::{Approval, Desired, Engine, MaintenanceWindows, Mode, Role};
use crate::observe::observation::Observation;
use facts::{Agreed, Facts, TheCache};
use gates::Case;
use jiff::Timestamp;
use std::time::Duration;
use types::{Actual, Assessment, Gate, GateState, Order, Step, WaitOrder};

/// What the controller brings to an assessment beside document and observation.
#[derive(Clone, Debug)]
pub struct Context {
    /// The upper bound for every document's mode.
    pub mode_bound: Mode,
    /// Why nothing starts; `None`: it may.
    pub frozen: Option<Frozen>,
    /// Windows of the controller, which hold beside the document's.
    pub windows: MaintenanceWindows,
    /// This controller, as it signs its holds. Without blanks.
    pub controller_id: String,
    /// This process, as it signs its holds. Of two, the one that began later has the greater name.
    pub process: String,
    /// The update that this process sent last and that was not clearly refused: the last provisioning record when it was, and when.
    pub sent: Option<(String, Timestamp)>,
    /// What is remembered of this TED.
    pub past: past::Past,
    /// Why the update of that record failed, when somebody looked.
    pub diagnosis: Option<(String, diagnosis::Diagnosis)>,
    /// What is known of the caller's credentials; only a product without a launch role asks.
    pub credentials: Credentials,
}

/// Why nothing starts, whatever the document says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frozen {
    /// Somebody froze the controller, for this reason.
    ByHand(String),
    /// The controller's settings say so.
    BySettings {
        /// Why.
        reason: Option<String>,
        /// Until when; absent: until the settings say otherwise.
        until: Option<Timestamp>,
    },
    /// Another document contradicts this one.
    Contested,
}

impl Default for Context {
    /// A controller that only looks: nothing is lost if somebody forgets to say more.
    fn default() -> Self {
        Self {
            mode_bound: Mode::Observe,
            frozen: None,
            windows: MaintenanceWindows::default(),
            controller_id: "ted-controller".to_owned(),
            process: "0".to_owned(),
            sent: None,
            past: past::Past::default(),
            diagnosis: None,
            credentials: Credentials::default(),
        }
    }
}

/// What is known of the caller's credentials.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Credentials {
    /// How long they last.
    pub lifetime: Lifetime,
    /// Whether they have every right that an update needs; `None`: nobody tried.
    pub may_change: Option<bool>,
}

/// How long credentials last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Lifetime {
    /// Not known.
    #[default]
    Unknown,
    /// Until somebody withdraws them.
    Lasting,
    /// Until then, and CloudFormation cannot renew them.
    Until(Timestamp),
}

impl Credentials {
    /// Whether they last for some time from now; `None`: not known.
    pub fn lasts(&self, now: Timestamp, needed: Duration) -> Option<bool> {
        match self.lifetime {
            Lifetime::Unknown => None,
            Lifetime::Lasting => Some(true),
            Lifetime::Until(end) => {
                let left = Duration::try_from(end.duration_since(now)).unwrap_or_default();
                Some(left >= needed)
            }
        }
    }
}

/// Assesses one TED against its document.
pub fn assess(desired: &Desired, observation: &Observation, context: &Context) -> Assessment {
    let facts = Facts::of(Some(desired), observation);
    let align = recovery::must_align(desired, observation, context);
    let draft = parameters::draft(desired, &facts, align);
    let case = Case { desired, observation, context, facts: &facts, draft: &draft };
    let gates = gates::ask(&case);
    let recovery = recovery::recovery(&case);
    let (plan, next) = plan::plan(&case, &gates, recovery.as_ref());
    let notes = notes(desired, &facts, &draft);
    let parameters = shown(&draft, &plan);
    finish(
        Some(desired),
        observation,
        &facts,
        context,
        Verdicts { gates, plan, next, recovery, parameters, notes, draft: Some(&draft) },
    )
}

/// Says what is there, for a product without a document: findings of AWS against itself, and nothing to do but to give back what this
/// controller holds.
pub fn survey(observation: &Observation, context: &Context) -> Assessment {
    let facts = Facts::of(None, observation);
    let next = plan::give_back(observation, context);
    let plan = next.iter().cloned().collect();
    finish(None, observation, &facts, context, Verdicts { plan, next, ..Verdicts::default() })
}

/// What gates and plan came to.
#[derive(Default)]
struct Verdicts<'a> {
    gates: Vec<Gate>,
    plan: Vec<Step>,
    next: Option<Step>,
    recovery: Option<recovery::Recovery>,
    parameters: Vec<types::ParameterChange>,
    notes: Vec<String>,
    draft: Option<&'a parameters::Draft>,
}

fn finish(
    desired: Option<&Desired>,
    observation: &Observation,
    facts: &Facts<'_>,
    context: &Context,
    verdicts: Verdicts<'_>,
) -> Assessment {
    let Verdicts { gates, plan, next, recovery, parameters, notes, draft } = verdicts;
    let findings = findings::findings(desired, observation, facts, draft);
    let grounds = conditions::Grounds {
        desired,
        observation,
        facts,
        findings: &findings,
        gates: &gates,
        plan: &plan,
        next: next.as_ref(),
        recovery: recovery.as_ref(),
        mode_bound: context.mode_bound,
        refusal: context.past.refusal.as_ref(),
    };
    let phase = conditions::phase(&grounds);
    let conditions = conditions::conditions(&grounds);
    let requeue_after =
        requeue_after(desired, observation, &gates, &plan, next.as_ref(), recovery.as_ref());
    let actual = actual(observation, facts);
    Assessment {
        findings,
        gates,
        plan,
        next,
        parameters,
        phase,
        conditions,
        actual,
        requeue_after,
        notes,
    }
}

/// An update that does not happen changes no parameters. One that cannot be named yet has them as far as they are known.
fn shown(draft: &parameters::Draft, plan: &[Step]) -> Vec<types::ParameterChange> {
    let updates = plan.iter().any(|step| step.step == types::StepKind::Update);
    if draft.differs && (updates || plan.is_empty()) { draft.changes.clone() } else { Vec::new() }
}

/// Approvals that nothing asks for, and what else a person may want to know: a sentence each.
fn notes(desired: &Desired, facts: &Facts<'_>, draft: &parameters::Draft) -> Vec<String> {
    let target = facts.target_version();
    let mut notes = Vec::new();
    for approval in &desired.spec.policy.approve {
        let for_another = match approval {
            Approval::MajorVersion(version)
            | Approval::CacheRecreate(version)
            | Approval::DroppedParameters(version) => {
                target.is_some_and(|target| target != version)
            }
            Approval::RedisToValkey
            | Approval::NoLaunchRole
            | Approval::Retrigger
            | Approval::PastTheDoor => false,
        };
        let done = match approval {
            Approval::RedisToValkey => {
                facts.engine == Agreed::All(Engine::Valkey)
                    || desired
                        .spec
                        .cache
                        .as_ref()
                        .is_some_and(|cache| cache.engine == Engine::Redis)
            }
            Approval::MajorVersion(version) => facts.running.version.as_ref() == Some(version),
            Approval::DroppedParameters(_) => {
                target.is_some() && facts.offered.is_some() && draft.dropped.is_empty()
            }
            Approval::NoLaunchRole => {
                facts.product.one().is_some_and(|product| product.launch_role_arn.is_some())
            }
            Approval::Retrigger => {
                facts.product.one().is_some_and(|product| product.status == "AVAILABLE")
            }
            Approval::CacheRecreate(_) => !draft.differs,
            // The stack agrees with its cache, and nothing has to be continued.
            Approval::PastTheDoor => {
                facts.engine == Agreed::All(Engine::Valkey)
                    && facts
                        .role_value(Role::CacheEngine)
                        .is_some_and(|engine| Engine::parse(engine) == Ok(Engine::Valkey))
                    && facts.product.one().is_some_and(|product| product.status == "AVAILABLE")
            }
        };
        if for_another {
            notes.push(format!(
                "the approval `{approval}` is for another version than the one to have"
            ));
        } else if done {
            notes.push(format!("nothing asks for the approval `{approval}`: it can be removed"));
        }
    }
    notes.extend(draft.warnings.iter().cloned());
    notes
}

fn actual(observation: &Observation, facts: &Facts<'_>) -> Actual {
    let cache = match facts.cache {
        TheCache::One(cache) => Some(cache),
        TheCache::None | TheCache::Several | TheCache::Unknown(_) => None,
    };
    let several = |words: Vec<String>| Some(words.join(", "));
    Actual {
        account: observation.caller.present().map(|caller| caller.account.clone()),
        region: Some(observation.region.clone()),
        ted_version: facts
            .running
            .version
            .as_ref()
            .map(|version| version.to_string().trim_start_matches('v').to_owned()),
        engine: match &facts.engine {
            Agreed::All(engine) => Some(engine.to_string()),
            Agreed::Mixed(engines) => several(engines.iter().map(ToString::to_string).collect()),
            Agreed::Unknown => None,
        },
        engine_version: match &facts.engine_version {
            Agreed::All(version) => Some(version.clone()),
            Agreed::Mixed(versions) => several(versions.clone()),
            Agreed::Unknown => None,
        },
        product_status: facts.product.one().map(|product| product.status.clone()),
        stack_status: observation.root.present().map(|stack| stack.status.clone()),
        database_status: observation.database.present().map(|database| database.status.clone()),
        cache_status: cache.map(|cache| cache.status.clone()),
    }
}

/// How often to look at what time heals soon.
const SOON: Duration = Duration::from_secs(15);
/// How often to look at triggers on their way.
const QUICK: Duration = Duration::from_secs(3);
/// How often to look at a change that runs: a part of how long it runs already, between these two.
const SOONEST: Duration = Duration::from_secs(10);
const LATEST: Duration = Duration::from_mins(1);
/// Quick at the beginning, where most changes fail, slower in the long waits of a database.
const PART_OF_AGE: u32 = 20;
/// How often to look at a product without a document.
const WITHOUT_DOCUMENT: Duration = Duration::from_mins(2);

/// At a gate's opening, if that is before the steady look; soon while something changes; never later than the steady look.
fn requeue_after(
    desired: Option<&Desired>,
    observation: &Observation,
    gates: &[Gate],
    plan: &[Step],
    next: Option<&Step>,
    recovery: Option<&recovery::Recovery>,
) -> Duration {
    let interval = desired.map_or(WITHOUT_DOCUMENT, |desired| desired.spec.policy.interval);
    let until = |until: Timestamp| {
        Duration::try_from(until.duration_since(observation.now)).unwrap_or_default()
    };
    let scene = protocol::scene(observation);
    let is_held = |view: &protocol::View<'_>| matches!(view.own, Some(holds::Hold::Held(_)));
    let paused = scene.as_ref().is_some_and(|scene| scene.triggers.iter().any(is_held));
    let motion = scene.map(|scene| scene.motion);
    if motion == Some(protocol::Motion::Moving) {
        let began = observation.last_record.present().and_then(|record| record.created);
        let age = began.map_or(Duration::ZERO, |began| {
            Duration::try_from(observation.now.duration_since(began)).unwrap_or_default()
        });
        return (age / PART_OF_AGE).clamp(SOONEST, LATEST).min(interval);
    }
    // Paused or not: a stack that is stuck moves when its database is well, or when a person moves it.
    let stands = next.is_none_or(|step| step.step == types::StepKind::Wait);
    match recovery {
        Some(recovery) if stands && recovery.verdict.state == GateState::Waiting => {
            return LATEST.min(interval);
        }
        Some(recovery) if stands && !recovery.goes() => return interval,
        Some(_) | None => {}
    }
    match next.map(|step| &step.order) {
        Some(Order::Wait(WaitOrder { until: Some(at), wait_for: _ })) => {
            return until(*at).clamp(QUICK.min(interval), interval);
        }
        // A stack that is stuck waits for a person, and triggers of a pause are on their way.
        Some(Order::Wait(_)) if paused && motion == Some(protocol::Motion::Stuck) => {
            return interval;
        }
        Some(Order::Wait(_)) if paused => return QUICK.min(interval),
        Some(
            Order::Triggers(_)
            | Order::Update(_)
            | Order::Continue(_)
            | Order::Later
            | Order::Wait(_),
        ) => {
            return SOON.min(interval);
        }
        None => {}
    }
    if plan.is_empty() {
        return interval;
    }
    let waits = || gates.iter().filter(|gate| !gate.holds);
    // A person changes the document, which is seen at once, or something in AWS, for which the interval will do.
    if waits().any(|gate| gate.state == GateState::NeedsPerson) {
        return interval;
    }
    match waits().filter_map(|gate| gate.until).max() {
        Some(at) => until(at).clamp(SOON.min(interval), interval),
        None => SOON.min(interval),
    }
}
