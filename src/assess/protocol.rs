//! Pausing and resuming events: what one look at the triggers asks for. Pure, and checked exhaustively (`protocol::model`).
//!
//! The rules, in their order; `docs/safety.md` argues for each:
//!
//! 1. **Giving back** is owed whatever else goes on. A trigger that was released and is off is enabled, unless it was changed since, or
//!    another product still holds it. Once enabled its tag says `returned`: who disables it after that means it.
//! 2. **While a change runs** under holds of ours nothing is given back: newcomers are held and disabled too, and what came on again is
//!    disabled again.
//! 3. **A hold is released** when the last provisioning record is another one than the held and everything stands still; when the lease
//!    is over (an update is only ever sent in its first half, so nobody is coming); or when its maker, who knows that it sent nothing,
//!    does not go on.
//! 4. **Going on** to an update takes: a claim of this controller, this document, this record and this process on every trigger that
//!    would otherwise run; then all of them off; then the drain; and all that in the first half of the lease.
//! 5. **Continuing a failed rollback** is a change that we send, too, so no event may run during it. Under the holds of the update that
//!    failed, which are of an earlier record and last as long as the stack is stuck, it takes that every trigger is off. Where there are
//!    none, because somebody else's update failed or events were not paused for it, it takes what going on to an update takes (4). It
//!    makes no record: holds that were made for it end as those of an update that was never sent.
//!
//! A claim of an earlier process is taken over, not renewed: it keeps its age. Only the maker may give up early, because a process that
//! seems dead may have an update on its way. Of two processes that live, the one that began later goes on and the other waits.

#[cfg(test)]
mod model;
#[cfg(test)]
mod tests;

use super::holds::{By, Claim, End, Hold, LEASE, NO_RECORD, Release, hold_of, holds_on, released};
use crate::observe::observation::{Observation, Product, Record, Seen, Trigger};
use jiff::{SignedDuration, Timestamp};
use std::time::Duration;

/// How much later than its release a trigger may say that it was last changed, and still be as we left it: our clock is the Date header
/// of another host, and setting a tag may count as a change (not documented).
const CLOCKS_APART: Duration = Duration::from_mins(1);

/// How long after an update was sent its record may be missing from what Service Catalog shows. After that it is sent again, under the
/// same token: if it did arrive, that is the same update.
const SHOWS_WITHIN: Duration = Duration::from_mins(1);

/// The times of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// How long a hold is a claim.
    pub lease: Duration,
    /// How old a hold may be when an update is sent under it.
    pub forward: Duration,
    /// See [`CLOCKS_APART`].
    pub tolerance: Duration,
    /// See [`SHOWS_WITHIN`].
    pub shows_within: Duration,
}

impl Default for Terms {
    fn default() -> Self {
        Self {
            lease: LEASE,
            forward: LEASE / 2,
            tolerance: CLOCKS_APART,
            shows_within: SHOWS_WITHIN,
        }
    }
}

/// Who decides.
#[derive(Clone, Copy, Debug)]
pub struct Me<'a> {
    /// The controller; it outlives restarts.
    pub controller: &'a str,
    /// The process; it does not. Of two, the one that began later has the greater name.
    pub process: &'a str,
    /// The update that this process sent last, if it was not clearly refused.
    pub sent: Option<Sent<'a>>,
}

/// An update that was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sent<'a> {
    /// The last provisioning record when it was.
    pub under: &'a str,
    /// When.
    pub at: Timestamp,
}

/// What is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish<'a> {
    /// An update for this document, and every gate holds.
    Update {
        /// The document's.
        digest: &'a str,
        /// How long running events get to finish.
        drain: Duration,
    },
    /// The stack's rollback failed, and is to be continued for this document: nothing stands against it.
    Repair {
        /// The document's.
        digest: &'a str,
        /// How long running events get to finish.
        drain: Duration,
    },
    /// An update, but a gate is closed that opens within minutes: what is paused stays so, nothing is begun.
    Soon {
        /// The document's.
        digest: &'a str,
    },
    /// No update.
    Nothing,
}

/// Whether something changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Motion {
    /// Product and stack stand still, and the last record is final.
    Still,
    /// A change runs.
    Moving,
    /// No change runs, and the stack is in no state from which one could.
    Stuck,
    /// Not known.
    Unknown,
}

/// What one look says, as far as the protocol is concerned.
#[derive(Clone, Debug)]
pub struct Scene<'a> {
    /// The last provisioning record, or [`NO_RECORD`].
    pub record: &'a str,
    /// Whether something changes.
    pub motion: Motion,
    /// AWS's time.
    pub now: Timestamp,
    /// The worker triggers.
    pub triggers: Vec<View<'a>>,
}

