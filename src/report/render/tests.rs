//! What people read, whole: each text stands in `golden/` beside this file. `UPDATE_GOLDEN=1 cargo test --lib render` writes them anew.

use super::*;
use crate::assess::facts::Facts;
use crate::assess::findings;
use crate::assess::survey;
use crate::assess::testing::{World, denied, rename_all, there};
use crate::assess::types::{ConditionStatus, ConditionType};
use crate::desired::Committed;
use crate::golden;
use crate::observe::observation::Seen;
use crate::report::status::{
    EventsState, Freeze, History, Metadata, Outcome, Progress, Standing, Status, Ted, TedList,
    Trouble,
};
use crate::report::{Event, EventKind, Plan, sides, transitions};
use jiff::{SignedDuration, Timestamp};

/// A digest as long as a real one.
const REVISION: &str = "sha256:3fc0151176bd8cd12cbfdd4c3a3e10f1a1b9c1e2d3f4a5b6c7d8e9f0a1b2c3d4";

fn golden_file(name: &str, text: &str) {
    golden::check(&format!("src/report/render/golden/{name}"), text);
}

fn planned(world: &World) -> Plan {
    let desired = world.desired();
    let assessment = world.assess();
    let roles = Facts::of(Some(&desired), &world.observation).roles;
    let sides = sides(Some(&desired), &world.observation, &roles, &assessment.findings);
    let (name, now) = (desired.name.as_str(), world.observation.now);
    Plan::new(name, "ted-einstein", Some(REVISION), now, &sides, &assessment)
}

fn surveyed(world: &World) -> Plan {
    let assessment = survey(&world.observation, &world.context);
    let roles = Facts::of(None, &world.observation).roles;
    let sides = sides(None, &world.observation, &roles, &assessment.findings);
    Plan::new("ted-einstein", "ted-einstein", None, world.observation.now, &sides, &assessment)
}

/// A TED in every kind of trouble that still leaves something to show: closed gates of each state, findings of each severity, parameters
/// of each kind of change.
fn troubled() -> World {
    World::migrating()
        .edit(", approve: [redis-to-valkey]", ", approve: [retrigger]")
        .edit("  events:", "  parameters: {MaxConnections: 800}\n  events:")
        .with(|world| {
            let suspend = "  suspend: {reason: \"moving house\", until: 2026-08-06T06:30:00Z}\n";
            world.document.push_str(suspend);
            there(&mut world.observation.database).allocated_storage = Some(240);
            world.observation.relatives = denied();
            there(&mut world.observation.triggers).mappings[0].state = "Disabled".into();
        })
}

/// What a foreign string may try, in everything that AWS relays.
const HOSTILE: &str = "\u{1b}[31mred\u{1b}[0m\n| <img src=x onerror=alert(1)> `tick` \u{202e}gpj @everyone #1 [a](http://e) ***";

fn hostile() -> World {
    World::migrating().with(|world| {
        let observation = &mut world.observation;
        let product = &mut there(&mut observation.products)[0];
        product.status = "TAINTED".into();
        product.status_message = Some(HOSTILE.into());
        there(&mut observation.caches)[0].node_type = Some(HOSTILE.into());
        there(&mut observation.root).outputs.insert("ReleaseVersion".into(), HOSTILE.into());
        there(&mut observation.nested)[0].status = "UPDATE_FAILED".into();
        there(&mut observation.nested)[0].reason = Some(HOSTILE.into());
        there(&mut observation.triggers).mappings[0].state = HOSTILE.into();
    })
}

#[test]
fn a_plan_is_as_wide_as_the_terminal() {
    for (name, world) in
        [("steady", World::staying()), ("ready", World::migrating()), ("troubled", troubled())]
    {
        let plans = [planned(&world)];
        for columns in [60, 100, 200] {
            let text = plan(&plans, Paint::PLAIN, columns);
            golden_file(&format!("plan-{name}-{columns}.txt"), &text);
            // A digest and a link are no use in pieces.
            let breaks = |line: &&str| {
                !line.contains("sha256:") && !line.trim_start().starts_with("https://")
            };
            let typed = |line: &&str| breaks(line) && line.chars().count() > columns;
            let too_wide: Vec<&str> = text.lines().filter(typed).collect();
            assert_eq!(too_wide, [""; 0], "{name} at {columns}");
        }
    }
}

#[test]
fn a_plan_for_a_pull_request_and_one_for_a_program() {
    for (name, world) in [("ready", World::migrating()), ("troubled", troubled())] {
        golden_file(&format!("plan-{name}.md"), &markdown(&[planned(&world)]));
    }
    let text = plans_json(&[planned(&troubled())]);
    golden_file("plan-troubled.json", &text);
    let read: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(read["items"][0]["name"], "einstein");
}

