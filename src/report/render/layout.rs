//! Lines, columns and ages.

use jiff::Timestamp;

/// How wide a column of a table gets before its text is cut: about an ARN's name part.
const MAX_COLUMN_CHARS: usize = 48;

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

/// A moment as people read it: `2026-07-01 12:00:05 UTC`.
pub(super) fn moment(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
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

/// The text, cut to a width.
pub(super) fn cut(text: &str, to: usize) -> String {
    if width(text) <= to {
        return text.to_owned();
    }
    let mut cut: String = text.chars().take(to.saturating_sub(1)).collect();
    cut.push('…');
    cut
}

/// The text in lines of at most `columns`, broken at blanks. A word that is longer (an ARN) gets a line of its own, whole.
pub(super) fn wrap(text: &str, columns: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if width(line) + 1 + width(word) <= columns => {
                line.push(' ');
                line.push_str(word);
            }
            Some(_) | None => lines.push(word.to_owned()),
        }
    }
    lines
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

/// Adds a table: columns as wide as their widest cell, two blanks between them, none at the end. The last column is never cut.
///
/// `paint` colours a padded cell: row, column, text. The header is row 0.
pub(super) fn table(
    out: &mut String,
    indent: usize,
    rows: &[Vec<String>],
    paint: impl Fn(usize, usize, &str) -> String,
) {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let shown = |column: usize, cell: &str| {
        if column + 1 == columns { cell.to_owned() } else { cut(cell, MAX_COLUMN_CHARS) }
    };
    let widths: Vec<usize> = (0..columns)
        .map(|column| {
            let cells = rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| width(&shown(column, cell))).max().unwrap_or(0)
        })
        .collect();
    for (number, row) in rows.iter().enumerate() {
        let mut line = " ".repeat(indent);
        for (column, cell) in row.iter().enumerate() {
            let last = row.iter().skip(column + 1).all(String::is_empty);
            let text = shown(column, cell);
            let to = if last { 0 } else { widths.get(column).copied().unwrap_or(0) };
            line.push_str(&paint(number, column, &pad(&text, to)));
            if last {
                break;
            }
            line.push_str("  ");
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
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
    }

    #[test]
    fn tables_align_by_characters() {
        let rows = [vec!["Größe".to_owned(), "b".to_owned()], vec!["a".to_owned(), "c".to_owned()]];
        let mut out = String::new();
        table(&mut out, 1, &rows, |_, _, text| text.to_owned());
        assert_eq!(out, " Größe  b\n a      c\n");
    }
}
