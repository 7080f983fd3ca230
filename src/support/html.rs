//! HTML that opens anywhere: no script, no network, nothing beside the file. Every text that is put in is made safe here and only here.

use crate::text::sanitize_to;
use std::fmt::Write as _;

/// How long a text of a table is that stays on one line: a moment has 23 characters.
const ONE_LINE: usize = 24;

/// How much of a text is shown; the files have all.
const MAX_CHARS: usize = 4_000;

/// A page that is being written.
pub(super) struct Page {
    body: String,
}

/// What may be in a cell.
pub(super) enum Cell {
    /// A text.
    Text(String),
    /// A text that matters: `bad`, `warn`, `good`, `dim`.
    Marked(&'static str, String),
    /// A link, to the web only.
    Link(String),
}

impl<T: ToString> From<T> for Cell {
    fn from(text: T) -> Self {
        Self::Text(text.to_string())
    }
}

impl Page {
    pub(super) fn new() -> Self {
        Self { body: String::new() }
    }

    pub(super) fn heading(&mut self, level: u8, text: &str) {
        let _ = writeln!(self.body, "<h{level}>{}</h{level}>", escape(text));
    }

    pub(super) fn paragraph(&mut self, class: &str, text: &str) {
        let _ = writeln!(self.body, "<p class=\"{class}\">{}</p>", escape(text));
    }

    /// A text as it is, line by line.
    pub(super) fn preformatted(&mut self, text: &str) {
        let lines: Vec<String> = text
            .lines()
            .map(|line| {
                let rest = line.trim_start_matches(' ');
                format!("{}{}", " ".repeat(line.len() - rest.len()), escape(rest))
            })
            .collect();
        let _ = writeln!(self.body, "<pre>{}</pre>", lines.join("\n"));
    }

    pub(super) fn list(&mut self, class: &str, items: &[String]) {
        let _ = writeln!(self.body, "<ul class=\"{class}\">");
        for item in items {
            let _ = writeln!(self.body, "<li>{}</li>", escape(item));
        }
        let _ = writeln!(self.body, "</ul>");
    }

    /// A table; nothing when it has no rows.
    pub(super) fn table(&mut self, head: &[&str], rows: Vec<Vec<Cell>>) {
        if rows.is_empty() {
            return;
        }
        let _ = write!(self.body, "<table><thead><tr>");
        for title in head {
            let _ = write!(self.body, "<th>{}</th>", escape(title));
        }
        let _ = writeln!(self.body, "</tr></thead><tbody>");
        for row in rows {
            let _ = write!(self.body, "<tr>");
            for cell in row {
                let _ = match cell {
                    Cell::Text(text) => {
                        write!(self.body, "<td class=\"{}\">{}</td>", fit(&text), escape(&text))
                    }
                    Cell::Marked(class, text) => {
                        let fit = fit(&text);
                        write!(self.body, "<td class=\"{class} {fit}\">{}</td>", escape(&text))
                    }
                    Cell::Link(to) if to.starts_with("https://") => {
                        let to = escape(&to);
                        write!(self.body, "<td><a href=\"{to}\" rel=\"noreferrer\">{to}</a></td>")
                    }
                    Cell::Link(to) => write!(self.body, "<td>{}</td>", escape(&to)),
                };
            }
            let _ = writeln!(self.body, "</tr>");
        }
        let _ = writeln!(self.body, "</tbody></table>");
    }

    /// Names and values; what has no value is left out.
    pub(super) fn facts(&mut self, rows: Vec<(&str, Option<String>)>) {
        let has_text = |value: &String| !value.is_empty();
        self.cells(
            rows.into_iter().map(|(name, value)| (name, value.filter(has_text).map(Cell::Text))),
        );
    }

    /// As [`Page::facts`], with links and marks.
    pub(super) fn cells<'a>(&mut self, rows: impl Iterator<Item = (&'a str, Option<Cell>)>) {
        let rows = rows
            .filter_map(|(name, value)| Some(vec![Cell::Marked("name", name.to_owned()), value?]));
        self.table(&["", ""], rows.collect());
    }

    /// A part that is closed at first.
    pub(super) fn folded(&mut self, title: &str, write: impl FnOnce(&mut Self)) {
        let _ = writeln!(self.body, "<details><summary>{}</summary>", escape(title));
        write(self);
        let _ = writeln!(self.body, "</details>");
    }

    /// The whole page.
    pub(super) fn finish(self, title: &str) -> String {
        format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{}</title>\n<style>\n{STYLE}</style>\n\
             </head>\n<body>\n<main>\n{}</main>\n</body>\n</html>\n",
            escape(title),
            self.body
        )
    }
}

/// Short texts stay on one line, or a table with long ones breaks them into pieces of a letter.
fn fit(text: &str) -> &'static str {
    if text.chars().count() <= ONE_LINE { "short" } else { "long" }
}

/// Text as HTML shows it: on one line, nothing that turns it round or hides in it.
fn escape(text: &str) -> String {
    let text = sanitize_to(text, MAX_CHARS);
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            _ => safe.push(c),
        }
    }
    safe
}

const STYLE: &str = "\
:root { color-scheme: light dark; --line: #8884; --bad: #b3261e; --warn: #8a5a00; --good: #1b6e3c; --dim: #6b7280; }
@media (prefers-color-scheme: dark) { :root { --bad: #ff8a80; --warn: #ffc46b; --good: #7bdca0; --dim: #9aa3af; } }
body { font: 15px/1.5 system-ui, sans-serif; margin: 0; }
main { max-width: 76rem; margin: 0 auto; padding: 1rem 1.25rem 4rem; overflow-x: auto; }
h1 { font-size: 1.5rem; margin: 1.5rem 0 .25rem; }
h2 { font-size: 1.15rem; margin: 2rem 0 .5rem; border-bottom: 1px solid var(--line); }
h3 { font-size: 1rem; margin: 1.25rem 0 .25rem; }
table { border-collapse: collapse; width: 100%; margin: .5rem 0 1rem; }
th, td { text-align: left; vertical-align: top; padding: .25rem .6rem .25rem 0; border-bottom: 1px solid var(--line); }
.short, th { white-space: nowrap; } .long, a { overflow-wrap: anywhere; } .long { min-width: 12rem; }
th { color: var(--dim); font-weight: 600; }
thead:has(th:empty) { display: none; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; font: 13px/1.45 ui-monospace, monospace; padding: .75rem; border: 1px solid var(--line); }
details { margin: .5rem 0; } summary { cursor: pointer; }
.name { width: 14rem; color: var(--dim); }
.bad { color: var(--bad); font-weight: 600; } .warn { color: var(--warn); } .good { color: var(--good); } .dim { color: var(--dim); }
.missing { border-left: .25rem solid var(--warn); padding-left: 1.5rem; }
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_put_in_stays_text() {
        let mut page = Page::new();
        let evil = "<script>alert('x')</script>\"&";
        page.heading(1, evil);
        page.list("missing", &[evil.to_owned()]);
        page.table(&[evil], vec![vec![evil.into(), Cell::Link(format!("javascript:{evil}"))]]);
        page.folded(evil, |page| page.preformatted(evil));
        let html = page.finish(evil);
        assert!(!html.contains("<script") && !html.contains("href=\"javascript"), "{html}");
        assert!(html.contains("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&quot;&amp;"));
    }
}
