//! The gates about which product this is, whether it stands still, and by which rights it is changed.

use super::{Case, Verdict};
use crate::assess::facts::{ThePath, TheProduct, missing};
use crate::assess::holds::{Claim, Hold, LEASE, LONGEST_UPDATE, hold_of, holds_on};
use crate::assess::parameters::doubt;
use crate::assess::recovery::{self, Recovery};
use crate::assess::roles::Resolution;
use crate::assess::types::GateState;
use crate::desired::{Approval, Role};
use crate::observe::observation::{Product, Seen, Stack};
use crate::text::moment;
use std::time::Duration;

/// What the catalog calls TED.
const TED: &str = "Turbot Guardrails Enterprise Database";

/// 1. The caller's account is the document's.
pub(super) fn account(case: &Case<'_>) -> Verdict {
    let wanted = case.desired.spec.account.as_ref();
    let caller = match &case.observation.caller {
        Seen::Present(caller) => caller,
        Seen::Absent | Seen::Unreadable(_) | Seen::NotLooked => {
            return Verdict::unreadable(
                "who calls",
                missing(&case.observation.caller).unwrap_or_default(),
            );
        }
    };
    match wanted {
        None => Verdict::holds(format!(
            "the document names no account; the caller is in {0}: write `account: \"{0}\"` to pin it",
            caller.account
        )),
        Some(wanted) if wanted.as_str() == caller.account => {
            Verdict::holds(format!("account {wanted}"))
        }
        Some(wanted) => Verdict::person(
            format!(
                "the document is for account {wanted}, and the caller {} is in {}",
                caller.arn, caller.account
            ),
            format!(
                "use credentials of account {wanted}, or correct `account: \"{}\"`",
                caller.account
            ),
        ),
    }
}

/// 2. Exactly one provisioned product, of TED, a CloudFormation stack, in a status that may be updated.
pub(super) fn product(case: &Case<'_>) -> Verdict {
    let wanted = &case.desired.spec.provisioned_product;
    match case.facts.product {
        TheProduct::Unknown(why) => Verdict::unreadable("the provisioned product", why),
        TheProduct::None => Verdict::person(
            format!(
                "Service Catalog shows no provisioned product `{wanted}` in {}; it does not tell \"not there\" from \"not allowed\"",
                case.observation.region
            ),
            "correct `provisionedProduct`, `region` or `account`, or grant access: `ted-controller doctor`",
        ),
        TheProduct::Several(products) => {
            let ids: Vec<String> = products
                .iter()
                .map(|product| format!("`provisionedProduct: {}`", product.id))
                .collect();
            Verdict::person(
                format!("{} provisioned products fit `{wanted}`", products.len()),
                format!("name one of them: {}", ids.join(", ")),
            )
        }
        TheProduct::One(product) => Verdict::all(vec![
            product_is_ted(case, product),
            product_kind(product),
            product_status(product),
        ]),
    }
}

/// Whether it is the product that the document means, by account, kind and hive, whatever its status: a stack may have to be repaired
/// whose product is in `ERROR`. And no other controller works on its triggers.
pub(in crate::assess) fn right_product(case: &Case<'_>) -> Verdict {
    let TheProduct::One(one) = case.facts.product else { return product(case) };
    let mut parts =
        vec![account(case), product_is_ted(case, one), product_kind(one), identity(case)];
    parts.extend(holds_of_others(case, true));
    let whole = Verdict::all(parts);
    if whole.passes() { Verdict::holds("") } else { whole }
}

fn product_is_ted(case: &Case<'_>, product: &Product) -> Verdict {
    let is_ted = |text: &str| text.to_ascii_lowercase().contains(&TED.to_ascii_lowercase());
    if let Some(name) = &product.product_name {
        return if is_ted(name) {
            Verdict::holds("")
        } else {
            Verdict::person(
                format!("`{}` is of the product \"{name}\", not of \"{TED}\"", product.name),
                "correct `provisionedProduct`",
            )
        };
    }
    // A description begins with the product's name: `Turbot Guardrails Enterprise Database v1.44.0 [Build #…]`.
    let described = case
        .observation
        .versions
        .present()
        .into_iter()
        .flatten()
        .any(|artifact| artifact.description.as_deref().is_some_and(is_ted));
    if described {
        Verdict::holds("")
    } else {
        Verdict::unknown(
            format!("whether `{}` is of the product \"{TED}\" is not known", product.name),
            "`ted-controller doctor` shows what is missing",
        )
    }
}

