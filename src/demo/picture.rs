//! What is drawn while something goes on: how far it is, the nested stacks, the cache, the events.

use super::line::{Line, Tone};
use super::play::{Play, state};
use super::stage::INDENT;
use super::tree::Tree;
use super::world::{Cache, Scope};
use crate::report::render::age;

/// How wide the bar is.
const BAR: usize = 24;

/// What is drawn of one TED.
#[derive(Clone, Debug)]
pub(super) struct Picture {
    /// The TED.
    ted: String,
    /// Its provisioned product.
    product: String,
    /// Its stacks, once a change of them has begun.
    tree: Tree,
    /// Whether a change of its stacks runs.
    runs: bool,
    /// What was last said of the cache, where there are no pictures.
    cache_said: Option<String>,
}

impl Picture {
    /// What is drawn of a TED whose change is about to begin.
    pub(super) fn before(scope: &Scope, ted: &str, product: &str) -> Self {
        Self {
            ted: ted.to_owned(),
            product: product.to_owned(),
            tree: Tree::before(scope, product),
            runs: false,
            cache_said: None,
        }
    }

    /// The picture of the next change.
    pub(super) fn anew(self, scope: &Scope) -> Self {
        let tree = Tree::before(scope, &self.product);
        Self { tree, runs: false, ..self }
    }

    /// Whether a change of its stacks has just ended: then the picture is drawn once more as it is, and another one begins.
    pub(super) fn turns(&mut self, scope: &Scope) -> bool {
        let runs = scope.product(&self.product).is_some_and(|it| it.status == "UNDER_CHANGE");
        let ended = self.runs && !runs;
        self.runs |= runs;
        ended
    }

    /// The picture, in at most `room` lines.
    pub(super) fn lines(&self, play: &Play, room: usize) -> Vec<Line> {
        let Some(scope) = play.world.home() else { return Vec::new() };
        let mut lines = vec![Line::default(), self.headline(play, scope)];
        let mut after = Vec::new();
        after.extend(self.cache(scope));
        after.extend(self.events(play, scope));
        if self.runs {
            let room = room.saturating_sub(lines.len() + after.len());
            lines.extend(self.tree.picture(scope, room));
        }
        lines.extend(after);
        lines
    }

    fn headline(&self, play: &Play, scope: &Scope) -> Line {
        let status = play.daemon.status(&self.ted).unwrap_or_default();
        let phase = status.phase.map_or_else(String::new, |phase| format!("{phase:?}"));
        let line = Line::indented(INDENT)
            .and(Tone::Dim, play.world.clock())
            .up_to(INDENT + 10)
            .and(Tone::Waiting, phase)
            .and(Tone::Plain, "  ");
        let (done, all) = self.tree.progress(scope);
        if done == 0 {
            return line.and(Tone::Plain, state(&status));
        }
        let full = (BAR * done).checked_div(all).unwrap_or(0);
        line.and(Tone::Good, "━".repeat(full))
            .and(Tone::Dim, "━".repeat(BAR - full))
            .and(Tone::Plain, format!("  {done} of {all} stacks"))
    }

    fn cache(&self, scope: &Scope) -> Option<Line> {
        let (_, cache) = scope.cache_of(&self.product)?;
        let tone = if cache.status == "available" { Tone::Plain } else { Tone::Waiting };
        Some(label("cache").and(tone, told(cache)))
    }

    fn events(&self, play: &Play, scope: &Scope) -> Option<Line> {
        let events = play.daemon.status(&self.ted)?.events?;
        let off = scope.workers().filter(|trigger| trigger.state != "Enabled").count();
        let since = events.since.filter(|_| events.paused);
        if off == 0 && since.is_none() {
            return None;
        }
        let paused = since.map_or_else(String::new, |since| {
            format!("held for {}, ", age(play.world.time, since))
        });
        let all = scope.workers().count();
        let text = format!(
            "{paused}{off} of {all} triggers off, {} messages wait",
            thousands(scope.backlog())
        );
        Some(label("events").and(Tone::Plain, text))
    }

    /// What changed since it was last asked, in lines for where there are no pictures.
    pub(super) fn changes(&mut self, play: &Play) -> Vec<Line> {
        let Some(scope) = play.world.home() else { return Vec::new() };
        let mut lines = if self.runs { self.tree.changes(scope) } else { Vec::new() };
        if let Some((_, cache)) = scope.cache_of(&self.product) {
            let now = format!("{}, {}", cache.runs(), cache.status);
            let news = self.cache_said.as_ref().is_some_and(|said| *said != now);
            if news {
                lines.push(Line::default().and(Tone::Plain, format!("  cache {now}")));
            }
            self.cache_said = Some(now);
        }
        lines
    }
}

fn label(text: &str) -> Line {
    Line::indented(INDENT).and(Tone::Dim, text).up_to(INDENT + 10)
}

/// A cache, and which of its nodes are not available.
fn told(cache: &Cache) -> String {
    let busy: Vec<String> = cache
        .members
        .iter()
        .filter(|member| member.status != "available")
        .map(|member| {
            let number = member.id.rsplit('-').next().unwrap_or(&member.id);
            format!("node {number} {}", member.status)
        })
        .collect();
    let nodes = match cache.members.len() {
        1 => "1 node".to_owned(),
        nodes => format!("{nodes} nodes"),
    };
    match busy.as_slice() {
        [] => format!("{} on {nodes}, {}", cache.runs(), cache.status),
        busy => format!("{} on {nodes}, {}", cache.runs(), busy.join(", ")),
    }
}

/// `41,230`.
pub(super) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::thousands;

    #[test]
    fn large_numbers_are_grouped() {
        for (number, text) in
            [(0, "0"), (999, "999"), (1000, "1,000"), (41_230, "41,230"), (1_000_000, "1,000,000")]
        {
            assert_eq!(thousands(number), text);
        }
    }
}
