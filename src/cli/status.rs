//! `ted-controller status [NAME]`: how the TEDs of a running daemon stand, once or as it changes.

use super::client::{Daemon, ServerArgs, Stream, Told};
use super::known::find;
use super::{Failure, output, terminal};
use crate::clock;
use crate::report::render::{self, Extent, Follow};
use crate::report::{Event, Freeze, TedList};
use serde::Deserialize;
use serde_json::Value;
use std::process::ExitCode;
use std::time::Duration;

/// How long changes are gathered before the screen is drawn again.
const GATHER: Duration = Duration::from_millis(100);

/// How often the screen is drawn although nothing changed: it shows ages.
const REDRAW: Duration = Duration::from_secs(5);

/// The longest wait before a lost connection is tried again.
const MOST_PATIENCE: Duration = Duration::from_secs(5);

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// One TED: its name, its provisioned product, or the path of its document; none: all of them
    #[arg(value_name = "NAME")]
    name: Option<String>,
    /// How to write it
    #[arg(short, long, value_enum, default_value_t)]
    output: Format,
    /// Go on as things change: draw anew on a terminal, else add lines
    #[arg(short, long)]
    watch: bool,
    #[command(flatten)]
    server: ServerArgs,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// A row a TED; of one TED all that matters
    #[default]
    Table,
    /// The same with more columns; of one TED all that is known
    Wide,
    /// As the API says it
    Json,
    /// As the API says it, as YAML
    Yaml,
}

impl Format {
    fn is_data(self) -> bool {
        matches!(self, Self::Json | Self::Yaml)
    }
}

pub(super) async fn run(args: &Args) -> Result<ExitCode, Failure> {
    let daemon = args.server.daemon()?;
    if !args.watch {
        let (list, value) = daemon.teds().await?;
        let wanted = Wanted::of(args, &list)?;
        let events = wanted.events(&daemon).await?;
        output::data(wanted.show(&list, &value, &events, None)?);
        return Ok(ExitCode::SUCCESS);
    }
    let mut watch = Watch::begin(args, &daemon).await?;
    watch.go_on().await
}

/// What is asked for: all, or one by its name.
struct Wanted {
    name: Option<String>,
    format: Format,
}

impl Wanted {
    fn of(args: &Args, list: &TedList) -> Result<Self, Failure> {
        let found = args.name.as_deref().map(|word| find(list, word)).transpose()?;
        Ok(Self { name: found.map(|ted| ted.metadata.name.clone()), format: args.output })
    }

    /// Whether something about this TED is asked for.
    fn is_about(&self, name: &str) -> bool {
        self.name.as_deref().is_none_or(|wanted| wanted == name)
    }

    /// Of one TED, as people read it, what happened belongs to it.
    async fn events(&self, daemon: &Daemon) -> Result<Vec<Event>, Failure> {
        #[derive(Deserialize)]
        struct Events {
            items: Vec<Event>,
        }
        let Some(name) = self.name.as_ref().filter(|_| !self.format.is_data()) else {
            return Ok(Vec::new());
        };
        let (events, _) = daemon.read::<Events>(&format!("/api/v1/teds/{name}/events")).await?;
        Ok(events.items)
    }

    fn show(
        &self,
        list: &TedList,
        value: &Value,
        events: &[Event],
        lines: Option<usize>,
    ) -> Result<String, Failure> {
        let (now, paint, columns) = (clock::wall(), terminal::paint(), terminal::columns());
        let text = match (&self.name, self.format) {
            (None, Format::Table) => render::status_table(list, paint, columns),
            (None, Format::Wide) => render::status_wide(list, now, paint, columns),
            (None, Format::Json) => render::json(value),
            (None, Format::Yaml) => render::yaml(value),
            (Some(name), format) => {
                let ted = find(list, name)?;
                let extent = if format == Format::Wide { Extent::Full } else { Extent::Short };
                match format {
                    Format::Json => render::json(one(value, name)),
                    Format::Yaml => render::yaml(one(value, name)),
                    Format::Table | Format::Wide => {
                        render::ted(ted, &list.freeze, events, now, extent, paint, columns)
                    }
                }
            }
        };
        Ok(match lines {
            Some(lines) => cut(&text, lines, columns),
            None => text,
        })
    }
}

