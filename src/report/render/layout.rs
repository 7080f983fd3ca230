//! Lines, columns and ages.

use jiff::Timestamp;

/// How narrow a column gets before its table is left wider than it should be.
const MIN_COLUMN_CHARS: usize = 8;

/// How narrow sentences get beside other columns.
const MIN_TEXT_CHARS: usize = 32;

/// How long ago something was, in the two largest units: `5s`, `3m 20s`, `2h 5m`, `4d 1h`. A moment to come is `0s` ago.
pub fn age(now: Timestamp, then: Timestamp) -> String {
    let seconds = now.duration_since(then).as_secs().max(0);
    let (days, hours, minutes, rest) =
        (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    let two = |large: i64, large_unit, small: i64, small_unit| match small {
        0 => format!("{large}{large_unit}"),
        _ => format!("{large}{large_unit} {small}{small_unit}"),
    };
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{rest}s"),
        (0, 0, _) => two(minutes, "m", rest, "s"),
        (0, _, _) => two(hours, "h", minutes, "m"),
        (_, _, _) => two(days, "d", hours, "h"),
    }
}

/// `1 gate`, `3 gates`.
pub(super) fn count(number: usize, one: &str, many: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {many}") }
}

/// How many columns of a terminal a text takes, as far as characters tell.
pub(super) fn width(text: &str) -> usize {
    text.chars().count()
}

/// The text with blanks up to a width.
pub(super) fn pad(text: &str, to: usize) -> String {
    format!("{text}{}", " ".repeat(to.saturating_sub(width(text))))
}

/// The text in lines of at most `columns`, broken at blanks. A word that is longer (an ARN) gets a line of its own, whole.
///
/// What stands between backticks can be typed, so it stays on one line if there is a line for it.
pub(super) fn wrap(text: &str, columns: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in words(text, columns) {
        match lines.last_mut() {
            Some(line) if width(line) + 1 + width(&word) <= columns => {
                line.push(' ');
                line.push_str(&word);
            }
            Some(_) | None => lines.push(word),
        }
    }
    lines
}

/// The parts of a text that are not broken.
fn words(text: &str, columns: usize) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut open = false;
    for word in text.split_whitespace() {
        match words.last_mut().filter(|_| open) {
            Some(last) => {
                last.push(' ');
                last.push_str(word);
            }
            None => words.push(word.to_owned()),
        }
        open ^= !word.matches('`').count().is_multiple_of(2);
    }
    // A backtick that nothing closes, or a span as long as a paragraph, is text like any other.
    let split = |word: &String| -> Vec<String> {
        if width(word) <= columns {
            vec![word.clone()]
        } else {
            word.split(' ').map(str::to_owned).collect()
        }
    };
    words.iter().flat_map(split).collect()
}

/// Adds a text, wrapped: the first line begins with `first`, the others with as many blanks.
pub(super) fn hang(
    out: &mut String,
    first: &str,
    text: &str,
    columns: usize,
    paint: impl Fn(&str) -> String,
) {
    let indent = width(first);
    let lines = wrap(text, columns.saturating_sub(indent).max(20));
    for (number, line) in lines.iter().enumerate() {
        let before = if number == 0 { first.to_owned() } else { " ".repeat(indent) };
        out.push_str(&before);
        out.push_str(&paint(line));
        out.push('\n');
    }
}

/// The text in lines of at most `columns`: a word that is longer is broken too, as `UPDATE_COMPLETE` is behind its `_`.
fn wrap_within(text: &str, columns: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for line in wrap(text, columns) {
        let mut rest: Vec<char> = line.chars().collect();
        while rest.len() > columns {
            let breaks = |at: &usize| {
                let (before, after) = (rest[at - 1], rest[*at]);
                "_.-/:,=".contains(before) || (before.is_lowercase() && after.is_uppercase())
            };
            // A break near the beginning would leave the line all but empty.
            let at = (columns.div_ceil(3)..=columns).rev().find(breaks).unwrap_or(columns);
            lines.push(rest.drain(..at).collect());
        }
        lines.push(rest.into_iter().collect());
    }
    if lines.is_empty() { vec![String::new()] } else { lines }
}

/// A text of several lines, no wider than `columns`: the first begins with `first`, the others with as many blanks.
pub fn paragraph(
    first: &str,
    text: &str,
    columns: usize,
    paint: impl Fn(&str) -> String,
) -> String {
    let mut out = String::new();
    hang(&mut out, first, text, columns, paint);
    out
}

/// Adds a table: columns as wide as their widest cell, two blanks between them, none at the end.
///
/// What is wider than `columns` makes its `elastic` columns give way, the widest first: their cells go on in further lines, so that
/// nothing is cut and everything stays below its title. `paint` colours a padded cell: row, column, text. The header is row 0.
pub(super) fn table(
    out: &mut String,
    indent: usize,
    rows: &[Vec<String>],
    columns: usize,
    elastic: &[usize],
    paint: impl Fn(usize, usize, &str) -> String,
) {
    let widths = widths(rows, columns.saturating_sub(indent), elastic);
    for (number, row) in rows.iter().enumerate() {
        let cells: Vec<Vec<String>> =
            row.iter().zip(&widths).map(|(cell, width)| wrap_within(cell, *width)).collect();
        let height = cells.iter().map(Vec::len).max().unwrap_or(0);
        for line in 0..height {
            let part = |cell: &Vec<String>| cell.get(line).cloned().unwrap_or_default();
            let parts: Vec<String> = cells.iter().map(part).collect();
            let mut text = " ".repeat(indent);
            for (column, (part, to)) in parts.iter().zip(&widths).enumerate() {
                let last = parts.iter().skip(column + 1).all(String::is_empty);
                text.push_str(&paint(number, column, &pad(part, if last { 0 } else { *to })));
                if last {
                    break;
                }
                text.push_str("  ");
            }
            out.push_str(text.trim_end());
            out.push('\n');
        }
    }
}

