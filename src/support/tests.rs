//! Bundles without secrets, of TEDs of which little could be read, and with hostile names.

use super::*;
use crate::assess::diagnosis::last_failure;
use crate::assess::facts::Facts;
use crate::assess::testing::{World, healthy, there};
use crate::assess::{Context, assess, survey};
use crate::observe::dossier::ServiceEvent;
use crate::observe::observation::{Backlog, Gap, Seen};
use crate::observe::story::{StackEvent, StackStory, Story};
use crate::redact::tests::planting::planted;
use crate::report::sides;

const ROOT: &str = "arn:aws:cloudformation:us-east-2:111122223333:stack/SC-111122223333-pp-1/root";
const MADE: &str = "2026-08-05T12:00:30Z";

/// All that a bundle is made of.
struct Case {
    world: World,
    dossier: Dossier,
    around: Surroundings,
    redactor: Redactor,
}

impl Case {
    fn of(observation: Observation) -> Self {
        Self {
            world: World { observation, ..World::staying() },
            dossier: Dossier::nothing(),
            around: Surroundings::default(),
            redactor: Redactor::default(),
        }
    }

    fn event(&mut self, reason: &str) {
        let stacks = &mut self.dossier.story.stacks;
        if stacks.is_empty() {
            stacks.push(StackStory {
                id: ROOT.to_owned(),
                name: "SC-111122223333-pp-1".to_owned(),
                complete: true,
                ..StackStory::default()
            });
        }
        stacks[0].events.push(StackEvent {
            logical_id: "DatabaseStack".to_owned(),
            kind: "AWS::CloudFormation::Stack".to_owned(),
            status: "UPDATE_FAILED".to_owned(),
            reason: Some(reason.to_owned()),
            at: Some(MADE.parse().unwrap()),
            token: Some("c1e7a6a6-0f4f-4a44-8c5f-0b1f2a3b4c5d".to_owned()),
            ..StackEvent::default()
        });
    }

    fn bundle(&self, name: &str, with_document: bool) -> Bundle {
        let seen = &self.world.observation;
        let desired = self.world.desired();
        let desired = with_document.then_some(&desired);
        let context = Context::default();
        let assessment = match desired {
            Some(desired) => assess(desired, seen, &context),
            None => survey(seen, &context),
        };
        let facts = Facts::of(desired, seen);
        let sides = sides(desired, seen, &facts.roles, &assessment.findings);
        let plan = Plan::new(name, "ted-einstein", None, seen.now, &sides, &assessment);
        let last = last_failure(seen, &self.dossier.story);
        let ted = Evidence {
            name,
            desired,
            observation: seen,
            dossier: &self.dossier,
            last: &last,
            plan: &plan,
        };
        bundle(&[ted], &self.around, self.redactor.clone(), MADE.parse().unwrap())
    }
}

fn text_of<'a>(bundle: &'a Bundle, path: &str) -> &'a str {
    &bundle.files.iter().find(|file| file.path == path).expect(path).text
}

/// A text in base64 (RFC 4648), without padding.
fn base64(bytes: &[u8]) -> String {
    const SIGNS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for three in bytes.chunks(3) {
        let bits = three.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte))
            << (8 * (3 - three.len()));
        for place in 0..=three.len() {
            out.push(char::from(SIGNS[(bits >> (18 - 6 * place) & 63) as usize]));
        }
    }
    out
}