fn product_kind(product: &Product) -> Verdict {
    if product.kind == "CFN_STACK" {
        Verdict::holds("")
    } else {
        Verdict::person(
            format!("`{}` is of type {}, not CFN_STACK", product.name, product.kind),
            "correct `provisionedProduct`",
        )
    }
}

/// A `TAINTED` product is stable and may be updated; an `ERROR` is not the same thing.
fn product_status(product: &Product) -> Verdict {
    let who = format!("`{}` ({}) is {}", product.name, product.id, product.status);
    match product.status.as_str() {
        "AVAILABLE" => Verdict::holds(who),
        "TAINTED" => Verdict::holds(format!(
            "{who}: its last operation did not do what was asked; it may be updated"
        )),
        "UNDER_CHANGE" => Verdict::waiting(format!("{who}: an operation runs"), None),
        "PLAN_IN_PROGRESS" => Verdict::person(
            format!("{who}: a plan for a new product was made and not carried out"),
            "carry the plan out or delete it in Service Catalog",
        ),
        "ERROR" => Verdict::person(
            format!("{who}: its stack does not run"),
            "see why in Service Catalog and CloudFormation; such a product is usually terminated and launched anew",
        ),
        _ => Verdict::unknown(
            format!("{who}, which this version does not know"),
            "look at the product in Service Catalog; a newer ted-controller may know the status",
        ),
    }
}

/// 3. The stack's hive is the document's.
pub(super) fn identity(case: &Case<'_>) -> Verdict {
    let wanted = &case.desired.spec.hive;
    if let Some(why) = missing(&case.observation.root) {
        return Verdict::unreadable("the root stack", why);
    }
    match case.facts.hive {
        Some(hive) if hive == wanted.as_str() => Verdict::holds(format!("hive {hive}")),
        Some(hive) => Verdict::person(
            format!("the stack is of hive `{hive}`, and the document is for `{wanted}`"),
            format!("correct `provisionedProduct`, or write `hive: {hive}`"),
        ),
        None => match case.facts.roles.of(Role::HiveName) {
            Resolution::Doubtful { why, candidates } => {
                let doubt = doubt(Role::HiveName, why, candidates);
                Verdict::person(doubt.message, doubt.remedy)
            }
            Resolution::Absent { candidates } => {
                let doubt = doubt(Role::HiveName, "no label tells", candidates);
                Verdict::person(doubt.message, doubt.remedy)
            }
            Resolution::Unknown { why } => Verdict::unreadable("the hive's name", why),
            Resolution::Found { key, in_present: _, in_target: _ } => Verdict::unknown(
                format!("the running stack shows no value for `{key}`"),
                "look at the stack's parameters in CloudFormation",
            ),
        },
    }
}

/// Whether a stack stands still, for an update.
fn stack_status(what: &str, status: &str, reason: Option<&str>) -> Verdict {
    let message = match reason.filter(|reason| !reason.is_empty()) {
        Some(reason) => format!("{what} is {status}: {}", reason.trim_end_matches(['.', ' '])),
        None => format!("{what} is {status}"),
    };
    match status {
        // RollbackStack's last stable states (CloudFormation API reference).
        "CREATE_COMPLETE"
        | "UPDATE_COMPLETE"
        | "UPDATE_ROLLBACK_COMPLETE"
        | "IMPORT_COMPLETE"
        | "IMPORT_ROLLBACK_COMPLETE" => Verdict::holds(""),
        "CREATE_IN_PROGRESS"
        | "ROLLBACK_IN_PROGRESS"
        | "UPDATE_IN_PROGRESS"
        | "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"
        | "UPDATE_ROLLBACK_IN_PROGRESS"
        | "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS"
        | "DELETE_IN_PROGRESS"
        | "IMPORT_IN_PROGRESS"
        | "IMPORT_ROLLBACK_IN_PROGRESS" => Verdict::waiting(message, None),
        "UPDATE_ROLLBACK_FAILED" => Verdict::person(
            message,
            "continue the rollback of the root stack: `ted-controller diagnose` says how, and what it may skip",
        ),
        "UPDATE_FAILED" => {
            Verdict::person(message, "roll the stack back (RollbackStack) in CloudFormation")
        }
        "REVIEW_IN_PROGRESS" => {
            Verdict::person(message, "execute or delete its change set in CloudFormation")
        }
        "DELETE_COMPLETE" => Verdict::person(message, "see the finding `sync/stack-missing`"),
        "CREATE_FAILED"
        | "ROLLBACK_FAILED"
        | "ROLLBACK_COMPLETE"
        | "DELETE_FAILED"
        | "IMPORT_ROLLBACK_FAILED" => {
            Verdict::person(message, "repair the stack in CloudFormation")
        }
        _ => Verdict::unknown(
            format!("{message}, which this version does not know"),
            "look at the stack in CloudFormation; a newer ted-controller may know the status",
        ),
    }
}

