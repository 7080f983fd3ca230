//! Where the story is told: lines that stay, and below them a picture that is drawn anew as long as it lasts.
//!
//! On a terminal the picture is drawn over itself. Where that is impossible (a pipe, a dumb terminal) there is no picture, and whoever
//! draws one says its changes in lines.

use super::line::{Line, Tone};
use crate::report::render::{Paint, paragraph};
use std::io::Write;

/// No line is wider, however wide the terminal is: long lines are hard to read.
const WIDEST: usize = 100;

/// Before the text of an act.
pub(super) const INDENT: usize = 3;

const HIDE_CURSOR: &str = "\u{1b}[?25l";
const SHOW_CURSOR: &str = "\u{1b}[?25h";
const CLEAR_BELOW: &str = "\u{1b}[J";

/// What standard output can do.
#[derive(Clone, Copy, Debug)]
pub struct Screen {
    /// Colour, or none.
    pub paint: Paint,
    /// How wide text may get.
    pub columns: usize,
    /// How wide and high the terminal is; absent: nothing can be drawn over.
    pub size: Option<(usize, usize)>,
}

/// Where it is told.
pub(super) struct Stage {
    out: Box<dyn Write + Send>,
    screen: Screen,
    /// The picture, as it was drawn last.
    picture: Vec<String>,
}

impl Stage {
    /// A stage on which nothing stands yet.
    pub(super) fn new(out: Box<dyn Write + Send>, screen: Screen) -> Self {
        Self { out, screen, picture: Vec::new() }
    }

    /// Whether there are pictures.
    pub(super) fn draws(&self) -> bool {
        self.screen.size.is_some()
    }

    /// How high a picture may be: one line stays for the cursor, one for what was said last.
    pub(super) fn room(&self) -> usize {
        self.screen.size.map_or(0, |(_, lines)| lines.saturating_sub(2))
    }

    /// How wide text is.
    pub(super) fn columns(&self) -> usize {
        self.screen.columns.min(WIDEST)
    }

    /// Says a line that stays, above the picture.
    pub(super) fn say(&mut self, line: &Line) {
        let text = line.render(self.screen.paint, self.screen.columns);
        let picture = std::mem::take(&mut self.picture);
        let mut whole = rewind(picture.len());
        whole.push_str(&text);
        whole.push('\n');
        append(&mut whole, &picture);
        self.write(&whole);
        self.picture = picture;
    }

    /// An empty line.
    pub(super) fn gap(&mut self) {
        self.say(&Line::default());
    }

    /// Begins an act: its title, and at the right what time it is in AWS.
    pub(super) fn act(&mut self, title: &str, at: &str) {
        self.gap();
        let column = self.columns().saturating_sub(at.chars().count());
        let title = Line::default().and(Tone::Bold, title);
        self.say(&title.up_to(column).and(Tone::Dim, at));
    }

    /// Says something in as many lines as it needs; `first` stands before the first one.
    pub(super) fn tell(&mut self, first: &Line, tone: Tone, text: &str) {
        let indent = first.width();
        let room = self.columns().saturating_sub(indent);
        let lines = paragraph("", text, room, str::to_owned);
        for (number, text) in lines.lines().enumerate() {
            let before = if number == 0 { first.clone() } else { Line::indented(indent) };
            self.say(&before.and(tone, text));
        }
    }

    /// Draws a picture in the place of the one before.
    pub(super) fn show(&mut self, picture: &[Line]) {
        let Some((columns, _)) = self.screen.size else { return };
        // A line that wraps would be two, and the next picture would not cover it.
        let columns = columns.saturating_sub(1);
        let room = self.room();
        let mut lines: Vec<String> =
            picture.iter().map(|line| line.render(self.screen.paint, columns)).collect();
        lines.truncate(room);
        if lines == self.picture {
            return;
        }
        let mut whole = HIDE_CURSOR.to_owned();
        whole.push_str(&rewind(self.picture.len()));
        append(&mut whole, &lines);
        self.write(&whole);
        self.picture = lines;
    }

    /// Leaves the picture as it stands; the next one comes below.
    pub(super) fn leave(&mut self) {
        if !self.picture.is_empty() {
            self.picture.clear();
            self.write(SHOW_CURSOR);
        }
    }

    /// Takes the picture away.
    pub(super) fn wipe(&mut self) {
        if !self.picture.is_empty() {
            let whole = format!("{}{SHOW_CURSOR}", rewind(self.picture.len()));
            self.picture.clear();
            self.write(&whole);
        }
    }

    /// Whoever reads us may stop reading; that is no error of ours.
    fn write(&mut self, text: &str) {
        let _ = self.out.write_all(text.as_bytes()).and_then(|()| self.out.flush());
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.leave();
    }
}

/// Back to where a picture of this many lines begins, with nothing of it left.
fn rewind(lines: usize) -> String {
    if lines == 0 { String::new() } else { format!("\u{1b}[{lines}A\r{CLEAR_BELOW}") }
}

fn append(whole: &mut String, lines: &[String]) {
    for line in lines {
        whole.push_str(line);
        whole.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Paper(Arc<Mutex<Vec<u8>>>);

    impl Write for Paper {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn written(size: Option<(usize, usize)>, tell: impl FnOnce(&mut Stage)) -> String {
        let paper = Paper::default();
        let screen = Screen { paint: Paint::PLAIN, columns: 40, size };
        let mut stage = Stage::new(Box::new(paper.clone()), screen);
        tell(&mut stage);
        drop(stage);
        String::from_utf8(paper.0.lock().unwrap().clone()).unwrap()
    }

    fn line(text: &str) -> Line {
        Line::default().and(Tone::Plain, text)
    }

    #[test]
    fn a_picture_is_drawn_over_itself_and_what_is_said_stands_above_it() {
        let text = written(Some((20, 24)), |stage| {
            stage.show(&[line("one"), line("two")]);
            stage.show(&[line("one"), line("two")]);
            stage.say(&line("said"));
            stage.show(&[line("three")]);
        });
        let hide = HIDE_CURSOR;
        let wanted = format!(
            "{hide}one\ntwo\n\u{1b}[2A\r\u{1b}[Jsaid\none\ntwo\n{hide}\u{1b}[2A\r\u{1b}[Jthree\n{SHOW_CURSOR}"
        );
        assert_eq!(text, wanted, "{text:?}");
    }

    #[test]
    fn a_picture_is_no_higher_than_the_screen_and_no_wider() {
        let wide = "x".repeat(30);
        let text = written(Some((20, 4)), |stage| {
            stage.show(&[line(&wide), line("two"), line("three")]);
            stage.wipe();
        });
        let shown = format!("{}…\ntwo\n", "x".repeat(18));
        assert!(text.contains(&shown) && !text.contains("three"), "{text:?}");
        assert!(text.ends_with(&format!("\u{1b}[2A\r\u{1b}[J{SHOW_CURSOR}")), "{text:?}");
    }

    #[test]
    fn without_a_screen_there_are_plain_lines_only() {
        let text = written(None, |stage| {
            stage.show(&[line("never")]);
            stage.act("1  One", "10:00:00");
            stage.tell(&line(" → "), Tone::Plain, "add `tedVersion: v1.52.1` to the document");
        });
        let wanted = "\n1  One                          10:00:00\n → add `tedVersion: v1.52.1` to the\n   document\n";
        assert_eq!(text, wanted);
    }
}