/// One trigger.
#[derive(Clone, Debug)]
pub struct View<'a> {
    /// Whether a workspace of this hive runs its TE version.
    pub of_hive: bool,
    /// Whether it is on.
    pub power: Power,
    /// When it last changed.
    pub last_modified: Option<Timestamp>,
    /// This product's hold on it.
    pub own: Option<Hold<'a>>,
    /// Whether another product holds it.
    pub held_elsewhere: bool,
    /// Whether another product holds it, or gave it up and is still to enable it: off, and not for long.
    pub owed_elsewhere: bool,
}

/// Whether a trigger is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Power {
    /// `Enabled`.
    On,
    /// `Disabled`.
    Off,
    /// On its way from one state to another, or in one that this version does not know.
    Between,
}

/// What to do to a trigger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Write {
    /// Its place in [`Scene::triggers`].
    pub trigger: usize,
    /// The tag to write. When disabling: only if somebody else disabled it meanwhile; the same one when nobody can tell.
    pub tag: String,
}

/// The kinds of writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Tag it as held.
    Hold,
    /// Disable it.
    Disable,
    /// Tag it as released.
    Release,
    /// Enable it if it is off, then tag it as returned.
    Enable,
}

/// What a look asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// Nothing.
    Nothing,
    /// These writes, then another look.
    Write(Act, Vec<Write>),
    /// Another look later.
    Wait {
        /// For what.
        wait_for: String,
        /// Until when, if that is known.
        until: Option<Timestamp>,
    },
    /// Everything that has to be off is off, and has been for long enough: the update, or the continuation, may be sent.
    Paused,
}

/// What a look asks for.
pub fn decide(scene: &Scene<'_>, me: &Me<'_>, wish: &Wish<'_>, terms: &Terms) -> Next {
    let case = Case { scene, me, wish, terms };
    let release = case.releases();
    if !release.is_empty() {
        return Next::Write(Act::Release, release);
    }
    let enable = case.enables();
    if !enable.is_empty() {
        return Next::Write(Act::Enable, enable);
    }
    let repairs = matches!(wish, Wish::Repair { .. }) && scene.motion == Motion::Stuck;
    if repairs && case.is_paused_for_what_failed() {
        return case.repair();
    }
    if case.claims().next().is_some() && scene.motion != Motion::Still && !repairs {
        return case.stay_paused();
    }
    case.go_on()
}

struct Case<'a> {
    scene: &'a Scene<'a>,
    me: &'a Me<'a>,
    wish: &'a Wish<'a>,
    terms: &'a Terms,
}

impl<'a> Case<'a> {
    /// Claims of this controller, with the places of their triggers.
    fn claims(&self) -> impl Iterator<Item = (usize, &'a View<'a>, Claim<'a>)> {
        let of = |(place, view): (usize, &'a View<'a>)| match &view.own {
            Some(Hold::Held(claim)) if claim.controller == self.me.controller => {
                Some((place, view, *claim))
            }
            Some(Hold::Held(_) | Hold::Released(_) | Hold::Garbled(_)) | None => None,
        };
        self.scene.triggers.iter().enumerate().filter_map(of)
    }

    fn age(&self, claim: &Claim<'_>) -> SignedDuration {
        self.scene.now.duration_since(claim.at)
    }

    fn is_younger(&self, claim: &Claim<'_>, limit: Duration) -> bool {
        self.age(claim) < SignedDuration::try_from(limit).unwrap_or(SignedDuration::MAX)
    }

    /// Whether a claim leads to the update that is wanted.
    fn leads_on(&self, claim: &Claim<'_>) -> bool {
        let digest = match self.wish {
            Wish::Update { digest, drain: _ } | Wish::Soon { digest } => *digest,
            Wish::Repair { digest, drain: _ } if self.scene.motion == Motion::Stuck => *digest,
            Wish::Repair { .. } | Wish::Nothing => return false,
        };
        claim.record == self.scene.record
            && claim.digest == digest
            && self.is_younger(claim, self.terms.forward)
    }

    /// Whether the stack is stuck and nothing is wanted that would move it.
    fn is_stuck_for_good(&self) -> bool {
        self.scene.motion == Motion::Stuck
            && !matches!(self.wish, Wish::Repair { .. } | Wish::Soon { .. })
    }