/// 4. Nothing is under change: product, stacks, relatives; and nobody else is at work on the triggers.
pub(super) fn stable(case: &Case<'_>) -> Verdict {
    let observation = case.observation;
    let mut parts = vec![Verdict::holds("")];
    if let Some(product) = case.facts.product.one()
        && product.status == "UNDER_CHANGE"
    {
        parts.push(Verdict::waiting("the provisioned product is under change", None));
    }
    // Right after a request the product may still look as before; its record does not.
    match &observation.last_record {
        Seen::Present(record) if record.runs() => {
            parts
                .push(Verdict::waiting(format!("record {} is {}", record.id, record.status), None));
        }
        // Old products have none.
        Seen::Present(_) | Seen::Absent | Seen::NotLooked => {}
        Seen::Unreadable(gap) => parts.push(Verdict::unreadable("the last record", &gap.message)),
    }
    // What is to be done about a rollback that failed is said once, for all stacks below.
    let recovery = recovery::recovery(case);
    match &observation.root {
        Seen::Present(root) => parts.push(match &recovery {
            Some(recovery) => stuck(root, recovery),
            None => stack_status("the root stack", &root.status, root.reason.as_deref()),
        }),
        Seen::Absent => parts
            .push(Verdict::person("the root stack is not there", "look for it in CloudFormation")),
        unreadable @ (Seen::Unreadable(_) | Seen::NotLooked) => {
            parts.push(Verdict::unreadable(
                "the root stack",
                missing(unreadable).unwrap_or_default(),
            ));
        }
    }
    match &observation.nested {
        Seen::Present(nested) => parts.extend(
            nested
                .iter()
                .filter(|stack| recovery.is_none() || stack.status != "UPDATE_ROLLBACK_FAILED")
                .map(|stack| {
                    stack_status(
                        &format!("nested stack `{}`", stack.logical_id),
                        &stack.status,
                        stack.reason.as_deref(),
                    )
                }),
        ),
        Seen::Absent => {}
        unreadable @ (Seen::Unreadable(_) | Seen::NotLooked) => {
            parts.push(Verdict::unreadable(
                "the nested stacks",
                missing(unreadable).unwrap_or_default(),
            ));
        }
    }
    match &observation.relatives {
        Seen::Present(relatives) => {
            parts.extend(
                relatives.iter().map(|relative| relative_status(&relative.name, &relative.status)),
            );
        }
        Seen::Absent => {}
        unreadable @ (Seen::Unreadable(_) | Seen::NotLooked) => parts.push(Verdict::unreadable(
            "the Workspace and TE stacks of this hive",
            missing(unreadable).unwrap_or_default(),
        )),
    }
    parts.extend(holds_of_others(case, false));
    let whole = Verdict::all(parts);
    if whole.passes() { Verdict::holds("nothing is under change") } else { whole }
}

/// A root stack whose rollback failed: no update before it is continued.
fn stuck(root: &Stack, recovery: &Recovery) -> Verdict {
    let why = root.reason.as_deref().unwrap_or_default().trim_end_matches(['.', ' ']);
    let why = if why.is_empty() { String::new() } else { format!(": {why}") };
    let message = format!("the root stack is {}{why}; {}", root.status, recovery.verdict.message);
    match recovery.verdict.state {
        GateState::Holds | GateState::NotApplicable | GateState::Waiting => {
            Verdict::waiting(message, recovery.verdict.until)
        }
        GateState::NeedsPerson => Verdict::person(message, recovery.verdict.remedy.as_str()),
        GateState::Unknown => Verdict::unknown(message, recovery.verdict.remedy.as_str()),
    }
}

/// Of a TE or Workspace stack it only counts whether it moves: one that failed is its owner's affair, and stands still.
fn relative_status(name: &str, status: &str) -> Verdict {
    let verdict = stack_status(&format!("`{name}` of this hive"), status, None);
    match status {
        // Waits for its change set, and nobody knows how long.
        "REVIEW_IN_PROGRESS" => Verdict::holds(""),
        _ if status.ends_with("_FAILED") || status.ends_with("_COMPLETE") => Verdict::holds(""),
        _ => verdict,
    }
}

