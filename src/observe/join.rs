//! Waiting for many calls at once. (`tokio::join!` needs their number at compile time, and a crate for one function is too much.)

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;

/// Polls all of them until each is done.
pub(super) async fn join_all<F: Future>(futures: impl IntoIterator<Item = F>) -> Vec<F::Output> {
    let mut waiting: Vec<Option<Pin<Box<F>>>> =
        futures.into_iter().map(|future| Some(Box::pin(future))).collect();
    let mut done: Vec<Option<F::Output>> = waiting.iter().map(|_| None).collect();
    poll_fn(move |context| {
        let mut open = false;
        for (slot, result) in waiting.iter_mut().zip(&mut done) {
            let Some(future) = slot else { continue };
            match future.as_mut().poll(context) {
                Poll::Ready(value) => {
                    *result = Some(value);
                    *slot = None;
                }
                Poll::Pending => open = true,
            }
        }
        if open {
            return Poll::Pending;
        }
        Poll::Ready(done.iter_mut().filter_map(Option::take).collect())
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn all_are_waited_for_in_order() {
        let wait = |n: u64| async move {
            tokio::task::yield_now().await;
            n
        };
        assert_eq!(join_all((0..5).map(wait)).await, [0, 1, 2, 3, 4]);
        assert!(join_all(std::iter::empty::<std::future::Ready<u8>>()).await.is_empty());
    }
}