#[test]
fn a_product_without_a_document_is_shown_as_it_is_and_told_how_to_get_one() {
    let plans = [surveyed(&World::staying())];
    golden_file("survey.txt", &plan(&plans, Paint::PLAIN, DEFAULT_WIDTH));
    golden_file("survey.md", &markdown(&plans));
}

#[test]
fn plans_stand_one_below_the_other() {
    let gone = World::staying().with(|world| world.observation.products = Seen::Present(vec![]));
    let renamed = World::migrating().with(|world| {
        rename_all(&mut world.observation);
        there(&mut there(&mut world.observation.target).usage).labels.clear();
    });
    let plans = [planned(&gone), planned(&renamed)];
    golden_file("plans.txt", &plan(&plans, Paint::PLAIN, DEFAULT_WIDTH));
    assert_eq!(plan(&[], Paint::PLAIN, DEFAULT_WIDTH), "");
}

#[test]
fn nothing_is_told_by_colour_alone() {
    for world in [World::migrating(), troubled(), World::staying()] {
        let plans = [planned(&world)];
        let (plain, coloured) =
            (plan(&plans, Paint::PLAIN, DEFAULT_WIDTH), plan(&plans, Paint::COLOUR, DEFAULT_WIDTH));
        assert!(!plain.contains('\u{1b}'), "without a terminal there is no colour");
        assert!(coloured.contains('\u{1b}'));
        assert_eq!(without_colour(&coloured), plain);
    }
    let list = statuses();
    let coloured = status_table(&list, Paint::COLOUR, DEFAULT_WIDTH);
    assert_eq!(without_colour(&coloured), status_table(&list, Paint::PLAIN, DEFAULT_WIDTH));
}

/// The text as a terminal shows it: without escapes, and without the blanks at the end of a line that an escape kept.
fn without_colour(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("\u{1b}[") {
        plain.push_str(before);
        rest = after.split_once('m').map_or("", |(_, rest)| rest);
    }
    plain.push_str(rest);
    let lines: Vec<&str> = plain.lines().map(str::trim_end).collect();
    format!("{}\n", lines.join("\n"))
}

#[test]
fn what_others_wrote_stays_text() {
    let plans = [planned(&hostile())];
    let text = plan(&plans, Paint::PLAIN, DEFAULT_WIDTH);
    let marked = markdown(&plans);
    golden_file("hostile.txt", &text);
    golden_file("hostile.md", &marked);
    for (what, text) in [("text", &text), ("Markdown", &marked), ("JSON", &plans_json(&plans))] {
        let wrong = |c: char| (c.is_control() && c != '\n') || matches!(c, '\u{202a}'..='\u{202e}');
        assert!(!text.contains(wrong), "{what}");
    }
    // Outside of code spans nothing may begin markup, and no cell has more bars than its row.
    for line in marked.lines().filter(|line| !line.starts_with("  <br>")) {
        let outside: String = outside_of_code(line);
        for forbidden in ["<img", "@everyone", "](http"] {
            assert!(!outside.contains(forbidden), "{forbidden}: {line}");
        }
    }
    assert!(marked.contains("\\*\\*\\*"), "{marked}");
    let rows: Vec<&str> = marked.lines().filter(|line| line.starts_with("| ")).collect();
    for row in &rows {
        let bars = row.replace("\\|", "").matches('|').count();
        assert!([5, 6].contains(&bars), "{row}");
    }
}

/// A line of Markdown without what stands in code spans, by the rule of its standard: a span ends at as many backticks as it begins with.
fn outside_of_code(line: &str) -> String {
    let mut outside = String::new();
    let mut rest = line;
    while let Some(at) = rest.find('`') {
        outside.push_str(&rest[..at]);
        let fence = rest[at..].len() - rest[at..].trim_start_matches('`').len();
        let after = &rest[at + fence..];
        let mut search = 0;
        let close = loop {
            let Some(found) = after[search..].find('`') else { break None };
            let start = search + found;
            let run = after[start..].len() - after[start..].trim_start_matches('`').len();
            if run == fence {
                break Some(start + run);
            }
            search = start + run;
        };
        let Some(close) = close else {
            outside.push_str(after);
            return outside;
        };
        rest = &after[close..];
    }
    outside.push_str(rest);
    outside
}

