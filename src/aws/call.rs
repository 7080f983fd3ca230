//! One call to AWS, with everything that every call needs: budget, attempts, counters, classification.
//!
//! **Retries happen here and nowhere else**; the SDK's own are switched off. The SDK would send a write again after a
//! timeout, it retries used-up quotas, and it knows nothing of our budget. Here a read is tried again when the error may
//! pass by itself; a write only when it was certainly not carried out. Credential providers keep the SDK's own habits:
//! what they send is not ours.
//!
//! Expected flow: wait for the budget, send, classify, count; after a transient failure wait with jitter and send again,
//! until [`RetryPolicy`] says enough.

use super::budget::{BudgetKey, Budgets, Counters, RequestLabels};
use super::errors::{Error, Kind};
use super::table::Op;
use crate::clock;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// How often and how long one call is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Attempts in all, at least 1.
    pub max_attempts: u32,
    /// The longest pause before the second attempt; doubles with each further one. The real pause is drawn evenly
    /// between zero and this ("full jitter"), so that many controllers do not knock in step.
    pub base_pause: Duration,
    /// No pause is longer.
    pub max_pause: Duration,
    /// No further attempt is begun after this. One attempt has its own limit, so a call ends by the sum of both.
    pub operation_timeout: Duration,
}

impl Default for RetryPolicy {
    /// Four attempts: pauses of at most 0.5, 1 and 2 s. A loop that looks again in two minutes need not insist.
    fn default() -> Self {
        Self {
            max_attempts: 4,
            base_pause: Duration::from_millis(500),
            max_pause: Duration::from_secs(20),
            operation_timeout: Duration::from_secs(45),
        }
    }
}

impl RetryPolicy {
    /// The longest pause after `attempt` (from 1) failed.
    fn ceiling(&self, attempt: u32) -> Duration {
        self.base_pause.saturating_mul(1 << attempt.saturating_sub(1).min(16)).min(self.max_pause)
    }
}

/// Where numbers for jitter come from: a counter through a mixing function (splitmix64), seeded from outside.
#[derive(Debug)]
pub(crate) struct Jitter(AtomicU64);

impl Jitter {
    pub(crate) fn new(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }

    /// Evenly between zero and `ceiling`.
    fn below(&self, ceiling: Duration) -> Duration {
        let mut z = self
            .0
            .fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed)
            .wrapping_add(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let fraction = f64::from(u32::try_from((z ^ (z >> 31)) >> 32).unwrap_or(u32::MAX))
            / f64::from(u32::MAX);
        ceiling.mul_f64(fraction)
    }
}

/// The account and region that calls are booked under.
#[derive(Debug)]
pub(crate) struct Scope {
    /// Set once: from the role's ARN, or by `GetCallerIdentity`.
    pub(crate) account: OnceLock<String>,
    pub(crate) region: String,
}

impl Scope {
    fn account(&self) -> String {
        self.account.get().cloned().unwrap_or_else(|| "unknown".to_owned())
    }

    fn key(&self, op: Op) -> BudgetKey {
        BudgetKey {
            account: self.account(),
            region: self.region.clone(),
            service: op.operation().service,
        }
    }
}

/// Makes calls for one session.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub(crate) scope: Arc<Scope>,
    pub(crate) budgets: Arc<Budgets>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) jitter: Arc<Jitter>,
    pub(crate) retry: RetryPolicy,
}

impl Caller {
    /// A call that changes nothing, so it can be sent again whenever that may help.
    ///
    /// # Errors
    /// The last attempt's.
    pub(crate) async fn read<T, E, F, Fut>(&self, op: Op, send: F) -> Result<T, Error>
    where
        F: Fn() -> Fut,
        Fut: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        self.attempts(op, send, read_may_be_sent_again).await
    }

    /// A call that changes something: sent again only if it was certainly not carried out.
    ///
    /// # Errors
    /// The last attempt's.
    pub(crate) async fn write<T, E, F, Fut>(&self, op: Op, send: F) -> Result<T, Error>
    where
        F: Fn() -> Fut,
        Fut: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        self.attempts(op, send, write_may_be_sent_again).await
    }

    async fn attempts<T, E, F, Fut>(
        &self,
        op: Op,
        send: F,
        again: fn(&Kind) -> bool,
    ) -> Result<T, Error>
    where
        F: Fn() -> Fut,
        Fut: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let started = clock::now();
        let mut attempt = 1;
        loop {
            let error = match self.attempt(op, &send).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            let pause = error.retry_after.unwrap_or_default()
                + self.jitter.below(self.retry.ceiling(attempt));
            let in_time =
                clock::now().duration_since(started) + pause < self.retry.operation_timeout;
            if attempt >= self.retry.max_attempts || !in_time || !again(&error.kind) {
                return Err(error);
            }
            clock::sleep(pause).await;
            attempt += 1;
        }
    }

    async fn attempt<T, E, F, Fut>(&self, op: Op, send: &F) -> Result<T, Error>
    where
        F: Fn() -> Fut,
        Fut: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        self.budgets.acquire(&self.scope.key(op)).await;
        let answer = send().await.map_err(|error| Error::from_sdk(op, &error));
        if answer.as_ref().is_err_and(|error| error.kind == Kind::Throttled) {
            self.budgets.throttled(&self.scope.key(op));
        }
        self.counters.count(RequestLabels {
            account: self.scope.account(),
            region: self.scope.region.clone(),
            service: op.operation().service,
            operation: op.operation().name,
            outcome: answer.as_ref().map_or_else(Error::reason, |_| "Ok"),
        });
        answer
    }
}

