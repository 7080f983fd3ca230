//! The last question before something begins: does the verdict keep the rules that `assess::check` states a second time? If not, that is
//! a mistake of ours, and nothing begins; giving events back is never asked about.

use crate::act::Refusal;
use crate::assess::check::broken_rules;
use crate::assess::types::{Assessment, StepKind};
use crate::aws::Class;
use crate::desired::Desired;
use crate::observe::observation::Observation;

/// Why a step must not be taken, although it was decided.
pub(super) fn objection(
    step: StepKind,
    desired: Option<&Desired>,
    observation: &Observation,
    assessment: &Assessment,
) -> Option<Refusal> {
    if !step.begins_something() {
        return None;
    }
    let broken = broken_rules(desired, observation, assessment);
    let first = broken.first()?;
    for broken in &broken {
        tracing::error!(rule = broken.rule, by = broken.by, "an assessment breaks a rule");
    }
    let message = format!(
        "not begun: the verdict breaks a rule of its own ({first}): that is a mistake of the controller; please report it, with `ted-controller support-bundle`"
    );
    Some(Refusal {
        message: crate::text::sanitize(&message),
        class: Class::Terminal,
        reason: "RuleBroken",
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assess::testing::World;
    use crate::assess::types::Order;

    #[test]
    fn a_verdict_that_breaks_a_rule_begins_nothing_and_still_gives_back() {
        let world = World::migrating();
        let (desired, seen) = (world.desired(), &world.observation);
        let right = world.assess();
        let ask = |step, verdict: &Assessment| objection(step, Some(&desired), seen, verdict);
        assert_eq!(ask(StepKind::Update, &right), None);

        let mut wrong = right.clone();
        for step in wrong.plan.iter_mut().chain(&mut wrong.next) {
            if let Order::Update(order) = &mut step.order {
                order.token = "another".to_owned();
            }
        }
        let refusal = ask(StepKind::Update, &wrong).expect("it is refused");
        assert!(refusal.message.contains("a token depends on the product"), "{refusal:?}");
        assert_eq!(refusal.class, Class::Terminal);
        assert!(ask(StepKind::Hold, &wrong).is_some());
        for step in [StepKind::Release, StepKind::Enable] {
            assert_eq!(ask(step, &wrong), None, "{step:?}");
        }
    }
}
