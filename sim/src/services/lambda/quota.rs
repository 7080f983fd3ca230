//! Lambda's quota of control-plane requests, per account and region.

use crate::error::ApiError;
use crate::time::SimTime;
use crate::world::Scope;
use std::collections::BTreeMap;

/// What is left of each quota: it refills steadily, up to one second's worth.
#[derive(Debug, Default)]
pub(crate) struct Quota {
    left: BTreeMap<Scope, (SimTime, f64)>,
}

impl Quota {
    /// Takes one request out of the quota of `rate` requests a second; without a rate everything is admitted.
    ///
    /// # Errors
    /// `TooManyRequestsException` (429) with `Retry-After`.
    pub(super) fn admit(
        &mut self,
        scope: &Scope,
        rate: Option<u32>,
        now: SimTime,
    ) -> Result<(), ApiError> {
        let Some(rate) = rate else { return Ok(()) };
        let rate = f64::from(rate);
        let (then, left) = self.left.get(scope).copied().unwrap_or((now, rate));
        let left = (left + now.since(then).as_secs_f64() * rate).min(rate);
        let admitted = left >= 1.0;
        self.left.insert(scope.clone(), (now, if admitted { left - 1.0 } else { left }));
        if admitted {
            return Ok(());
        }
        let mut error = ApiError::new("TooManyRequestsException", "Rate exceeded").with_status(429);
        error.retry_after = Some(1);
        Err(error)
    }
}

#[cfg(test)]
mod tests {
    use crate::options::Options;
    use crate::services::iam::testing::{ask, pass, world};
    use crate::spec::Service;
    use serde_json::json;

    #[test]
    fn fifteen_a_second_are_admitted_and_the_sixteenth_is_told_to_wait() {
        let mut world =
            world(Options { lambda_requests_per_second: Some(15), ..Options::default() });
        for second in 0..3 {
            for request in 0..16 {
                let answer = ask(&mut world, Service::Lambda, "ListFunctions", &json!({}));
                assert_eq!(answer.is_ok(), request < 15, "second {second}, request {request}");
                if let Err(error) = answer {
                    assert_eq!(
                        (error.code.as_ref(), error.status, error.retry_after),
                        ("TooManyRequestsException", 429, Some(1))
                    );
                }
            }
            pass(&mut world, 1);
        }
    }

    #[test]
    fn without_a_quota_everything_is_admitted() {
        let mut world = world(Options::default());
        for _ in 0..1000 {
            ask(&mut world, Service::Lambda, "ListFunctions", &json!({})).unwrap();
        }
    }
}