/// One TED of a list, as it was sent.
fn one<'a>(list: &'a Value, name: &str) -> &'a Value {
    let items = list.get("items").and_then(Value::as_array);
    let is_it = |ted: &&Value| ted["metadata"]["name"] == name;
    items.into_iter().flatten().find(is_it).unwrap_or(&Value::Null)
}

/// As many lines as a screen has; what does not fit is said.
fn cut(text: &str, lines: usize, columns: usize) -> String {
    if text.lines().count() <= lines {
        return text.to_owned();
    }
    let mut kept: Vec<&str> = text.lines().take(lines.saturating_sub(1)).collect();
    let more = format!("… {} more lines", text.lines().count() - kept.len());
    let more: String = more.chars().take(columns).collect();
    kept.push(&more);
    kept.join("\n") + "\n"
}

/// Follows the daemon's stream.
struct Watch<'a> {
    daemon: &'a Daemon,
    wanted: Wanted,
    list: TedList,
    value: Value,
    events: Vec<Event>,
    follow: Follow,
    /// Why nothing is heard at the moment.
    lost: Option<String>,
}

impl<'a> Watch<'a> {
    /// The first reading has to come to something.
    async fn begin(args: &Args, daemon: &'a Daemon) -> Result<Self, Failure> {
        let (list, value) = daemon.teds().await?;
        let wanted = Wanted::of(args, &list)?;
        let events = wanted.events(daemon).await?;
        let follow = Follow::default();
        Ok(Self { daemon, wanted, list, value, events, follow, lost: None })
    }

    async fn go_on(&mut self) -> Result<ExitCode, Failure> {
        let on_screen = !self.wanted.format.is_data() && terminal::is_screen();
        if on_screen {
            output::data(CLEAR);
        }
        let mut patience = Duration::from_millis(500);
        loop {
            let lost = match self.daemon.stream().await {
                Ok(mut stream) => {
                    self.lost = None;
                    patience = Duration::from_millis(500);
                    if on_screen {
                        self.draw_all(&mut stream).await?
                    } else {
                        self.write_all(&mut stream).await
                    }
                }
                Err(failure) => failure,
            };
            let is_news = self.lost.as_ref() != Some(&lost.message);
            self.lost = Some(lost.message.clone());
            if on_screen {
                self.draw()?;
            } else if is_news {
                output::note(format_args!("{}; trying again", lost.message));
            }
            clock::sleep(patience).await;
            patience = (patience * 2).min(MOST_PATIENCE);
        }
    }

    /// Draws until the connection is lost; the error says why.
    async fn draw_all(&mut self, stream: &mut Stream) -> Result<Failure, Failure> {
        loop {
            tokio::select! {
                told = stream.next() => match told {
                    Ok(told) => self.take(told),
                    Err(lost) => return Ok(lost),
                },
                () = clock::sleep(REDRAW) => {}
            }
            // An update tells of many things at once.
            let gathered = clock::now() + GATHER;
            loop {
                tokio::select! {
                    told = stream.next() => match told {
                        Ok(told) => self.take(told),
                        Err(lost) => return Ok(lost),
                    },
                    () = clock::sleep(gathered.saturating_duration_since(clock::now())) => break,
                }
            }
            if let Ok(events) = self.wanted.events(self.daemon).await {
                self.events = events;
            }
            self.draw()?;
        }
    }

    fn draw(&self) -> Result<(), Failure> {
        let (lines, is_known) = (terminal::lines(), self.is_known());
        let paint = terminal::paint();
        let mut text = match &self.lost {
            Some(lost) => format!("{}\n\n", paint.bad(format!("{lost}; trying again"))),
            None => String::new(),
        };
        // The last line stays free, or the screen would scroll.
        let room = lines.saturating_sub(text.lines().count() + 1);
        if is_known {
            text.push_str(&self.wanted.show(&self.list, &self.value, &self.events, Some(room))?);
        } else {
            text.push_str("its document is gone\n");
        }
        // Line by line over what is there: clearing first would flicker.
        output::data(format_args!("{HOME}{}{REST}", text.replace('\n', END_OF_LINE)));
        Ok(())
    }