#[test]
fn a_comment_has_room_for_so_many_plans_and_says_what_it_left_out() {
    let plans: Vec<Plan> = std::iter::repeat_with(|| planned(&troubled())).take(40).collect();
    let text = markdown(&plans);
    assert!(text.len() < 80_000, "{}", text.len());
    let last = text.lines().last().unwrap();
    assert!(last.starts_with('*') && last.ends_with("plans left out: too long for a comment.*"));
}

fn status_of(name: &str, world: &World, bend: impl FnOnce(&mut Status)) -> Ted {
    let plan = planned(world);
    let (verdict, now) = (plan.verdict, world.observation.now);
    let conditions = transitions::carry_conditions(&[], &verdict.conditions, now);
    let mut status = Status {
        observed_revision: plan.revision,
        observed_at: Some(now),
        looked_at: Some(now),
        next_look_at: now.checked_add(SignedDuration::from_secs(95)).ok(),
        phase: Some(verdict.phase),
        conditions,
        actual: verdict.actual,
        findings: transitions::carry_findings(&[], &verdict.findings, now),
        gates: verdict.gates,
        plan: verdict.plan,
        events: Some(EventsState { triggers: 3, ..EventsState::default() }),
        sides: plan.sides,
        parameters: verdict.parameters,
        notes: verdict.notes,
        ..Status::unseen(now)
    };
    bend(&mut status);
    Ted { metadata: Metadata { name: name.to_owned() }, status, ..Ted::new(&world.desired(), now) }
}

fn now() -> Timestamp {
    crate::assess::testing::NOW.parse().unwrap()
}

/// A fleet with everything a line can show.
fn statuses() -> TedList {
    let unseen = Ted {
        metadata: Metadata { name: "darwin".to_owned() },
        ..Ted::new(&World::staying().desired(), now())
    };
    let paused = |status: &mut Status| {
        let since = now().checked_sub(SignedDuration::from_secs(754)).ok();
        status.events =
            Some(EventsState { paused: true, since, triggers: 3, ..EventsState::default() });
    };
    let unreadable = |status: &mut Status| {
        status.events = None;
        let ready = status.conditions.iter_mut().find(|c| c.kind == ConditionType::Ready).unwrap();
        ready.status = ConditionStatus::Unknown;
        ready.message = format!("cannot be read: {HOSTILE}");
    };
    let items = vec![
        status_of("curie", &World::migrating(), paused),
        unseen,
        status_of("einstein", &World::staying(), |_| {}),
        status_of("franklin-of-the-long-name", &troubled(), |_| {}),
        status_of("galilei", &World::migrated(), unreadable),
    ];
    TedList { items, freeze: Freeze::default() }
}

#[test]
fn the_fleet_at_a_glance() {
    let list = statuses();
    for columns in [60, 100, 200] {
        let text = status_table(&list, Paint::PLAIN, columns);
        golden_file(&format!("status-{columns}.txt"), &text);
    }
    golden_file("status-wide.txt", &status_wide(&list, now(), Paint::PLAIN, 200));
    let frozen = TedList {
        freeze: Freeze { frozen: true, reason: Some("audit week".to_owned()), since: Some(now()) },
        items: vec![list.items[2].clone()],
    };
    golden_file("status-frozen.txt", &status_table(&frozen, Paint::PLAIN, DEFAULT_WIDTH));
    let nobody = TedList { items: Vec::new(), freeze: Freeze::default() };
    golden_file("status-nobody.txt", &status_table(&nobody, Paint::PLAIN, DEFAULT_WIDTH));
}

#[test]
fn one_ted_as_the_api_tells_it() {
    let ted = &statuses().items[0];
    golden_file("ted.json", &json(ted));
    golden_file("ted.yaml", &yaml(ted));
    let back: Ted = serde_json::from_str(&json(ted)).unwrap();
    assert_eq!(back, *ted, "what a client reads is what was written");
}

#[test]
fn a_finding_says_its_values_once() {
    let mut plan = planned(&World::migrating());
    for finding in &mut plan.verdict.findings {
        assert!(findings::makes_unready(finding) || finding.code.starts_with("info/"));
        "something else differs".clone_into(&mut finding.message);
    }
    let text = super::plan(&[plan], Paint::PLAIN, DEFAULT_WIDTH);
    assert!(text.contains("redis instead of valkey; read from document"), "{text}");
}