/// Holds of another product on a trigger that is shared, and holds of another controller on this one's; `own_only`: these alone.
fn holds_of_others(case: &Case<'_>, own_only: bool) -> Vec<Verdict> {
    let own = case.facts.product.one().map(|product| product.id.as_str());
    let triggers =
        case.observation.triggers.present().map_or(&[][..], |triggers| &triggers.mappings);
    let me = case.context.controller_id.as_str();
    // Where both began at once, the earlier claim goes on and the later one is given up.
    let mine = own.and_then(|own| {
        let claims = triggers.iter().filter_map(|trigger| match hold_of(trigger, own)? {
            Hold::Held(claim) if claim.controller == me => Some((claim.at, me)),
            Hold::Held(_) | Hold::Released(_) | Hold::Garbled(_) => None,
        });
        claims.min()
    });
    let mut verdicts = Vec::new();
    // Triggers with unreadable tags are `events-pausable`'s.
    for (product, hold) in triggers.iter().filter_map(holds_on).flatten() {
        let Hold::Held(Claim { record: _, at, controller, digest: _, by: _ }) = hold else {
            continue;
        };
        let is_own = Some(product) == own;
        if (is_own && controller == me) || (own_only && !is_own) {
            continue;
        }
        let lease = jiff::SignedDuration::try_from(LEASE).unwrap_or_default();
        // A hold of this product ends with its lease or with a record; another product's lasts as long as its update.
        let limit = if is_own { lease } else { LONGEST_UPDATE };
        let over = at.saturating_add(limit).unwrap_or(at);
        let message = format!(
            "controller `{controller}` holds triggers for `{product}` since {}",
            moment(at)
        );
        let verdict = if over <= case.now() {
            Verdict::person(
                format!("{message}, longer than a hold lasts"),
                format!("if that controller is gone: `ted-controller resume-events {product}`"),
            )
        } else if is_own && mine.is_none_or(|mine| (at, controller) < mine) {
            Verdict::waiting(message, Some(over))
        } else {
            Verdict::waiting(message, None)
        };
        if !verdicts.contains(&verdict) {
            verdicts.push(verdict);
        }
    }
    verdicts
}

/// 5. The product launches under a role, or the caller's credentials and rights outlast the update.
pub(super) fn launch_role(case: &Case<'_>) -> Verdict {
    let Some(product) = case.facts.product.one() else {
        return Verdict::unknown(
            "this can be told only once the product is known",
            "see the gate `product`",
        );
    };
    let offer_role = case
        .observation
        .target
        .present()
        .and_then(|offer| offer.usage.present()?.launch_role.as_deref());
    let role = product.launch_role_arn.as_deref().or(offer_role);
    if let Some(role) = role {
        return Verdict::holds(format!("changes run as {role}"));
    }
    if let ThePath::One(path) = &case.facts.path
        && path.launch_constraint
    {
        return Verdict::holds(format!("the portfolio \"{}\" has a launch constraint", path.name));
    }
    if case.approves(&Approval::NoLaunchRole) {
        return Verdict::holds(
            "no launch role: changes run on the caller's credentials, as approved",
        );
    }
    let credentials = &case.context.credentials;
    // Twice the expected time: an update that fails takes about as long to roll back, on the same credentials.
    let needed = case.facts.expected_update.saturating_mul(2);
    let last = credentials.lasts(case.now(), needed);
    let message = match (last, credentials.may_change) {
        (Some(true), Some(true)) => {
            return Verdict::holds("no launch role: the caller's credentials outlast the update and have the rights");
        }
        (Some(false), _) => format!(
            "no launch role, and the caller's credentials may end before the update does (it needs up to {})",
            minutes(needed)
        ),
        (None, _) => "no launch role, and how long the caller's credentials last is not known".to_owned(),
        (Some(true), Some(false)) => "no launch role, and the caller lacks rights that the update needs".to_owned(),
        (Some(true), None) => {
            "no launch role, and whether the caller has all rights that the update needs is not known".to_owned()
        }
    };
    Verdict::person(
        message,
        format!(
            "give the product a launch constraint, or accept it: `approve: [{}]`",
            Approval::NoLaunchRole
        ),
    )
}

/// A duration in whole minutes, as people say it.
pub(super) fn minutes(duration: Duration) -> String {
    format!("{} min", duration.as_secs().div_ceil(60))
}
