//! The continuation of a rollback that failed: one request, under a token that makes it the same one for whoever continues the same failure.
//!
//! It never passes a role, and skips what the step says and nothing else.

use super::Outcome;
use crate::assess::types::ContinueOrder;
use crate::aws::{self, IdempotencyToken, Reader, Writer};
use crate::clock::Instant;

/// Continues it, if the stack still is what the step was decided on.
pub(super) async fn go_on(
    reader: &Reader,
    writer: &Writer,
    order: &ContinueOrder,
    until: Instant,
) -> Outcome {
    let mut outcome = Outcome::default();
    // Letters and digits of a digest: it always is one.
    let Ok(token) = IdempotencyToken::new(order.token.clone()) else {
        outcome.passed_over.push("the continuation's token is none".to_owned());
        return outcome;
    };
    let what = format!("continue the rollback of `{}`", order.stack_name);
    match reader.stack(&order.stack_id).await {
        Ok(Some(stack)) if stack.status.as_deref() == Some("UPDATE_ROLLBACK_FAILED") => {}
        Ok(_) => {
            outcome.passed_over.push(format!("`{}` changed meanwhile", order.stack_name));
            return outcome;
        }
        Err(error) => {
            outcome.refuse(&format!("cannot look at `{}` again", order.stack_name), &error);
            return outcome;
        }
    }
    if outcome.is_over(until) {
        return outcome;
    }
    match writer.continue_update_rollback(&order.stack_id, &order.skip, &token).await {
        aws::Outcome::Accepted(()) => outcome.done = 1,
        aws::Outcome::Refused(error) => outcome.refuse(&format!("cannot {what}"), &error),
        aws::Outcome::Unknown(error) => {
            outcome.unknown.push(format!("nobody knows whether AWS took it to {what}: {error}"));
        }
    }
    outcome
}
