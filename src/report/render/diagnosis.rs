//! A diagnosis as text: what failed first, where, in whose words, what to do; then what failed on the way back, who was denied what, and
//! what could not be seen.

use super::layout::hang;
use super::paint::Paint;
use crate::assess::diagnosis::{Denied, Diagnosis, Failure, LastFailure, Outcome};
use crate::text::moment;

/// How many failures of a list are shown; the rest is counted. JSON has all of them.
const MOST_SHOWN: usize = 12;

/// What is said of the last failure of a TED.
pub fn diagnosis(name: &str, found: &LastFailure, paint: Paint, columns: usize) -> String {
    let mut out = String::new();
    let mut page = Page { out: &mut out, paint, columns };
    page.header(name, found);
    if let Some(diagnosis) = &found.diagnosis {
        page.cause(diagnosis);
    }
    page.record(found);
    page.unseen(&found.unseen);
    out
}

struct Page<'a> {
    out: &'a mut String,
    paint: Paint,
    columns: usize,
}

impl Page<'_> {
    fn line(&mut self, text: impl AsRef<str>) {
        self.out.push_str(text.as_ref());
        self.out.push('\n');
    }

    fn section(&mut self, title: &str) {
        self.line("");
        self.line(self.paint.bold(title));
    }

    fn hang(&mut self, first: &str, text: &str, paint: impl Fn(Paint, &str) -> String) {
        let (with, columns) = (self.paint, self.columns);
        hang(self.out, first, text, columns, |line| paint(with, line));
    }

    fn header(&mut self, name: &str, found: &LastFailure) {
        let word = match found.outcome {
            Outcome::Failed => self.paint.bad("failed"),
            Outcome::GoingBack => self.paint.bad("going back"),
            Outcome::Running => self.paint.waiting("running"),
            Outcome::Well => self.paint.good("no failure"),
            Outcome::Unknown => self.paint.waiting("unknown"),
        };
        self.line(format!("{}  {word}", self.paint.bold(name)));
        self.hang("  ", &found.summary, |_, line| line.to_owned());
    }

    fn cause(&mut self, found: &Diagnosis) {
        if let Some(failure) = &found.failure {
            self.section("What failed first");
            self.failure(failure, false);
        }
        let (title, paint): (_, fn(Paint, &str) -> String) =
            ("What to do", |paint, line| paint.remedy(line));
        self.section(title);
        self.hang("  → ", &found.remedy, paint);
        self.line(format!("    {}", self.paint.dim(&found.guide)));
        self.denials(&found.denials);
        self.failures("What failed on the way back", &found.rollback, true);
        self.failures("What could not be deleted afterwards", &found.left_behind, false);
        let failed = found.failure.is_some() || !found.rollback.is_empty();
        if failed && found.touched_cache {
            self.line("");
            let note = "the change got as far as the cache, or may have: see that the cache is as it should be before trying again";
            self.hang("  · ", note, |_, line| line.to_owned());
        }
    }

    fn failures(&mut self, title: &str, failures: &[Failure], way_back: bool) {
        if failures.is_empty() {
            return;
        }
        self.section(title);
        for failure in failures.iter().take(MOST_SHOWN) {
            self.failure(failure, way_back);
        }
        if let Some(more) = failures.len().checked_sub(MOST_SHOWN).filter(|more| *more > 0) {
            self.line(format!("  and {more} more: `-o json` has them all"));
        }
    }

    fn failure(&mut self, failure: &Failure, way_back: bool) {
        let at = failure.at.map(|at| format!("  {}", moment(at))).unwrap_or_default();
        self.line(format!(
            "  {} {}{}",
            self.paint.bad("✗"),
            self.paint.bold(failure.place()),
            self.paint.dim(at)
        ));
        let id = failure.physical_id.as_deref().map(|id| format!(" {id}")).unwrap_or_default();
        self.hang("      ", &format!("{}{id}", failure.kind), |paint, line| paint.dim(line));
        self.hang("      ", &failure.message, |_, line| line.to_owned());
        let skip = way_back && failure.may_be_skipped();
        let means = if skip {
            format!("{}; to skip it: {}", failure.cause, failure.skip_name())
        } else {
            failure.cause.to_string()
        };
        self.hang("      ", &format!("means: {means}"), |paint, line| paint.dim(line));
    }

    fn denials(&mut self, denials: &[Denied]) {
        if denials.is_empty() {
            return;
        }
        self.section("Who was denied what");
        for denied in denials {
            let unsaid = "AWS does not say";
            let rows = [
                ("who", denied.denial.principal.as_deref().unwrap_or(unsaid)),
                ("whose", denied.whose.phrase()),
                ("action", denied.denial.action.as_deref().unwrap_or(unsaid)),
                ("resource", denied.denial.resource.as_deref().unwrap_or(unsaid)),
            ];
            for (what, value) in rows {
                self.hang(&format!("  {what:<10}"), value, |_, line| line.to_owned());
            }
            match &denied.statement {
                Some(statement) => {
                    self.line("  this statement would allow it:");
                    let text = serde_json::to_string_pretty(statement).unwrap_or_default();
                    for line in text.lines() {
                        self.line(format!("    {line}"));
                    }
                }
                None => self.line("  no statement of ours can allow it"),
            }
        }
    }

    fn record(&mut self, found: &LastFailure) {
        let Some(record) = &found.record else { return };
        self.section("The last request");
        let mut rows = vec![("record", format!("{} {}", record.id, record.status))];
        let asked = record.created.map(moment);
        rows.extend(asked.map(|at| ("asked for", at)));
        rows.extend(record.principal.clone().map(|who| ("by", who)));
        rows.extend(record.version.clone().map(|version| ("version", version)));
        rows.extend(record.errors.iter().map(|error| ("says", error.clone())));
        if found.outside {
            rows.push(("but", "the stack was changed after it, past Service Catalog".to_owned()));
        }
        rows.extend(found.token.clone().map(|token| ("token", token)));
        for (what, value) in rows {
            self.hang(&format!("  {what:<10}"), &value, |_, line| line.to_owned());
        }
    }

    fn unseen(&mut self, unseen: &[String]) {
        if unseen.is_empty() {
            return;
        }
        self.section("What could not be seen, so that the cause may be another one");
        for what in unseen {
            self.hang("  ? ", what, |paint, line| paint.waiting(line));
        }
    }
}

#[cfg(test)]
mod tests;
