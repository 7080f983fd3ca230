//! Holds of documents that went away while nobody looked: found by what a look shows anyway, and by what the state file remembers. Their
//! products become TEDs without a document, of which there is one thing to do: give back.
//!
//! A look at any TED reads the tags of worker triggers of its region that are off, whomever they serve; so holds of this controller for
//! products that no document names cost no request. What is in another account or region than every document the state file knows, if it
//! survived. Two processes that share an id may both do this: the protocol is checked with such pairs.

use super::pass::Verdict;
use super::queue::Place;
use super::{Controller, Slot};
use crate::assess::holds::{End, Hold};
use crate::assess::past::Kept;
use crate::aws::Role;
use crate::clock;
use crate::desired::{InForce, Name, ProductRef};
use crate::observe::Query;

impl Controller {
    /// Takes over what a former process held and had not given back, and whose document is gone.
    pub(super) fn adopt_remembered(&mut self, in_force: &InForce) {
        if std::mem::replace(&mut self.remembered_adopted, true) {
            return;
        }
        for (name, kept) in self.store.former_kept() {
            let Ok(name) = Name::parse(&name) else { continue };
            let named = in_force.get(&name).is_some() || self.slots.contains_key(&name);
            if !named {
                let query = query_of(&kept);
                self.adopt_orphan(name, query, &kept.product);
            }
        }
    }

    /// Takes over what this controller holds for products that no document names, as far as a look shows it.
    pub(super) fn adopt_strays(&mut self, name: &Name, verdict: &Verdict) {
        let Some(query) = self.slots.get(name).map(|slot| slot.query.clone()) else { return };
        for product in self.strays(verdict) {
            let known = self.orphans_done.contains(&product)
                || self.slots.values().any(|slot| slot.product.as_ref() == Some(&product));
            // A TED that was not looked at yet may be of that product.
            let place = Place::of(&query);
            let may_be_known = |slot: &Slot| {
                slot.entry.is_some() && slot.product.is_none() && Place::of(&slot.query) == place
            };
            if known || self.slots.values().any(may_be_known) {
                continue;
            }
            let (Ok(name), Ok(wanted)) = (Name::parse(&product), ProductRef::parse(&product))
            else {
                continue;
            };
            if !self.slots.contains_key(&name) {
                let query = Query { product: wanted, hive: None, wish: None, ..query.clone() };
                self.adopt_orphan(name, query, &product);
            }
        }
    }

    /// Products on whose behalf triggers bear a claim of this controller, or are still to be enabled by it.
    fn strays(&self, verdict: &Verdict) -> Vec<String> {
        let me = self.settings.controller_id.as_str();
        let triggers = verdict.observation.triggers.present();
        let holds = triggers.into_iter().flat_map(|triggers| &triggers.elsewhere);
        let is_ours = |value: &str| match Hold::parse(value) {
            Hold::Held(claim) => claim.controller == me,
            Hold::Released(release) => release.end == End::Open && release.controller == Some(me),
            Hold::Garbled(_) => false,
        };
        let mut products: Vec<String> =
            holds.filter(|hold| is_ours(&hold.value)).map(|hold| hold.product.clone()).collect();
        products.sort();
        products.dedup();
        products
    }

    fn adopt_orphan(&mut self, name: Name, query: Query, product: &str) {
        tracing::warn!(
            ted = name.as_str(),
            product,
            "this controller holds triggers for a product that no document names: they are given back"
        );
        self.store.put_without_document(&name, query.product.as_str(), clock::wall());
        let mut slot = Slot::without(name.clone(), query, clock::now());
        slot.product = Some(product.to_owned());
        self.slots.insert(name, slot);
    }

    /// A TED with a document turned out to be of a product: whoever gave that back without one has nothing to do any more.
    pub(super) fn yield_to(&mut self, name: &Name) {
        let Some(slot) = self.slots.get(name).filter(|slot| slot.entry.is_some()) else { return };
        let Some(product) = slot.product.clone() else { return };
        let others = self.slots.values().filter(|other| {
            other.entry.is_none() && other.product.as_ref() == Some(&product) && !other.running
        });
        let others: Vec<Name> = others.map(|other| other.name.clone()).collect();
        for other in others {
            tracing::info!(
                ted = other.as_str(),
                by = name.as_str(),
                "another document names its product"
            );
            self.slots.remove(&other);
            self.store.forget(&other);
        }
    }
}

/// Where to look for what a former process kept off. An external id is a secret and is not remembered: a role that asks for one cannot be
/// assumed again.
fn query_of(kept: &Kept) -> Query {
    let product = ProductRef::parse(&kept.product);
    let product = product.unwrap_or_else(|_| ProductRef::Id(kept.product.clone()));
    let role = kept.role.clone().map(|arn| Role { arn, external_id: None });
    Query {
        role,
        account: kept.account.clone(),
        prefix: kept.prefix.clone(),
        ..Query::product(product, Some(kept.region.clone()))
    }
}