/// Adds a table whose last column is sentences: they give way to the other columns, and where too little is left for them they stand
/// below their rows, indented by `below`, and without a title.
pub(super) fn table_with_text(
    out: &mut String,
    (indent, below): (usize, usize),
    mut rows: Vec<Vec<String>>,
    columns: usize,
    paint: impl Fn(usize, usize, &str) -> String,
) {
    let Some(last) = rows.iter().map(Vec::len).max().and_then(|columns| columns.checked_sub(1))
    else {
        return;
    };
    let texts: Vec<String> = rows.iter_mut().map(|row| row.split_off(last).concat()).collect();
    let taken: usize = widths(&rows, usize::MAX, &[]).iter().map(|width| width + 2).sum();
    if columns >= indent + taken + MIN_TEXT_CHARS {
        for (row, text) in rows.iter_mut().zip(texts) {
            row.push(text);
        }
        table(out, indent, &rows, columns, &[last], paint);
        return;
    }
    let mut lines = String::new();
    table(&mut lines, indent, &rows, columns, &[], &paint);
    for (number, (line, text)) in lines.lines().zip(&texts).enumerate() {
        out.push_str(line);
        out.push('\n');
        if number > 0 {
            hang(out, &" ".repeat(below), text, columns, |line| paint(number, last, line));
        }
    }
}

fn widths(rows: &[Vec<String>], room: usize, elastic: &[usize]) -> Vec<usize> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widest = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| width(cell)).max().unwrap_or(0)
    };
    let mut widths: Vec<usize> = (0..columns).map(widest).collect();
    let room = room.saturating_sub(2 * columns.saturating_sub(1));
    while widths.iter().sum::<usize>() > room {
        let give = widths
            .iter_mut()
            .enumerate()
            .filter(|(column, width)| elastic.contains(column) && **width > MIN_COLUMN_CHARS)
            .max_by_key(|(_, width)| **width);
        let Some((_, width)) = give else { break };
        *width -= 1;
    }
    widths
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_have_their_two_largest_units() {
        let then = Timestamp::UNIX_EPOCH;
        for (seconds, wanted) in [
            (0, "0s"),
            (59, "59s"),
            (60, "1m"),
            (200, "3m 20s"),
            (7200, "2h"),
            (7500, "2h 5m"),
            (86_400, "1d"),
            (349_200, "4d 1h"),
        ] {
            assert_eq!(age(Timestamp::from_second(seconds).unwrap(), then), wanted);
        }
        assert_eq!(age(then, Timestamp::from_second(5).unwrap()), "0s", "clocks differ");
    }

    #[test]
    fn text_breaks_at_blanks_and_long_words_stay_whole() {
        assert_eq!(wrap("a bb ccc", 4), ["a bb", "ccc"]);
        assert_eq!(wrap("to arn:aws:iam::1:role/x go", 6), ["to", "arn:aws:iam::1:role/x", "go"]);
        assert_eq!(wrap("", 6), [""; 0]);
        assert_eq!(wrap("write `a: b` there", 10), ["write", "`a: b`", "there"]);
        assert_eq!(wrap("an `odd tick", 6), ["an", "`odd", "tick"]);
    }

    fn tabled(rows: &[&[&str]], indent: usize, columns: usize, elastic: &[usize]) -> String {
        let rows: Vec<Vec<String>> =
            rows.iter().map(|row| row.iter().map(|cell| (*cell).to_owned()).collect()).collect();
        let mut out = String::new();
        table(&mut out, indent, &rows, columns, elastic, |_, _, text| text.to_owned());
        out
    }

    #[test]
    fn tables_align_by_characters() {
        let rows: &[&[&str]] = &[&["Größe", "b"], &["a", "c"]];
        assert_eq!(tabled(rows, 1, 80, &[0, 1]), " Größe  b\n a      c\n");
    }

    #[test]
    fn a_table_that_is_too_wide_goes_on_below_and_loses_nothing() {
        let rows: &[&[&str]] = &[
            &["name", "why", "status"],
            &["a", "one two three four", "UPDATE_ROLLBACK_COMPLETE"],
            &["b", "", "–"],
        ];
        let wanted = "\
name  why          status
a     one two      UPDATE_
      three four   ROLLBACK_
                   COMPLETE
b                  –
";
        assert_eq!(tabled(rows, 0, 30, &[1, 2]), wanted);
        assert!(tabled(rows, 0, 30, &[]).contains("UPDATE_ROLLBACK_COMPLETE"), "nothing gives way");
        assert!(tabled(rows, 0, 1, &[0, 1, 2]).lines().count() > 3, "there is a least width");
    }
}