    fn is_known(&self) -> bool {
        let wanted = self.wanted.name.as_deref();
        wanted.is_none_or(|name| self.list.items.iter().any(|ted| ted.metadata.name == name))
    }

    /// Writes until the connection is lost.
    async fn write_all(&mut self, stream: &mut Stream) -> Failure {
        loop {
            match stream.next().await {
                Ok(told) => output::data(self.write(told)),
                Err(lost) => return lost,
            }
        }
    }

    /// What is to be added because of a change.
    fn write(&mut self, told: Told) -> String {
        if self.wanted.format.is_data() {
            return self.write_data(told);
        }
        match told {
            Told::List(mut list, _) => {
                list.items.retain(|ted| self.wanted.is_about(&ted.metadata.name));
                let frozen = self.frozen(list.freeze.clone());
                frozen + &self.follow.list(&list)
            }
            Told::Ted(ted, _) if self.wanted.is_about(&ted.metadata.name) => self.follow.ted(&ted),
            Told::Gone(name) => self.follow.gone(&name),
            Told::Freeze(freeze) => self.frozen(freeze),
            Told::Ted(..) | Told::Other => String::new(),
        }
    }

    /// A line on the freeze, when it is another one.
    fn frozen(&mut self, freeze: Freeze) -> String {
        if self.list.freeze == freeze {
            return String::new();
        }
        self.list.freeze = freeze;
        if self.list.freeze.frozen {
            render::frozen(&self.list.freeze) + "\n"
        } else {
            "Not frozen any more.\n".to_owned()
        }
    }

    /// Each TED as a document of its own, as it changes.
    fn write_data(&mut self, told: Told) -> String {
        let changed = match told {
            Told::List(list, value) => {
                self.list = list;
                let items = value.get("items").and_then(Value::as_array).cloned();
                items.unwrap_or_default()
            }
            Told::Ted(_, value) => vec![value],
            Told::Gone(_) | Told::Freeze(_) | Told::Other => Vec::new(),
        };
        let name = |ted: &Value| ted["metadata"]["name"].as_str().unwrap_or_default().to_owned();
        changed
            .iter()
            .filter(|ted| self.wanted.is_about(&name(ted)))
            .map(|ted| match self.wanted.format {
                Format::Yaml => format!("---\n{}", render::yaml(ted)),
                Format::Json | Format::Table | Format::Wide => format!("{ted}\n"),
            })
            .collect()
    }

    /// Takes a change over into what is drawn.
    fn take(&mut self, told: Told) {
        match told {
            Told::List(list, value) => (self.list, self.value) = (list, value),
            Told::Ted(ted, _) => {
                let items = &mut self.list.items;
                let place = items.binary_search_by(|one| one.metadata.name.cmp(&ted.metadata.name));
                match place {
                    Ok(place) => items[place] = *ted,
                    Err(place) => items.insert(place, *ted),
                }
            }
            Told::Gone(name) => self.list.items.retain(|ted| ted.metadata.name != name),
            Told::Freeze(freeze) => self.list.freeze = freeze,
            Told::Other => {}
        }
    }
}

/// What terminals take (ECMA-48): to the first place; everything away; the rest of the line, and of the screen, away.
const HOME: &str = "\u{1b}[H";
const CLEAR: &str = "\u{1b}[2J\u{1b}[H";
const END_OF_LINE: &str = "\u{1b}[K\n";
const REST: &str = "\u{1b}[J";

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_screen_holds_what_it_holds_and_says_what_is_missing() {
        assert_eq!(cut("a\nb\nc\n", 3, 80), "a\nb\nc\n");
        assert_eq!(cut("a\nb\nc\n", 2, 80), "a\n… 2 more lines\n");
        assert_eq!(cut("a\nb\nc\n", 2, 3), "a\n… 2\n");
    }

    #[test]
    fn one_of_a_list_is_as_it_was_sent() {
        let list = json!({"items": [{"metadata": {"name": "a"}, "later": 1}]});
        assert_eq!(one(&list, "a")["later"], 1);
        assert_eq!(*one(&list, "b"), Value::Null);
    }
}
