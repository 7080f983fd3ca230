//! The nearest known word, for people who mistype.

/// The known word that is nearest to `word`, when one is near enough to be meant.
pub(crate) fn nearest<'n>(word: &str, known: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    // A third of the word may differ, two letters at least: `defalt` means `default`, `xy` does not.
    let limit = (word.chars().count() / 3).max(2);
    let near = known
        .into_iter()
        .map(|candidate| (distance(word, candidate), candidate))
        .min_by_key(|(distance, _)| *distance)?;
    (near.0 <= limit && near.0 < near.1.chars().count()).then_some(near.1)
}

/// Letters to insert, remove or replace to get from one word to the other, whatever their case.
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.to_lowercase().chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (index, letter) in from.to_lowercase().chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = index + 1;
        for (column, other) in to.iter().enumerate() {
            let replaced = diagonal + usize::from(letter != *other);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_near_word_is_offered_and_a_far_one_is_not() {
        let known = ["default", "throttled", "stale-reads"];
        for (word, expected) in [
            ("defualt", Some("default")),
            ("Throttled", Some("throttled")),
            ("stale-read", Some("stale-reads")),
            ("xyzzy", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, known), expected, "{word}");
        }
    }
}