fn read_may_be_sent_again(kind: &Kind) -> bool {
    matches!(kind, Kind::Throttled | Kind::Transport { .. } | Kind::Service | Kind::BadAnswer)
}

fn write_may_be_sent_again(kind: &Kind) -> bool {
    matches!(kind, Kind::Throttled | Kind::Transport { may_have_arrived: false })
}

/// The most pages one listing may have. An account with 10,000 stacks has 100 pages of them.
pub(crate) const MAX_PAGES: usize = 500;

/// All items of a paged listing, in AWS's order. Stops at a missing token only: short and empty pages are no end.
///
/// # Errors
/// The first page that fails; or a listing that does not end: a token that repeats itself, or more than [`MAX_PAGES`].
pub(crate) async fn all_pages<T, Fut>(
    op: Op,
    page: impl FnMut(Option<String>) -> Fut,
) -> Result<Vec<T>, Error>
where
    Fut: Future<Output = Result<(Vec<T>, Option<String>), Error>>,
{
    Ok(pages_until(op, page, |_| false).await?.0)
}

/// As [`all_pages`], but asks for no further page once `enough` says so. The answer's flag is false if more was left.
///
/// # Errors
/// As [`all_pages`].
pub(crate) async fn pages_until<T, Fut>(
    op: Op,
    mut page: impl FnMut(Option<String>) -> Fut,
    enough: impl Fn(&[T]) -> bool,
) -> Result<(Vec<T>, bool), Error>
where
    Fut: Future<Output = Result<(Vec<T>, Option<String>), Error>>,
{
    let mut items = Vec::new();
    let mut token: Option<String> = None;
    for _ in 0..MAX_PAGES {
        let (found, next) = page(token.clone()).await?;
        items.extend(found);
        let next = next.filter(|next| !next.is_empty());
        if next.is_none() {
            return Ok((items, true));
        }
        if enough(&items) {
            return Ok((items, false));
        }
        if next == token {
            return Err(endless(op, "the same page token came twice"));
        }
        token = next;
    }
    Err(endless(op, "more pages than any account can have"))
}

fn endless(op: Op, what: &str) -> Error {
    Error::bad_answer(
        op.operation().service,
        op.operation().name,
        &format!("the listing does not end: {what}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_limit_and_are_spread() {
        let retry = RetryPolicy::default();
        let ceilings: Vec<u128> =
            [1, 2, 3, 9, 60].iter().map(|&n| retry.ceiling(n).as_millis()).collect();
        assert_eq!(ceilings, [500, 1000, 2000, 20_000, 20_000]);
        let jitter = Jitter::new(7);
        let pauses: Vec<Duration> =
            (0..100).map(|_| jitter.below(Duration::from_secs(1))).collect();
        assert!(pauses.iter().all(|pause| *pause <= Duration::from_secs(1)));
        assert!(pauses.iter().any(|pause| *pause < Duration::from_millis(200)));
        assert!(pauses.iter().any(|pause| *pause > Duration::from_millis(800)));
        let again: Vec<Duration> = (0..2)
            .map(|_| Jitter::new(7))
            .map(|jitter| jitter.below(Duration::from_secs(1)))
            .collect();
        assert_eq!(again, [pauses[0], pauses[0]], "same seed, same pauses");
    }

    #[test]
    fn a_write_that_may_have_arrived_is_never_sent_again() {
        for kind in [Kind::Transport { may_have_arrived: true }, Kind::Service, Kind::BadAnswer] {
            assert!(kind.may_have_arrived() && !write_may_be_sent_again(&kind), "{kind:?}");
            assert!(read_may_be_sent_again(&kind), "{kind:?}");
        }
        for kind in [Kind::Quota, Kind::Invalid, Kind::Conflict, Kind::Expired, Kind::NotFound] {
            assert!(!write_may_be_sent_again(&kind) && !read_may_be_sent_again(&kind), "{kind:?}");
        }
    }

    #[tokio::test]
    async fn listing_goes_on_over_empty_pages_and_stops_without_a_token() {
        let pages: [(Vec<i32>, Option<&str>); 4] = [
            (vec![1], Some("a")),
            (vec![], Some("b")),
            (vec![2, 3], Some("c")),
            (vec![4], Some("")),
        ];
        let mut calls = 0;
        let all = all_pages(Op::ListStacks, |token| {
            assert_eq!(token.as_deref(), if calls == 0 { None } else { pages[calls - 1].1 });
            let (items, next) = pages[calls].clone();
            calls += 1;
            async move { Ok((items, next.map(str::to_owned))) }
        });
        assert_eq!(all.await.unwrap(), [1, 2, 3, 4]);
    }

    #[tokio::test]
    async fn a_listing_without_end_is_an_error() {
        let same =
            all_pages(Op::ListStacks, |_| async { Ok((vec![1], Some("again".to_owned()))) }).await;
        assert!(same.unwrap_err().message.contains("twice"));
        let mut n = 0;
        let endless = all_pages(Op::ListStacks, |_| {
            n += 1;
            let token = n.to_string();
            async move { Ok((vec![1], Some(token))) }
        });
        assert!(endless.await.unwrap_err().message.contains("more pages"));
        assert_eq!(n, MAX_PAGES);
    }
}
