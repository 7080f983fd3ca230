//! Which TED of a running daemon a word means: its name, its provisioned product, or the path of its document.

use super::Failure;
use crate::desired::{Defaults, load};
use crate::report::{Ted, TedList};
use crate::source::collect;
use crate::text::sanitize_to;
use std::path::Path;

/// How many names a hint lists.
const MOST_NAMES: usize = 8;

pub(super) fn find<'a>(list: &'a TedList, word: &str) -> Result<&'a Ted, Failure> {
    let named = |name: &str| list.items.iter().find(|ted| ted.metadata.name == name);
    if let Some(ted) = named(word) {
        return Ok(ted);
    }
    let of_product = |ted: &&Ted| {
        ted.spec.get("provisionedProduct").and_then(serde_json::Value::as_str) == Some(word)
    };
    if let Some(ted) = list.items.iter().find(of_product) {
        return Ok(ted);
    }
    if Path::new(word).exists() {
        let name = name_in(Path::new(word))?;
        return named(&name).ok_or_else(|| unknown(list, &name));
    }
    Err(unknown(list, word))
}

/// The name of the one document at a path.
fn name_in(path: &Path) -> Result<String, Failure> {
    let mut files = Vec::new();
    collect(path, &mut files)
        .map_err(|error| Failure::new(&error, Some(error.hint().to_owned())))?;
    let loaded = load(&files, &Defaults::default());
    match loaded.documents.as_slice() {
        [only] => Ok(only.name.to_string()),
        documents => Err(Failure {
            message: format!(
                "`{}` has {} valid documents, and one is meant",
                path.display(),
                documents.len()
            ),
            hint: Some("`ted-controller validate` lists them; name one".to_owned()),
        }),
    }
}

fn unknown(list: &TedList, word: &str) -> Failure {
    let mut names: Vec<String> =
        list.items.iter().map(|ted| format!("`{}`", ted.metadata.name)).collect();
    let more = names.len().saturating_sub(MOST_NAMES);
    names.truncate(MOST_NAMES);
    let hint = match (names.is_empty(), more) {
        (true, _) => "no document is in force; `GET /api/v1/sources` says why".to_owned(),
        (false, 0) => format!("there is {}", names.join(", ")),
        (false, more) => format!("there is {}, and {more} more", names.join(", ")),
    };
    Failure {
        message: format!("the daemon knows no TED `{}`", sanitize_to(word, 80)),
        hint: Some(hint),
    }
}
