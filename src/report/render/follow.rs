//! Changes as lines, for `status --watch` into a pipe or a file: a row whenever what it shows has changed.

use super::layout::{pad, width};
use super::status::cells;
use crate::report::status::{Ted, TedList};
use std::collections::BTreeMap;

/// How wide columns are at least: as wide as what mostly comes later.
const WIDTHS: [usize; 7] = [8, 7, 9, 6, 12, 8, 0];

/// What was written so far.
#[derive(Debug)]
pub struct Follow {
    /// Columns grow and never shrink: what was written stays where it is.
    widths: Vec<usize>,
    last: BTreeMap<String, Vec<String>>,
}

impl Default for Follow {
    fn default() -> Self {
        Self { widths: WIDTHS.to_vec(), last: BTreeMap::new() }
    }
}

impl Follow {
    /// The rows of all whose row is new, and of those who are gone.
    pub fn list(&mut self, list: &TedList) -> String {
        let gone: Vec<String> = self
            .last
            .keys()
            .filter(|name| list.items.iter().all(|ted| ted.metadata.name != **name))
            .cloned()
            .collect();
        let mut out: String = gone.iter().map(|name| self.gone(name)).collect();
        let rows: Vec<Vec<String>> = list.items.iter().map(cells).collect();
        for row in &rows {
            self.widen(row);
        }
        if self.last.is_empty() && !rows.is_empty() {
            let titles = super::status::TITLES.map(str::to_owned);
            self.widen(&titles);
            out.push_str(&self.line(&titles));
        }
        out.extend(list.items.iter().map(|ted| self.ted(ted)));
        out
    }

    /// The row of one, or nothing when it has not changed.
    pub fn ted(&mut self, ted: &Ted) -> String {
        let row = cells(ted);
        if self.last.get(&ted.metadata.name) == Some(&row) {
            return String::new();
        }
        self.widen(&row);
        let line = self.line(&row);
        self.last.insert(ted.metadata.name.clone(), row);
        line
    }

    /// That one is gone, if it was there.
    pub fn gone(&mut self, name: &str) -> String {
        match self.last.remove(name) {
            Some(_) => format!(
                "{}  its document is gone\n",
                pad(name, self.widths.first().copied().unwrap_or(0))
            ),
            None => String::new(),
        }
    }

    fn widen(&mut self, row: &[String]) {
        self.widths.resize(self.widths.len().max(row.len()), 0);
        for (known, cell) in self.widths.iter_mut().zip(row) {
            *known = (*known).max(width(cell));
        }
    }

    fn line(&self, row: &[String]) -> String {
        let cells: Vec<String> =
            row.iter().zip(&self.widths).map(|(cell, to)| pad(cell, *to)).collect();
        format!("{}\n", cells.join("  ").trim_end())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desired::{Defaults, File, load};
    use jiff::Timestamp;

    fn ted(name: &str) -> Ted {
        let file = File::new(format!("{name}.yaml"), "engine: redis\nversion: '7.1'\n");
        let loaded = load(&[file], &Defaults::default());
        Ted::new(&loaded.documents[0], Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn only_what_changed_is_written_and_columns_stay() {
        let mut follow = Follow::default();
        let mut list = TedList { items: vec![ted("curie"), ted("einstein")], ..TedList::default() };
        let first = follow.list(&list);
        let lines: Vec<&str> = first.lines().collect();
        assert!(lines[0].starts_with("NAME      READY"), "{first}");
        assert_eq!(lines.len(), 3, "{first}");
        assert_eq!(follow.list(&list), "", "nothing has changed");
        list.items[0].status.next_look_at = Some(Timestamp::UNIX_EPOCH);
        assert_eq!(follow.ted(&list.items[0]), "", "a row does not show it");
        list.items[0].status.actual.ted_version = Some("1.44.0".to_owned());
        let row = follow.ted(&list.items[0]);
        assert!(row.starts_with("curie     Unknown"), "{row}");
        list.items.remove(0);
        assert_eq!(follow.list(&list), "curie     its document is gone\n");
        assert_eq!(follow.gone("curie"), "");
    }
}
