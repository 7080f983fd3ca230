//! Pages of a list. Tokens are opaque to clients and carry the offset and what was listed.

use super::Call;
use crate::error::ApiError;
use std::fmt::Write as _;

/// A page, and the token of the next one.
#[derive(Debug)]
pub(crate) struct Page<T> {
    pub(crate) items: Vec<T>,
    pub(crate) next: Option<String>,
}

/// A token that was not made for this list.
#[derive(Debug)]
pub(crate) struct BadToken;

/// The page of `items` behind `token`, of at most `size` items and at most `limit` when the world limits pages. `of` names the list: a
/// token of another list is refused.
pub(crate) fn page<T>(
    items: impl IntoIterator<Item = T>,
    of: &str,
    token: Option<&str>,
    size: usize,
    limit: Option<usize>,
) -> Result<Page<T>, BadToken> {
    let offset = match token.filter(|token| !token.is_empty()) {
        None => 0,
        Some(token) => read(token, of).ok_or(BadToken)?,
    };
    let size = limit.map_or(size, |limit| limit.min(size)).max(1);
    let mut rest = items.into_iter().skip(offset);
    let items: Vec<T> = rest.by_ref().take(size).collect();
    let next = rest.next().map(|_| write(offset + size, of));
    Ok(Page { items, next })
}

/// The page that `MaxRecords` (default 100) and `Marker` ask for, as RDS and ElastiCache page.
///
/// # Errors
/// `InvalidParameterValue` for a marker that is none of this list's.
pub(crate) fn marked<T>(
    call: &Call<'_>,
    items: impl IntoIterator<Item = T>,
    of: &str,
) -> Result<Page<T>, ApiError> {
    let size =
        call.input.int("MaxRecords").and_then(|size| usize::try_from(size).ok()).unwrap_or(100);
    page(items, of, call.input.text("Marker"), size, call.world.options.page_size).map_err(
        |BadToken| ApiError::new("InvalidParameterValue", "The specified marker is invalid."),
    )
}

fn write(offset: usize, of: &str) -> String {
    format!("{of}/{offset}").bytes().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

fn read(token: &str, of: &str) -> Option<usize> {
    let bytes: Option<Vec<u8>> = (0..token.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(token.get(at..at + 2)?, 16).ok())
        .collect();
    String::from_utf8(bytes?).ok()?.strip_prefix(of)?.strip_prefix('/')?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_follow_each_other_and_tokens_belong_to_their_list() {
        let first = page(0..5, "list", None, 2, None).unwrap();
        assert_eq!(first.items, [0, 1]);
        let second = page(0..5, "list", first.next.as_deref(), 2, None).unwrap();
        let third = page(0..5, "list", second.next.as_deref(), 2, None).unwrap();
        assert_eq!((second.items, third.items, third.next), (vec![2, 3], vec![4], None));
        assert!(page(0..5, "other", first.next.as_deref(), 2, None).is_err());
        assert!(page(0..5, "list", Some("é"), 2, None).is_err());
        assert_eq!(
            page(0..5, "list", None, 100, Some(1)).unwrap().items,
            [0],
            "the world's limit wins"
        );
    }
}
