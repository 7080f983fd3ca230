//! The nested stacks of a TED while an update works its way through them.
//!
//! A stack that the update has not reached yet is as complete as one that it is done with. What tells them apart is whether it has more
//! events than when the update was about to begin.

use super::line::{Line, Tone};
use super::world::{Scope, Stack};
use std::collections::BTreeMap;

/// The stacks of one TED, as they were when a change was about to begin.
#[derive(Clone, Debug)]
pub(super) struct Tree {
    product: String,
    /// How many events each had.
    before: BTreeMap<String, usize>,
    /// What was last said of each, where there are no pictures.
    said: BTreeMap<String, (State, String)>,
}

/// How far a stack has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// The change has not reached it.
    Ahead,
    /// It is being worked on.
    Working,
    /// It is through.
    Done,
    /// It failed, or goes back.
    Failed,
}

/// A stack in its place.
#[derive(Clone, Debug)]
struct Node {
    /// `├─ ` and the like.
    branch: String,
    label: String,
    state: State,
    status: String,
    /// Resources that are being worked on.
    at_work: Vec<String>,
}

impl State {
    fn of(stack: &Stack, before: Option<&usize>) -> Self {
        let begun = before.is_none_or(|before| stack.events > *before);
        let status = stack.status.as_str();
        if status.contains("ROLLBACK") || status.ends_with("_FAILED") {
            Self::Failed
        } else if !begun {
            Self::Ahead
        } else if status.ends_with("_IN_PROGRESS") && !status.contains("CLEANUP") {
            Self::Working
        } else {
            Self::Done
        }
    }

    fn sign(self) -> &'static str {
        match self {
            Self::Ahead => "·",
            Self::Working => "▸",
            Self::Done => "✓",
            Self::Failed => "✗",
        }
    }

    fn tone(self) -> Tone {
        match self {
            Self::Ahead => Tone::Dim,
            Self::Working => Tone::Waiting,
            Self::Done => Tone::Good,
            Self::Failed => Tone::Bad,
        }
    }
}

impl Tree {
    /// The stacks of a product now, before a change of them.
    pub(super) fn before(scope: &Scope, product: &str) -> Self {
        let before = scope.stacks.iter().map(|(name, stack)| (name.clone(), stack.events));
        Self { product: product.to_owned(), before: before.collect(), said: BTreeMap::new() }
    }

    /// How many nested stacks there are, and how many of them are through.
    pub(super) fn progress(&self, scope: &Scope) -> (usize, usize) {
        let nodes = self.nodes(scope);
        let done = nodes.iter().filter(|node| node.state == State::Done).count();
        (done, nodes.len())
    }

    /// The tree, its root first, in at most `height` lines.
    pub(super) fn picture(&self, scope: &Scope, height: usize) -> Vec<Line> {
        let Some((name, root)) = self.root(scope) else { return Vec::new() };
        let mut nodes = self.nodes(scope);
        let whole = nodes.len();
        // What is under way is what people look for: what is through and what is ahead give way first.
        let height = height.saturating_sub(1).max(1);
        for gives_way in [State::Ahead, State::Done] {
            while nodes.len() > height {
                let Some(at) = nodes.iter().rposition(|node| node.state == gives_way) else {
                    break;
                };
                nodes.remove(at);
            }
        }
        let left_out = whole - nodes.len();
        let column = nodes.iter().map(Node::width).max().unwrap_or(0).max(name.chars().count()) + 2;
        let title = Line::indented(super::stage::INDENT).and(Tone::Bold, name);
        let title = title.up_to(super::stage::INDENT + column);
        let tone = State::of(root, self.before.get(name)).tone();
        let title = title.and(tone, &root.status);
        let title = match left_out {
            0 => title,
            _ => title.and(Tone::Dim, format!("  and {left_out} more stacks")),
        };
        std::iter::once(title).chain(nodes.iter().map(|node| node.line(column))).collect()
    }

    /// What changed since it was last asked, in lines for where there are no pictures.
    pub(super) fn changes(&mut self, scope: &Scope) -> Vec<Line> {
        let nodes = self.nodes(scope);
        let mut lines = Vec::new();
        for node in nodes {
            let now = (node.state, node.status.clone());
            let news = match self.said.insert(node.label.clone(), now) {
                Some((before, _)) => before != node.state,
                None => node.state != State::Ahead,
            };
            if news {
                lines.push(
                    Line::default()
                        .and(node.state.tone(), node.state.sign())
                        .and(Tone::Plain, format!(" {}", node.label))
                        .up_to(24)
                        .and(node.state.tone(), &node.status),
                );
            }
        }
        lines
    }