#[test]
fn one_ted_with_what_only_a_daemon_knows() {
    let ago = |seconds| now().checked_sub(SignedDuration::from_secs(seconds)).unwrap();
    let ahead = |seconds| now().checked_add(SignedDuration::from_secs(seconds)).unwrap();
    let event = |seconds, kind, reason: &str, message: &str| {
        let at = ago(seconds);
        Event { last_at: ago(seconds / 2), count: 3, ..Event::new(at, kind, reason, message) }
    };
    let events: Vec<Event> = [
        event(
            20,
            EventKind::Normal,
            "UpdateSent",
            "update `ted-einstein` to v1.52.1 (record rec-2)",
        ),
        event(
            90,
            EventKind::Warning,
            "Found",
            "sync/storage: `AllocatedStorage` is 200 in the stack and 240 in RDS",
        ),
    ]
    .into_iter()
    .chain((0..6).map(|number| event(600 + number, EventKind::Normal, "PhaseChanged", HOSTILE)))
    .collect();
    let moving = status_of("einstein", &World::migrating(), |status| {
        status.looked_at = Some(ago(5));
        status.progress = Some(Progress {
            stacks_done: 3,
            stacks_total: 11,
            resources_done: 41,
            resources_total: 87,
            current: Some("CacheStack UPDATE_IN_PROGRESS".to_owned()),
        });
        status.events = Some(EventsState {
            paused: true,
            since: Some(ago(754)),
            triggers: 6,
            backlog: Some(1200),
            loss_begins: Some(ahead(300_000)),
        });
        status.history = vec![
            History {
                at: ago(600),
                revision: Some(REVISION.to_owned()),
                commit: Some(Committed {
                    author: "Ada Lovelace".to_owned(),
                    subject: "Move einstein to Valkey".to_owned(),
                }),
                summary: Some("update to v1.52.1".to_owned()),
                by: Some("arn:aws:sts::111122223333:assumed-role/ted-controller/x".to_owned()),
                record_id: Some("rec-2".to_owned()),
                outcome: Outcome::InProgress,
                seconds: None,
            },
            History {
                at: ago(90_000),
                revision: None,
                commit: None,
                summary: None,
                by: None,
                record_id: Some("rec-1".to_owned()),
                outcome: Outcome::Failed,
                seconds: Some(1260),
            },
        ];
    });
    let frozen =
        Freeze { frozen: true, reason: Some("audit week".to_owned()), since: Some(ago(60)) };
    let shown = |shown: &Ted, freeze: &Freeze, events: &[Event], extent, paint| {
        ted(shown, freeze, events, now(), extent, paint, DEFAULT_WIDTH)
    };
    let short = shown(&moving, &frozen, &events, Extent::Short, Paint::PLAIN);
    golden_file("ted-moving.txt", &short);
    let full = shown(&moving, &frozen, &events, Extent::Full, Paint::PLAIN);
    assert!(short.contains("and 3 earlier ones: `-o wide` shows all"), "{short}");
    assert_eq!(full.matches("3 times").count(), events.len(), "{full}");
    let coloured = shown(&moving, &frozen, &events, Extent::Short, Paint::COLOUR);
    assert_eq!(without_colour(&coloured), short, "nothing is told by colour alone");

    let lost = status_of("einstein", &World::staying(), |status| {
        status.looked_at = Some(ago(400));
        status.trouble = Some(Trouble {
            since: ago(200),
            reason: "NoConnection".to_owned(),
            message: "cannot find out whose credentials these are: no connection".to_owned(),
        });
    });
    let text = shown(&lost, &Freeze::default(), &[], Extent::Short, Paint::PLAIN);
    golden_file("ted-in-trouble.txt", &text);

    let unseen = Ted::new(&World::staying().desired(), ago(10));
    let text = shown(&unseen, &Freeze::default(), &[], Extent::Short, Paint::PLAIN);
    golden_file("ted-unseen.txt", &text);
}

#[test]
fn how_a_ted_stands_is_what_exit_codes_say() {
    let standing = |world: &World| status_of("einstein", world, |_| {}).status.standing();
    let refused = World::migrating().edit(", approve: [redis-to-valkey]", "");
    let seen = status_of("einstein", &World::staying(), |_| {}).status;
    let trouble =
        Trouble { since: now(), reason: "NoAnswer".to_owned(), message: "no answer".to_owned() };
    for (stands, wanted, why) in [
        (standing(&World::staying()), Standing::Settled, "nothing to do"),
        (standing(&World::migrating()), Standing::Moving, "its plan is being carried out"),
        (standing(&refused), Standing::NeedsPerson, "an approval is missing"),
        (
            standing(&refused.edit("mode: apply", "mode: observe")),
            Standing::Waiting,
            "whoever only looks needs nobody",
        ),
        (Status::unseen(now()).standing(), Standing::Unseen, "nobody has looked"),
        (
            Status { trouble: Some(trouble), ..seen }.standing(),
            Standing::Unseen,
            "the last look came to nothing",
        ),
    ] {
        assert_eq!(stands, wanted, "{why}");
    }
}