    /// Whether a claim under an earlier record is there: that of the update that failed. Such a claim stays as long as the stack is stuck.
    fn is_paused_for_what_failed(&self) -> bool {
        self.claims().any(|(_, _, claim)| claim.record != self.scene.record)
    }

    /// Whether this process made the claim and sent nothing under it.
    fn is_ours_alone(&self, claim: &Claim<'_>) -> bool {
        claim.by == Some(By::Made(self.me.process)) && self.sent_under(claim.record).is_none()
    }

    /// When this process sent an update under a record.
    fn sent_under(&self, record: &str) -> Option<Timestamp> {
        self.me.sent.filter(|sent| sent.under == record).map(|sent| sent.at)
    }

    /// Rule 3.
    fn releases(&self) -> Vec<Write> {
        let over = |claim: &Claim<'_>| match self.scene.motion {
            Motion::Moving | Motion::Unknown => false,
            Motion::Still if claim.record != self.scene.record => true,
            Motion::Stuck if claim.record != self.scene.record => false,
            Motion::Still | Motion::Stuck => {
                !self.is_younger(claim, self.terms.lease)
                    || (self.is_ours_alone(claim)
                        && (self.is_stuck_for_good() || !self.leads_on(claim)))
            }
        };
        self.claims()
            // One on its way is released when it has arrived: so what it says of its last change stays older than the release.
            .filter(|(_, view, claim)| view.power != Power::Between && over(claim))
            .map(|(trigger, _, claim)| Write {
                trigger,
                tag: released(self.scene.now, self.me.controller, claim.digest, End::Open),
            })
            .collect()
    }

    /// Rule 1.
    fn enables(&self) -> Vec<Write> {
        let triggers = self.scene.triggers.iter().enumerate();
        triggers
            .filter_map(|(trigger, view)| {
                let Some(Hold::Released(release)) = &view.own else { return None };
                let Release { at, controller, digest, end } = *release;
                let is_ours = controller.is_none_or(|controller| controller == self.me.controller);
                if !is_ours || end != End::Open {
                    return None;
                }
                let end = match view.power {
                    Power::Between => return None,
                    Power::On => End::Returned,
                    Power::Off if self.changed_since(at, view) => End::Yielded,
                    // Whoever holds it enables it in the end.
                    Power::Off if view.held_elsewhere => return None,
                    Power::Off => End::Returned,
                };
                let at = at.unwrap_or(self.scene.now);
                let tag = released(at, self.me.controller, digest.unwrap_or(NO_RECORD), end);
                Some(Write { trigger, tag })
            })
            .collect()
    }

    /// Whether somebody changed a trigger after its release. When it was released is not known: nobody can say, and giving back is a duty.
    fn changed_since(&self, at: Option<Timestamp>, view: &View<'_>) -> bool {
        let tolerance = SignedDuration::try_from(self.terms.tolerance).unwrap_or_default();
        at.zip(view.last_modified)
            .is_some_and(|(at, modified)| modified.duration_since(at) > tolerance)
    }

    /// Rule 2.
    fn stay_paused(&self) -> Next {
        // Newcomers get the age and the record of what they join, so that all end together.
        let Some((_, _, joined)) = self.claims().max_by_key(|(_, _, claim)| claim.at) else {
            return Next::Nothing;
        };
        let by = Some(By::Taken(self.me.process));
        let newcomers = self.scene.triggers.iter().enumerate().filter(|(_, view)| {
            let held = matches!(view.own, Some(Hold::Held(_)));
            view.of_hive && view.power != Power::Off && !held
        });
        let hold: Vec<Write> = newcomers
            .map(|(trigger, _)| Write { trigger, tag: Claim { by, ..joined }.to_string() })
            .collect();
        if !hold.is_empty() {
            return Next::Write(Act::Hold, hold);
        }
        let disable = self.disables();
        if !disable.is_empty() {
            return Next::Write(Act::Disable, disable);
        }
        let wait_for = match self.scene.motion {
            Motion::Still | Motion::Moving => "the change that runs to end; events stay paused",
            Motion::Stuck => "the stack to be repaired; events stay paused",
            Motion::Unknown => "product and stack to be readable; events stay paused",
        };
        Next::Wait { wait_for: wait_for.to_owned(), until: None }
    }

    fn disables(&self) -> Vec<Write> {
        // What is off by then although this process did not do it is somebody else's, and is left to him. Who took a claim over cannot
        // tell: it may have been the process before.
        let otherwise = |claim: &Claim<'_>| {
            if claim.by == Some(By::Made(self.me.process)) {
                released(self.scene.now, self.me.controller, claim.digest, End::Yielded)
            } else {
                claim.to_string()
            }
        };
        self.claims()
            .filter(|(_, view, _)| view.power == Power::On)
            .map(|(trigger, _, claim)| Write { trigger, tag: otherwise(&claim) })
            .collect()
    }

    /// Rule 5, under the holds of the update that failed.
    fn repair(&self) -> Next {
        match self.stay_paused() {
            Next::Wait { .. } => {}
            next @ (Next::Nothing | Next::Write(..) | Next::Paused) => return next,
        }
        if let Some(claim) = self.foreign_claim() {
            return self.wait_for_lease(&claim);
        }
        // Those of other TE versions under a claim count as well; what an operator disabled is off anyhow.
        let held = |view: &View<'_>| matches!(view.own, Some(Hold::Held(_)));
        let mut counts = self.scene.triggers.iter().filter(|view| view.of_hive || held(view));
        if counts.any(|view| view.power != Power::Off) {
            return Next::Wait {
                wait_for: "the triggers to read Disabled".to_owned(),
                until: None,
            };
        }
        let drain = match *self.wish {
            Wish::Repair { drain, digest: _ } => drain,
            Wish::Update { .. } | Wish::Soon { .. } | Wish::Nothing => Duration::ZERO,
        };
        self.wait_for_quiet(drain)
    }

    /// Rule 4.
    fn go_on(&self) -> Next {
        let in_the_way = self
            .claims()
            .find(|(_, _, claim)| !self.leads_on(claim) || self.is_of_a_later_process(claim));
        if let Some((_, _, claim)) = in_the_way {
            return self.wait_for_lease(&claim);
        }
        let (digest, drain) = match *self.wish {
            Wish::Update { digest, drain } if self.scene.motion == Motion::Still => (digest, drain),
            Wish::Repair { digest, drain } if self.scene.motion == Motion::Stuck => (digest, drain),
            Wish::Update { .. } | Wish::Repair { .. } | Wish::Soon { .. } | Wish::Nothing => {
                return match self.claims().next() {
                    Some(_) => Next::Wait {
                        wait_for: "a gate that opens soon; events stay paused".to_owned(),
                        until: None,
                    },
                    None => Next::Nothing,
                };
            }
        };
        if let Some(claim) = self.foreign_claim() {
            return self.wait_for_lease(&claim);
        }
        let shows = self
            .sent_under(self.scene.record)
            .and_then(|at| at.checked_add(self.terms.shows_within).ok());
        if let Some(until) = shows.filter(|until| self.scene.now < *until) {
            let wait_for = "the update that was sent to show in Service Catalog".to_owned();
            return Next::Wait { wait_for, until: Some(until) };
        }
        let hold = self.holds(digest);
        if !hold.is_empty() {
            return Next::Write(Act::Hold, hold);
        }
        let disable = self.disables();
        if !disable.is_empty() {
            return Next::Write(Act::Disable, disable);
        }
        self.wait_for_quiet(drain)
    }

    fn is_of_a_later_process(&self, claim: &Claim<'_>) -> bool {
        claim.by.is_some_and(|by| by.process() > self.me.process)
    }

    /// A claim of another controller. A gate forbids to begin beside it; this is for the moment in which both begin.
    fn foreign_claim(&self) -> Option<Claim<'a>> {
        self.scene.triggers.iter().find_map(|view| match &view.own {
            Some(Hold::Held(claim)) if claim.controller != self.me.controller => Some(*claim),
            Some(Hold::Held(_) | Hold::Released(_) | Hold::Garbled(_)) | None => None,
        })
    }

    /// Triggers to claim: those that run, those that only a hold keeps off, and those that an earlier process claimed.
    fn holds(&self, digest: &str) -> Vec<Write> {
        let Me { controller, process, .. } = *self.me;
        // All of one pause have one age.
        let at = self.claims().map(|(_, _, claim)| claim.at).min().unwrap_or(self.scene.now);
        let by = Some(By::Made(process));
        let made = Claim { record: self.scene.record, at, controller, digest, by };
        let claim_of = |view: &View<'a>| match &view.own {
            Some(Hold::Held(claim)) => {
                let is_mine = claim.by.is_some_and(|by| by.process() == process);
                (!is_mine).then(|| Claim { by: Some(By::Taken(process)), ..*claim }.to_string())
            }
            own @ (Some(Hold::Released(_) | Hold::Garbled(_)) | None) => {
                // Off, and somebody is about to enable it: another product, or another controller.
                let is_owed = view.owed_elsewhere
                    || matches!(own, Some(Hold::Released(Release { end: End::Open, .. })));
                let counts = view.power != Power::Off || is_owed;
                (view.of_hive && counts).then(|| made.to_string())
            }
        };
        let triggers = self.scene.triggers.iter().enumerate();
        triggers
            .filter_map(|(trigger, view)| Some(Write { trigger, tag: claim_of(view)? }))
            .collect()
    }

    fn wait_for_quiet(&self, drain: Duration) -> Next {
        let is_between = |view: &&View<'_>| view.power == Power::Between;
        if self.claims().map(|(_, view, _)| view).any(|view| is_between(&view)) {
            return Next::Wait {
                wait_for: "the triggers to read Disabled".to_owned(),
                until: None,
            };
        }
        let quiet_since = self
            .claims()
            .map(|(_, view, claim)| view.last_modified.unwrap_or(claim.at).max(claim.at))
            .max();
        let until = quiet_since.and_then(|since| since.checked_add(drain).ok());
        match until {
            Some(until) if self.scene.now < until => {
                Next::Wait { wait_for: "running events to finish".to_owned(), until: Some(until) }
            }
            Some(_) | None => Next::Paused,
        }
    }

    fn wait_for_lease(&self, claim: &Claim<'_>) -> Next {
        let by = claim.by.map(|by| format!(", process {}", by.process())).unwrap_or_default();
        let wait_for = if self.sent_under(claim.record).is_some() {
            "the update that was sent to show in Service Catalog".to_owned()
        } else {
            format!(
                "the hold of document {} by controller {}{by}, to end",
                claim.digest, claim.controller
            )
        };
        Next::Wait { wait_for, until: claim.at.checked_add(self.terms.lease).ok() }
    }
}

