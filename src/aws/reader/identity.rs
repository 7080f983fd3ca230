//! STS and IAM: who we are, and what we may do.

use super::Reader;
use crate::aws::call::all_pages;
use crate::aws::errors::Error;
use crate::aws::table::{Op, Service};
use crate::aws::types::{CallerIdentity, SimulatedPermission};
use crate::text::sanitize;

impl Reader {
    /// The caller. Needs no permission. Asked anew each time; `Session::identity` remembers.
    ///
    /// # Errors
    /// The request failed.
    pub async fn caller_identity(&self) -> Result<CallerIdentity, Error> {
        let answer = self
            .caller
            .read(Op::GetCallerIdentity, || self.clients.sts.get_caller_identity().send())
            .await?;
        match (answer.account, answer.arn) {
            (Some(account), Some(arn)) => Ok(CallerIdentity {
                account,
                arn: sanitize(&arn),
                user_id: answer.user_id.unwrap_or_default(),
            }),
            _ => Err(Error::bad_answer(
                Service::Sts,
                "GetCallerIdentity",
                "the answer has no `Account` or no `Arn`",
            )),
        }
    }

    /// What IAM's simulation says about actions of a principal (of a role: the role's ARN, not the session's).
    ///
    /// Organisation policies are taken into account, resource policies and the portfolio's principals are not.
    ///
    /// # Errors
    /// The request failed; mostly it is not allowed.
    pub async fn simulate_permissions(
        &self,
        principal_arn: &str,
        actions: &[String],
        resources: &[String],
    ) -> Result<Vec<SimulatedPermission>, Error> {
        let results = all_pages(Op::SimulatePrincipalPolicy, |marker| async move {
            let send = || {
                let call =
                    self.clients.iam.simulate_principal_policy().policy_source_arn(principal_arn);
                let call = call.set_action_names(Some(actions.to_vec()));
                let call =
                    call.set_resource_arns((!resources.is_empty()).then(|| resources.to_vec()));
                call.set_marker(marker.clone()).send()
            };
            let page = self.caller.read(Op::SimulatePrincipalPolicy, send).await?;
            Ok((page.evaluation_results.unwrap_or_default(), page.marker))
        });
        let results = results.await?.into_iter().map(|result| SimulatedPermission {
            action: result.eval_action_name,
            resource: result.eval_resource_name,
            decision: result.eval_decision.as_str().to_owned(),
            allowed_by_organization: result
                .organizations_decision_detail
                .map(|detail| detail.allowed_by_organizations),
        });
        Ok(results.collect())
    }
}