/// Everything in a text that reads as base64, decoded.
fn decoded(text: &str) -> String {
    let value = |byte: u8| match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' | b'-' => Some(62),
        b'/' | b'_' => Some(63),
        _ => None,
    };
    let mut out = String::new();
    for run in text.as_bytes().split(|byte| value(*byte).is_none()).filter(|run| run.len() > 7) {
        // The run may begin in the middle of a word.
        for skipped in 0..4 {
            let mut bytes = Vec::new();
            for four in run[skipped..].chunks(4) {
                let bits = four.iter().fold(0_u32, |bits, byte| {
                    bits << 6 | u32::from(value(*byte).unwrap_or_default())
                }) << (6 * (4 - four.len()));
                bytes.extend_from_slice(&bits.to_be_bytes()[1..four.len().max(1)]);
            }
            out.push_str(&String::from_utf8_lossy(&bytes));
            out.push('\n');
        }
    }
    out
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let hex = tail.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        let byte = hex.and_then(|hex| u8::from_str_radix(hex, 16).ok());
        if let (b'%', Some(byte)) = (first, byte) {
            bytes.push(byte);
            rest = &tail[2..];
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn percent(text: &str) -> String {
    text.bytes().fold(String::new(), |text, byte| format!("{text}%{byte:02X}"))
}

/// Secrets in every place that there is, and the secrets.
fn everything_planted() -> (Case, Vec<String>) {
    let (observation, mut secrets) = planted();
    let echoed = secrets[0].clone();
    let mut case = Case::of(observation);
    let mut secret = |place: &str| {
        let secret = format!("Zq9-{place}-planted/+x");
        secrets.push(secret.clone());
        secret
    };
    // What CloudFormation and others write into their sentences.
    case.event(&format!("Invalid master password: {}", secret("reason")));
    case.event(&format!("value {echoed} is not allowed, nor is {}", base64(echoed.as_bytes())));
    case.event(&format!("see https://x.example/?q={}&p=1", percent(&echoed)));
    case.event(&format!("Authorization: Basic {}", base64(format!("me:{echoed}").as_bytes())));
    case.event("the key AKIAIOSFODNN7EXAMPLE with wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
    let gap = |message: String| Gap {
        operation: "x:Y".into(),
        reason: "AccessDenied".into(),
        message,
        passing: false,
    };
    case.dossier.story.stacks.push(StackStory {
        gap: Some(gap(format!("no rights: token={}", secret("gap")))),
        ..StackStory::default()
    });
    let event = |message: String| ServiceEvent { at: None, source: None, message };
    case.dossier.database_events =
        Seen::Present(vec![event(format!("Reset master password: {}", secret("rds")))]);
    case.dossier.cache_events =
        Seen::Present(vec![event(format!("auth-token: {}", secret("cache")))]);
    case.dossier.queues = Seen::Unreadable(gap(format!(
        r#"policy {{"Condition":{{"StringEquals":{{"sts:ExternalId":"{}"}}}}}}"#,
        secret("policy")
    )));
    // The document.
    let (parameter, external) = (secret("document"), secret("external"));
    case.world = case.world.edit(
        "  cache:",
        &format!(
            "  roleArn: 'arn:aws:iam::111122223333:role/reader'\n  externalId: '{external}'\n  \
             parameters: {{OddOne: '{parameter}'}}\n  cache:"
        ),
    );
    // Around it.
    let (variable, userinfo, setting) = (secret("variable"), secret("proxy"), secret("setting"));
    case.redactor.learn_named("AWS_SECRET_ACCESS_KEY", &variable);
    let pair = |name: &str, value: String| (name.to_owned(), value);
    case.around.environment = vec![
        pair("AWS_SECRET_ACCESS_KEY", variable.clone()),
        pair("AWS_REGION", "us-east-2".to_owned()),
        pair("HTTPS_PROXY", format!("http://me:{}@proxy.example:3128", percent(&userinfo))),
    ];
    case.around.notes = vec![(
        "state.json".to_owned(),
        json!({"teds": {"einstein": {"message": format!("it was {variable}"), "token": "9f1c"}}}),
    )];
    case.around.files = vec![
        pair("settings.yaml", format!("server:\n  token: {setting}\n  note: it is {setting}\n")),
        pair(
            "daemon.log",
            format!(
                "2026 INFO look took 2s\n{{\"level\":\"WARN\",\"password\":\"{}\",\"message\":\"kept\"}}\n\
                 aws_secret_access_key = {variable}\nplain {echoed} {}\n",
                secret("log"),
                base64(variable.as_bytes()),
            ),
        ),
    ];
    case.around.missing = vec![format!("the log: cannot read `/x?token={}`", secret("missing"))];
    (case, secrets)
}

#[test]
fn no_secret_is_in_any_file_however_it_is_written() {
    let (case, mut secrets) = everything_planted();
    secrets.extend(
        ["AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"].map(str::to_owned),
    );
    for with_document in [true, false] {
        let mut secrets = secrets.clone();
        if !with_document {
            secrets.retain(|secret| !secret.contains("document") && !secret.contains("-external-"));
        }
        let bundle = case.bundle("einstein", with_document);
        for file in &bundle.files {
            let unescaped =
                file.text.replace("&#39;", "'").replace("&amp;", "&").replace("\\/", "/");
            let plain = percent_decoded(&unescaped);
            let all = format!("{plain}\n{}\n{}", decoded(&file.text), decoded(&plain));
            for secret in &secrets {
                assert!(
                    !all.contains(secret.as_str()),
                    "{secret} is in {} (document: {with_document}):\n{}",
                    file.path,
                    file.text
                );
            }
            assert!(!all.contains("-planted"), "{}: {}", file.path, file.text);
        }
    }
}

#[test]
fn what_is_no_secret_is_still_there() {
    let (case, _) = everything_planted();
    let bundle = case.bundle("einstein", true);
    let paths: Vec<&str> = bundle.files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(
        paths,
        [
            "report.html",
            "observation.json",
            "einstein/plan.json",
            "einstein/diagnosis.json",
            "einstein/events.json",
            "einstein/product.json",
            "einstein/stacks.json",
            "einstein/database.json",
            "einstein/cache.json",
            "einstein/triggers.json",
            "einstein/document.yaml",
            "controller.json",
            "controller/state.json",
            "controller/settings.yaml",
            "controller/daemon.log",
            "manifest.json",
        ]
    );
    let log = text_of(&bundle, "controller/daemon.log");
    assert!(log.contains("look took 2s") && log.contains("\"message\":\"kept\""), "{log}");
    let events = text_of(&bundle, "einstein/events.json");
    assert!(events.contains("Invalid master password") && events.contains("DatabaseStack"));
    assert!(events.contains("c1e7a6a6-0f4f-4a44-8c5f-0b1f2a3b4c5d"), "a token of events is an id");
    assert!(text_of(&bundle, "controller/state.json").contains("9f1c"), "so is one of our own");
    assert!(text_of(&bundle, "controller.json").contains("us-east-2"));
    assert!(text_of(&bundle, "einstein/document.yaml").contains("engine: redis"));
    let manifest: Value = serde_json::from_str(text_of(&bundle, "manifest.json")).unwrap();
    assert_eq!(manifest["files"].as_array().unwrap().len(), bundle.files.len() - 1);
    assert_eq!(manifest["format"], 1);
}

#[test]
fn a_bundle_holds_the_recording_that_plan_writes() {
    let case = Case::of(healthy());
    let bundle = case.bundle("einstein", true);
    let packed = archive::pack("x", &bundle.files, Timestamp::UNIX_EPOCH).unwrap();
    let recorded = recording::read(&packed).unwrap();
    let mut redactor = Redactor::default();
    redactor.learn_observation(&case.world.observation);
    assert_eq!(recorded[0].observation, redactor.observation(&case.world.observation));
    let replayed = World { observation: recorded[0].observation.clone(), ..World::staying() };
    assert_eq!(replayed.assess(), case.world.assess());
}

#[test]
fn of_a_ted_of_which_little_could_be_read_there_is_a_bundle_that_says_what_is_missing() {
    let gap = |operation: &str| Gap {
        operation: operation.into(),
        reason: "AccessDenied".into(),
        message: format!("{operation} is denied"),
        passing: false,
    };
    let mut seen = healthy();
    seen.root = Seen::Unreadable(gap("cloudformation:DescribeStacks"));
    seen.database = Seen::Unreadable(gap("rds:DescribeDBInstances"));
    there(&mut seen.triggers).mappings[0].tags = None;
    seen.details.tags = Some(gap("lambda:ListTags"));
    let mut case = Case::of(seen);
    case.dossier.database_events = Seen::Unreadable(gap("rds:DescribeEvents"));
    case.dossier.queues = Seen::Present(vec![Backlog {
        queue: "arn:aws:sqs:us-east-2:111122223333:q".into(),
        ..Backlog::default()
    }]);
    case.dossier.story = Story {
        stacks: vec![
            StackStory {
                name: "A".into(),
                gap: Some(gap("cloudformation:DescribeStackEvents")),
                ..StackStory::default()
            },
            StackStory { name: "B".into(), ..StackStory::default() },
        ],
    };
    case.dossier.queues_gap = Some(gap("sqs:GetQueueAttributes"));
    case.around.missing = vec!["the controller's settings: not given".to_owned()];
    let bundle = case.bundle("einstein", true);
    let report = text_of(&bundle, "report.html");
    for wanted in [
        "the controller's settings: not given",
        "einstein: the root stack: cloudformation:DescribeStacks is denied",
        "einstein: the database: rds:DescribeDBInstances is denied",
        "einstein: the events of the database: rds:DescribeEvents is denied",
        "einstein: events of stack A: cloudformation:DescribeStackEvents is denied",
        "einstein: older events of stack B: only the newest 0 were read",
        "einstein: the queues: sqs:GetQueueAttributes is denied",
        "einstein: the tags of worker triggers: lambda:ListTags is denied",
    ] {
        assert!(
            bundle.missing.iter().any(|what| what.starts_with(wanted)),
            "{wanted}: {:?}",
            bundle.missing
        );
        let escaped = wanted.replace('\'', "&#39;");
        assert!(report.contains(&escaped), "{wanted}: {report}");
    }
    assert!(report.contains("<h2>Cache</h2>"), "and the rest is there");
}

#[test]
fn hostile_names_stay_text_and_stay_in_their_folder() {
    let mut seen = healthy();
    let evil = "../../<img src=x onerror=alert(1)>\u{202e}";
    there(&mut seen.products)[0].status_message = Some(evil.to_owned());
    let mut case = Case::of(seen);
    case.event("<script>alert('x')</script>");
    case.around.files = vec![("../../etc/passwd".to_owned(), String::new())];
    let bundle = case.bundle(evil, false);
    let report = text_of(&bundle, "report.html");
    assert!(
        !report.contains("<img") && !report.contains("<script") && !report.contains('\u{202e}')
    );
    assert!(report.contains("&lt;script&gt;"));
    for file in &bundle.files {
        let inside = file.path.split('/').all(|part| !part.starts_with('.') && !part.is_empty());
        assert!(inside && file.path.is_ascii(), "{}", file.path);
    }
}

#[test]
fn the_report_needs_nothing_beside_it() {
    let (case, _) = everything_planted();
    let bundle = case.bundle("einstein", true);
    let report = text_of(&bundle, "report.html");
    assert!(report.contains("default-src 'none'"));
    for foreign in ["<script", "<link", "<img", "<iframe", "@import", "url(", " src="] {
        assert!(!report.contains(foreign), "{foreign}");
    }
    assert!(report.matches("<h2>").count() >= 10);
}

#[test]
fn a_report_of_thousands_of_events_stays_readable_and_the_file_has_all() {
    let mut case = Case::of(healthy());
    for number in 0..2_000 {
        case.event(&format!("event number {number}"));
    }
    let bundle = case.bundle("einstein", true);
    let report = text_of(&bundle, "report.html");
    assert!(report.len() < 400_000, "{}", report.len());
    assert!(report.contains("1700 older ones are in the files beside this report."));
    assert!(text_of(&bundle, "einstein/events.json").contains("event number 1999"));
}