/// Whether something changes, as one look has it.
pub fn motion(product: Option<&Product>, record: &Seen<Record>, root: Option<&str>) -> Motion {
    let (Some(product), Some(root)) = (product, root) else { return Motion::Unknown };
    let record_runs = record.present().is_some_and(|record| !record.is_over());
    // Right after a request the product may still look as before: then its record is another one than the one that was read.
    let another = record.present().is_some_and(|record| {
        product.last_provisioning_record_id.as_ref().is_some_and(|id| *id != record.id)
    });
    if record_runs || another || product.status == "UNDER_CHANGE" || root.ends_with("_IN_PROGRESS")
    {
        return Motion::Moving;
    }
    match product.status.as_str() {
        "AVAILABLE" | "TAINTED" | "ERROR" => {}
        _ => return Motion::Unknown,
    }
    match root {
        // RollbackStack's last stable states (CloudFormation API reference).
        "CREATE_COMPLETE"
        | "UPDATE_COMPLETE"
        | "UPDATE_ROLLBACK_COMPLETE"
        | "IMPORT_COMPLETE"
        | "IMPORT_ROLLBACK_COMPLETE" => Motion::Still,
        _ => Motion::Stuck,
    }
}

/// What an observation says to the protocol. `None`: product or triggers are not known.
pub fn scene(observation: &Observation) -> Option<Scene<'_>> {
    let [product] = observation.products.present()?.as_slice() else { return None };
    let triggers = observation.triggers.present()?;
    let root = observation.root.present().map(|root| root.status.as_str());
    let view = |trigger| view(trigger, product, &triggers.te_versions);
    Some(Scene {
        record: product.last_provisioning_record_id.as_deref().unwrap_or(NO_RECORD),
        motion: motion(Some(product), &observation.last_record, root),
        now: observation.now,
        triggers: triggers.mappings.iter().map(view).collect(),
    })
}

fn view<'a>(trigger: &'a Trigger, product: &Product, te_versions: &[String]) -> View<'a> {
    let mut elsewhere = holds_on(trigger).unwrap_or_default();
    elsewhere.retain(|(id, _)| *id != product.id);
    let is_held = |(_, hold): &(&str, Hold<'_>)| matches!(hold, Hold::Held(_));
    let is_owed = |(_, hold): &(&str, Hold<'_>)| hold.is_owed();
    View {
        of_hive: te_versions.contains(&trigger.te_version),
        power: match trigger.state.as_str() {
            "Enabled" => Power::On,
            "Disabled" => Power::Off,
            _ => Power::Between,
        },
        last_modified: trigger.last_modified,
        own: hold_of(trigger, &product.id),
        held_elsewhere: elsewhere.iter().any(is_held),
        owed_elsewhere: elsewhere.iter().any(is_owed),
    }
}