    fn root<'s>(&self, scope: &'s Scope) -> Option<(&'s str, &'s Stack)> {
        let name = scope.root_of(&self.product)?;
        Some((name, scope.stacks.get(name)?))
    }

    fn nodes(&self, scope: &Scope) -> Vec<Node> {
        let mut nodes = Vec::new();
        if let Some((name, _)) = self.root(scope) {
            self.below(scope, name, "", &mut nodes);
        }
        nodes
    }

    fn below(&self, scope: &Scope, parent: &str, before: &str, nodes: &mut Vec<Node>) {
        let nested = scope.nested_in(parent);
        let last = nested.len().saturating_sub(1);
        for (number, (label, name)) in nested.into_iter().enumerate() {
            let Some(stack) = scope.stacks.get(name) else { continue };
            let (branch, further) =
                if number == last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
            let at_work = stack
                .resources
                .iter()
                .filter(|(_, it)| {
                    it.status.ends_with("_IN_PROGRESS") && it.kind != "AWS::CloudFormation::Stack"
                })
                .map(|(logical, _)| logical.clone());
            nodes.push(Node {
                branch: format!("{before}{branch}"),
                label,
                state: State::of(stack, self.before.get(name)),
                status: stack.status.clone(),
                at_work: at_work.collect(),
            });
            self.below(scope, name, &format!("{before}{further}"), nodes);
        }
    }
}

impl Node {
    /// Of branch, sign and label.
    fn width(&self) -> usize {
        self.branch.chars().count() + 2 + self.label.chars().count()
    }

    fn line(&self, column: usize) -> Line {
        let line = Line::indented(super::stage::INDENT)
            .and(Tone::Dim, &self.branch)
            .and(self.state.tone(), self.state.sign())
            .and(Tone::Plain, " ");
        if self.state == State::Ahead {
            return line.and(Tone::Dim, &self.label);
        }
        let line = line.and(Tone::Plain, &self.label).up_to(super::stage::INDENT + column).and(
            if self.state == State::Done { Tone::Dim } else { self.state.tone() },
            &self.status,
        );
        match self.at_work.as_slice() {
            [] => line,
            [one] => line.and(Tone::Plain, format!("  {one}")),
            [one, more @ ..] => line.and(Tone::Plain, format!("  {one} and {} more", more.len())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::world::World;
    use crate::report::render::Paint;
    use std::collections::BTreeMap;
    use std::time::Duration;
    use ted_sim::scenario::Action;
    use ted_sim::{Scenario, Sim};

    const TED: &str = "ted-einstein";

    fn drawn(lines: &[Line]) -> String {
        lines.iter().map(|line| line.render(Paint::PLAIN, 100) + "\n").collect()
    }

    #[tokio::test(start_paused = true)]
    async fn an_update_works_its_way_through_the_tree() {
        let sim = Sim::start(&Scenario::named("default").unwrap(), 1.0).unwrap();
        let now = || World::of(&sim).unwrap();
        let mut tree = Tree::before(now().home().unwrap(), TED);
        let (done, all) = tree.progress(now().home().unwrap());
        assert_eq!((done, all > 9), (0, true), "nothing has begun");
        assert_eq!(tree.changes(now().home().unwrap()), []);

        let update = Action::ProductUpdate {
            product: None,
            version: Some("v1.52.1".to_owned()),
            parameters: BTreeMap::from([
                ("ElastiCacheEngine".to_owned(), "valkey".to_owned()),
                ("ValkeyCacheVersion".to_owned(), "8.0".to_owned()),
            ]),
        };
        sim.act(&update).unwrap();
        tokio::time::advance(Duration::from_mins(5)).await;
        let world = now();
        let text = drawn(&tree.picture(world.home().unwrap(), 24));
        let working = text.lines().find(|line| line.contains("CacheStack")).unwrap();
        assert!(
            working.contains("├─ ▸ CacheStack")
                && working.ends_with("UPDATE_IN_PROGRESS  CacheCluster"),
            "{text}"
        );
        assert!(
            text.contains("├─ ✓ DatabaseStack") && text.contains("└─ · SettingsStack\n"),
            "{text}"
        );
        let few = drawn(&tree.picture(world.home().unwrap(), 5));
        assert!(few.lines().count() == 5 && few.contains("CacheStack"), "{few}");
        assert!(few.contains(" more stacks"), "{few}");
        let said = drawn(&tree.changes(world.home().unwrap()));
        assert!(said.contains("▸ CacheStack") && !said.contains("SettingsStack"), "{said}");

        tokio::time::advance(Duration::from_mins(40)).await;
        let world = now();
        let (done, all) = tree.progress(world.home().unwrap());
        assert_eq!(done, all);
        let said = drawn(&tree.changes(world.home().unwrap()));
        assert!(said.contains("✓ CacheStack            UPDATE_COMPLETE"), "{said}");
        assert_eq!(tree.changes(world.home().unwrap()), [], "said once");
    }
}
