//! The ways in which a request may name a function: name, partial ARN or ARN, each with a version or alias.

use super::{function_arn, function_not_found, not_found};
use crate::error::ApiError;
use crate::services::lambda::Function;
use crate::services::{Call, iam};
use crate::spec::{Service, matches};
use crate::world::{Region, Scope};

/// A function as a request names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FunctionName<'t> {
    pub(super) region: Option<&'t str>,
    pub(super) account: Option<&'t str>,
    pub(super) name: &'t str,
    /// A version, an alias or `$LATEST`.
    pub(super) qualifier: Option<&'t str>,
}

impl<'t> FunctionName<'t> {
    /// Reads a text that has the form validation asks for.
    pub(super) fn parse(text: &'t str) -> Self {
        let mut parts: &[&str] = &text.split(':').collect::<Vec<_>>();
        if parts.len() > 3 && parts[0] == "arn" {
            parts = &parts[3..];
        }
        let mut take = |is: fn(&str) -> bool| match parts {
            [first, rest @ ..] if !rest.is_empty() && is(first) => {
                parts = rest;
                Some(*first)
            }
            _ => None,
        };
        let region =
            take(|part| matches("(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-[0-9]", part));
        let account =
            take(|part| part.len() == 12 && part.bytes().all(|byte| byte.is_ascii_digit()));
        take(|part| part == "function");
        Self {
            region,
            account,
            name: parts.first().copied().unwrap_or_default(),
            qualifier: parts.get(1).copied(),
        }
    }

    /// Reads the function that a call names. Functions of other accounts are refused: their resource policies are not evaluated here.
    ///
    /// # Errors
    /// `AccessDeniedException` for another account's function.
    pub(super) fn of_call(
        call: &Call<'_>,
        operation: &str,
        text: &'t str,
    ) -> Result<Self, ApiError> {
        let name = Self::parse(text);
        let Some(other) = name.account.filter(|other| *other != call.scope.account) else {
            return Ok(name);
        };
        let arn =
            function_arn(&Scope::new(other, call.scope.region.clone()), name.name, name.qualifier);
        let message = format!(
            "User: {} is not authorized to perform: lambda:{operation} on resource: {arn} because no resource-based policy allows the lambda:{operation} action",
            call.caller.arn
        );
        Err(iam::denied(Service::Lambda, ApiError::new("AccessDenied", message)))
    }

    /// Finds the function, and the version or alias that is meant (absent: the newest code).
    ///
    /// # Errors
    /// `ResourceNotFoundException` for what is not there, in another region or in another account.
    pub(super) fn find<'r>(
        self,
        region: &'r Region,
        scope: &Scope,
    ) -> Result<(&'r Function, Option<&'t str>), ApiError> {
        if let Some(other) = self.region.filter(|other| *other != scope.region) {
            return Err(not_found(format!(
                "Functions from '{other}' are not reachable in this region ('{}')",
                scope.region
            )));
        }
        if let Some(other) = self.account.filter(|other| *other != scope.account) {
            return Err(function_not_found(
                &Scope::new(other, scope.region.clone()),
                self.name,
                self.qualifier,
            ));
        }
        let missing = || function_not_found(scope, self.name, self.qualifier);
        let function = region.lambda.function(self.name).ok_or_else(missing)?;
        if self.qualifier.is_some_and(|qualifier| function.version_of(qualifier).is_none()) {
            return Err(missing());
        }
        Ok((function, self.qualifier.filter(|qualifier| *qualifier != "$LATEST")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_a_name_is_read() {
        let region = Some("us-east-2");
        let account = Some("111122223333");
        for (text, expected) in [
            ("f", (None, None, "f", None)),
            ("f:live", (None, None, "f", Some("live"))),
            ("f:$LATEST", (None, None, "f", Some("$LATEST"))),
            ("function:f", (None, None, "f", None)),
            ("111122223333:function:f", (None, account, "f", None)),
            ("111122223333:f:7", (None, account, "f", Some("7"))),
            ("us-east-2:111122223333:function:f", (region, account, "f", None)),
            ("arn:aws:lambda:us-east-2:111122223333:function:f", (region, account, "f", None)),
            (
                "arn:aws-us-gov:lambda:us-gov-west-1:111122223333:function:f:live",
                (Some("us-gov-west-1"), account, "f", Some("live")),
            ),
            ("function", (None, None, "function", None)),
            ("111122223333", (None, None, "111122223333", None)),
        ] {
            let (region, account, name, qualifier) = expected;
            assert_eq!(
                FunctionName::parse(text),
                FunctionName { region, account, name, qualifier },
                "{text}"
            );
        }
    }
}
