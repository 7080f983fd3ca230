use super::spec::parameter_value;
use super::*;
use crate::desired::document::{Approval, Cache, Suspend};
use crate::desired::engine::{CacheVersion, Engine};
use crate::desired::fields::{SUSPEND, WINDOW};
use crate::desired::ids::ParameterKey;
use crate::desired::window::{
    DAYS, MaintenanceWindow, MaintenanceWindows, parse_day, parse_timezone,
};
use crate::desired::yaml::read;
use jiff::Timestamp;
use proptest::prelude::*;
use std::time::Duration;

fn parse(text: &str) -> FileRead {
    file("teds/einstein.yaml", text.as_bytes(), &Defaults::default())
}

fn only(text: &str) -> Desired {
    let read = parse(text);
    assert_eq!(read.problems, [], "{text}");
    assert_eq!(read.documents.len(), 1, "{text}");
    read.documents.into_iter().next().unwrap()
}

fn hints(text: &str) -> Vec<String> {
    parse(text).problems.into_iter().map(|problem| problem.hint.unwrap_or_default()).collect()
}

const HEAD: &str = "apiVersion: ted-controller.dev/v1alpha1\nkind: TurbotEnterpriseDatabase\nmetadata: {name: einstein}\nspec:\n";

#[test]
fn two_lines_are_a_document() {
    let defaults =
        Defaults { region: Region::parse("eu-west-1").ok(), account: None, interval: None };
    let read = file("teds/einstein.yaml", b"engine: valkey\nversion: \"8.0\"\n", &defaults);
    assert_eq!(read.problems, []);
    let Desired { name, spec, location } = &read.documents[0];
    assert_eq!(name.as_str(), "einstein", "from the file's stem");
    assert_eq!(spec.provisioned_product, ProductRef::Name("ted-einstein".into()));
    assert_eq!(spec.region.as_ref().map(Region::as_str), Some("eu-west-1"), "from the controller");
    assert_eq!(spec.hive.as_str(), "einstein");
    assert_eq!(spec.policy, Policy::default());
    assert_eq!(spec.policy.mode, Mode::Apply);
    assert_eq!(spec.ted_version, None, "absent: keep");
    assert_eq!(location.to_string(), "teds/einstein.yaml:1:1");
}

#[test]
fn both_forms_say_the_same() {
    let short = only(
        "engine: Redis\nversion: 7.1\ntedVersion: \">=1.50, <2\"\nprovisionedProduct: pp-senyqa2ncjkws\nregion: us-east-2\n\
         account: 012345678901\nname: newton\nhive: new_ton\nmode: observe\napprove: [retrigger]\n",
    );
    let full = only(
        "apiVersion: ted-controller.dev/v1alpha1\nkind: TurbotEnterpriseDatabase\nmetadata: {name: newton}\nspec:\n  \
         cache: {engine: redis, version: \"7.1\"}\n  tedVersion: \">=1.50, <2\"\n  provisionedProduct: pp-senyqa2ncjkws\n  \
         region: us-east-2\n  account: \"012345678901\"\n  hive: new_ton\n  policy: {mode: observe, approve: [retrigger]}\n",
    );
    assert_eq!(short, full);
    assert_eq!(short.digest(), full.digest());
}

#[test]
fn scalars_keep_their_spelling() {
    let text = format!(
        "{HEAD}  parameters: {{A: 7.10, B: 007, C: 1e3, D: yes, E: on, F: 0x1F, G: 1_000, H: 12:30, I: 2026-12-01, J: \"\", K: true, L: ' a '}}\n"
    );
    let values: Vec<String> = only(&text).spec.parameters.into_values().collect();
    assert_eq!(
        values,
        [
            "7.10",
            "007",
            "1e3",
            "yes",
            "on",
            "0x1F",
            "1_000",
            "12:30",
            "2026-12-01",
            "",
            "true",
            " a "
        ]
    );
    let cache = only("engine: valkey\nversion: 7.10\n").spec.cache.unwrap();
    assert_eq!(cache.version.as_str(), "7.10");
}

#[test]
fn what_is_not_ours_is_passed_over_with_a_note() {
    for (text, note, why) in [
        ("apiVersion: v1\nkind: ConfigMap\n", "apiVersion `v1` is not", "Kubernetes"),
        (
            "Resources: {A: {Type: x, Properties: !Ref B}}\n",
            "neither",
            "CloudFormation, with its tags",
        ),
        ("- a\n- b\n", "this is a list", "a list"),
        (
            "Engine: valkey\nversion: '8.0'\n",
            "did you mean `engine`",
            "a slip in the one field that tells",
        ),
        ("", "no document", "nothing"),
        ("# only a comment\n---\n", "no document", "nothing but a comment"),
    ] {
        let read = parse(text);
        assert_eq!((read.documents.len(), read.problems.len()), (0, 0), "{why}");
        assert!(read.notes[0].message.contains(note), "{why}: {}", read.notes[0]);
    }
}

#[test]
fn what_is_meant_for_us_is_never_passed_over() {
    for (text, hint, why) in [
        (
            "apiVersion: ted-controller.dev/v1\nkind: TurbotEnterpriseDatabase\nmetadata: {name: a}\nspec: {hive: ab}\n",
            "did you mean `ted-controller.dev/v1alpha1`?",
            "our group",
        ),
        (
            "kind: TurbotEnterpriseDatabase\nmetadata: {name: a}\nspec: {hive: ab}\n",
            "write `apiVersion: ted-controller.dev/v1alpha1`",
            "our kind",
        ),
        (
            "apiVersion: ted-controller.dev/v1alpha1\nkind: TurboDatabase\nmetadata: {name: a}\nspec: {hive: ab}\n",
            "did you mean `TurbotEnterpriseDatabase`?",
            "another kind",
        ),
    ] {
        assert!(hints(text).contains(&hint.to_owned()), "{why}: {:?}", hints(text));
    }
}

#[test]
fn all_problems_of_a_file_are_reported_in_one_go() {
    let read = parse(
        "engine: valky\nversion: '8'\nregion: ohio\ncolour: red\n---\nengine: valkey\nversion: '8.0'\nname: ok\n---\nengine: redis\nversion: '7.1'\nname: B\n",
    );
    let places: Vec<(usize, &str)> = read
        .problems
        .iter()
        .map(|problem| (problem.location.line, problem.field.as_str()))
        .collect();
    assert_eq!(places, [(1, "engine"), (2, "version"), (3, "region"), (4, "colour"), (12, "name")]);
    assert_eq!(read.documents.len(), 1, "the document without a problem is whole");
}

#[test]
fn a_file_that_is_cut_off_yields_no_document() {
    let read = parse("engine: valkey\nversion: '8.0'\n---\nengine: 'val");
    assert_eq!((read.documents.len(), read.problems.len()), (0, 1));
    assert_eq!(read.problems[0].kind, ProblemKind::Syntax);
}

#[test]
fn a_file_full_of_problems_is_not_read_to_its_end() {
    let read = parse(&"engine: x\nversion: y\n---\n".repeat(200));
    assert_eq!(read.problems.len(), MAX_PROBLEMS + 1);
    let last = &read.problems[MAX_PROBLEMS];
    assert_eq!((last.kind, last.location.line), (ProblemKind::TooLarge, 151));
}

#[test]
fn nothing_stands_for_an_empty_list_or_mapping() {
    let desired = only(&format!(
        "{HEAD}  parameters:\n  events:\n  policy:\n    mode: observe\n    approve:\n    # - retrigger\n"
    ));
    assert_eq!(desired.spec.policy.approve, []);
    assert_eq!(
        hints("engine: valkey\nversion:\n"),
        ["give it one, or remove the field; `\"\"` is empty text"]
    );
}

#[test]
fn flags_and_numbers_have_one_spelling() {
    for (text, hint) in [("yes", "write `true`"), ("Off", "write `false`"), ("2", "")] {
        assert_eq!(hints(&format!("{HEAD}  events: {{pause: {text}}}\n")), [hint], "{text}");
    }
    for text in ["0", "7", "02", "-1", "2.0", "two"] {
        let document =
            format!("{HEAD}  cache: {{engine: valkey, version: '8.0', nodes: {text}}}\n");
        assert_eq!(parse(&document).problems.len(), 1, "{text}");
    }
    let quoted = only(&format!(
        "{HEAD}  cache: {{engine: valkey, version: '8.0', nodes: '2', multiAz: 'true'}}\n"
    ));
    assert_eq!(quoted.spec.cache.and_then(|cache| cache.nodes), Some(2), "quotes do not matter");
}

#[test]
fn a_suspension_ends_at_one_point_in_time_whatever_the_clocks_do() {
    let suspend = |until: &str| format!("{HEAD}  suspend: {{until: \"{until}\"}}\n");
    // Spelled; the last second in which it holds, in UTC; why.
    for (until, last, why) in [
        ("2026-12-01T00:00:00Z", "2026-11-30T23:59:59Z", "UTC"),
        ("2026-12-01T00:00:00+01:00", "2026-11-30T22:59:59Z", "an offset"),
        (
            "2026-10-25T02:30:00+02:00",
            "2026-10-25T00:29:59Z",
            "half past two in Berlin, the first time",
        ),
        ("2026-10-25T02:30:00+01:00", "2026-10-25T01:29:59Z", "and the second time"),
        (
            "2026-11-01T01:30:00-05:00",
            "2026-11-01T06:29:59Z",
            "half past one in New York, the second time",
        ),
        (
            "2026-04-05T01:45:00+10:30",
            "2026-04-04T15:14:59Z",
            "on Lord Howe Island, by half an hour",
        ),
        ("2027-03-28T03:00:00+02:00", "2027-03-28T00:59:59Z", "the moment of a change"),
    ] {
        let suspend = only(&suspend(until)).spec.suspend.unwrap();
        let last: Timestamp = last.parse().unwrap();
        assert!(suspend.holds(last), "{why}");
        assert!(
            !suspend.holds(last + jiff::SignedDuration::from_secs(1)),
            "{why}: the end is outside"
        );
    }
    for (until, hint, why) in [
        ("2026-12-01", "write `2026-12-01T00:00:00Z`", "a day"),
        (
            "2026-12-01T02:00:00",
            "write `2026-12-01T02:00:00Z` for UTC, or an offset such as `+02:00`",
            "no offset",
        ),
        (
            "2026-07-01T00:00:00+01:00[Europe/Berlin]",
            "write `2026-07-01T00:00:00+01:00`: the offset alone counts",
            "an offset that contradicts the zone",
        ),
    ] {
        let problems = parse(&suspend(until)).problems;
        assert_eq!((problems.len(), problems[0].hint.as_deref()), (1, Some(hint)), "{why}");
    }
    assert!(only(&format!("{HEAD}  suspend: true\n")).spec.suspend.unwrap().holds(Timestamp::MAX));
}

#[test]
fn windows_are_read_in_the_weeks_order_and_checked_for_fit() {
    let windows = |text: &str| format!("{HEAD}  policy: {{maintenanceWindows: [{text}]}}\n");
    let desired = only(&windows(
        "{days: [Sun, sat, Saturday], start: 22:00, end: 02:00, timezone: Europe/Berlin}",
    ));
    assert_eq!(
        desired.spec.policy.maintenance_windows.windows()[0].to_string(),
        "Sat, Sun 22:00–02:00 Europe/Berlin"
    );
    assert_eq!(
        only(&windows("{start: 00:00, end: 24:00}")).spec.policy.maintenance_windows.windows()[0]
            .days
            .len(),
        7
    );
    for (text, field, why) in [
        (
            "{days: [Sat], start: 02:00, end: 02:10}",
            "spec.policy.maintenanceWindows[0]",
            "never fits",
        ),
        (
            "{days: [], start: 02:00, end: 06:00}",
            "spec.policy.maintenanceWindows[0].days",
            "no day",
        ),
        ("{start: 02:00, end: 02:00}", "spec.policy.maintenanceWindows[0].end", "empty or whole?"),
        ("{start: 24:00, end: 02:00}", "spec.policy.maintenanceWindows[0].start", "no such start"),
        ("{start: 02:00}", "spec.policy.maintenanceWindows[0].end", "missing"),
        (
            "{start: 02:00, end: 06:00, timezone: Berlin}",
            "spec.policy.maintenanceWindows[0].timezone",
            "zone",
        ),
    ] {
        let fields: Vec<String> =
            parse(&windows(text)).problems.into_iter().map(|problem| problem.field).collect();
        assert_eq!(fields, [field], "{why}");
    }
}

#[test]
fn rules_between_fields_are_kept() {
    for (spec, field, why) in [
        (
            "account: \"111122223333\"\n  roleArn: arn:aws:iam::444455556666:role/a",
            "spec.roleArn",
            "role of another account",
        ),
        ("externalId: abc", "spec.externalId", "external id without a role"),
        (
            "cache: {engine: valkey, version: '8.0', nodes: 1, multiAz: true}",
            "spec.cache.multiAz",
            "one node, many zones",
        ),
        (
            "cache: {engine: valkey, version: '7.1'}",
            "spec.cache.version",
            "a Redis version with valkey",
        ),
        (
            "parameterKeys: {cacheEngine: A, cacheNodes: A}",
            "spec.parameterKeys.cacheNodes",
            "one key, two roles",
        ),
        (
            "parameterKeys: {cacheEngine: A}\n  parameters: {A: valkey}",
            "spec.parameters.A",
            "said twice",
        ),
        (
            "parameters: {MasterPassword: '****'}",
            "spec.parameters.MasterPassword",
            "a masked value",
        ),
        ("parameters: {A: [1, 2]}", "spec.parameters.A", "a list"),
        ("policy: {approve: [retrigger, retrigger]}", "spec.policy.approve[1]", "twice"),
        ("events: {drain: 10m}", "spec.events.drain", "longer than a hold is fresh"),
        ("suspend: {until: 2026-12-01}", "spec.suspend.until", "no time"),
        ("parameters: {A: \"a\\eb\"}", "spec.parameters.A", "an escape character"),
        (
            "suspend: {reason: \"a\u{2028}b\"}",
            "spec.suspend.reason",
            "a line separator that readers of YAML disagree on",
        ),
        ("tedVersion: !Ref x", "spec.tedVersion", "a tag"),
    ] {
        let read = parse(&format!("{HEAD}  {spec}\n"));
        assert!(read.documents.is_empty(), "{why}");
        assert_eq!(read.problems[0].field, field, "{why}");
        assert!(read.problems[0].location.line > 4, "{why}: {}", read.problems[0]);
    }
    only(&format!(
        "{HEAD}  parameterKeys: {{redisVersion: A, valkeyVersion: A, allocatedStorage: B}}\n  parameters: {{B: 200}}\n"
    ));
}

#[test]
fn a_field_in_the_wrong_place_is_told_its_place() {
    assert_eq!(
        hints("engine: redis\nversion: '7.1'\nnodes: 2\n"),
        [
            "`nodes` belongs to the full form, which begins with `apiVersion: ted-controller.dev/v1alpha1`"
        ]
    );
    assert_eq!(hints(&format!("{HEAD}  mode: observe\n")), ["`mode` belongs under `policy`"]);
    assert_eq!(
        hints(&format!("{HEAD}  hive: ab\nregion: us-east-2\n")),
        ["indent `region` under `spec`"]
    );
}

#[test]
fn every_name_in_the_description_is_read() {
    // A field that the description offers and the parser never looks at would be accepted and do nothing.
    let source = concat!(include_str!("../parse.rs"), include_str!("spec.rs"));
    for table in [FULL, METADATA, SPEC, CACHE, EVENTS, POLICY, WINDOW, SUSPEND, SHORT] {
        for field in table {
            assert!(source.contains(&format!("\"{}\"", field.name)), "{} is not read", field.name);
        }
    }
}

#[test]
fn what_any_reader_of_yaml_may_mistake_is_quoted() {
    let text = format!(
        "{HEAD}  parameters: {{A: yes, B: 22:00, C: 2026-12-01, D: 1_000, E: .inf, F: plain, G: 'a: b', H: '-', I: 'v1.2.3', J: '0:'}}\n"
    );
    let written = only(&text).to_yaml();
    let parameters: Vec<&str> =
        written.lines().filter(|line| line.starts_with("    ")).take(10).collect();
    assert_eq!(
        parameters,
        [
            "    A: \"yes\"",
            "    B: \"22:00\"",
            "    C: \"2026-12-01\"",
            "    D: \"1_000\"",
            "    E: \".inf\"",
            "    F: plain",
            "    G: 'a: b'",
            "    H: '-'",
            "    I: v1.2.3",
            "    J: '0:'",
        ]
    );
}

#[test]
fn suggested_approvals_are_a_comment_under_the_mode() {
    let desired = only("engine: valkey\nversion: '8.0'\nmode: observe\n");
    let written = desired.to_yaml_suggesting(&[Approval::RedisToValkey, Approval::NoLaunchRole]);
    assert!(
        written.ends_with(
            "  policy:\n    mode: observe\n    # approve: [redis-to-valkey, no-launch-role]\n"
        ),
        "{written}"
    );
    assert_eq!(only(&written), desired);
    let approved = only(&written.replace("# approve", "approve"));
    assert_eq!(approved.spec.policy.approve, [Approval::RedisToValkey, Approval::NoLaunchRole]);
}

#[test]
fn the_api_shows_defaults_and_no_secrets() {
    let text =
        format!("{HEAD}  roleArn: arn:aws:iam::111122223333:role/a\n  externalId: hush-hush\n");
    let shown = only(&text).to_api();
    assert_eq!(shown["spec"]["policy"]["updateTimeout"], "8h");
    assert_eq!(shown["spec"]["events"]["pause"], true);
    assert_eq!(shown["spec"]["externalId"], "(redacted)");
    assert!(!format!("{:?}", only(&text)).contains("hush"), "nor does a log line");
    assert!(only(&text).to_yaml().contains("hush-hush"), "the document itself keeps it");
}

#[test]
fn a_digest_is_of_what_a_document_says() {
    let one = only("engine: valkey\nversion: '8.0'\n").digest();
    assert_eq!(one.as_str().len(), 16);
    assert_eq!(
        only("version: 8.0 # spelled otherwise\nengine: VALKEY\nmode: apply\nhive: einstein\n")
            .digest(),
        one
    );
    assert_ne!(only("engine: valkey\nversion: '8.1'\n").digest(), one);
    assert_ne!(
        only("engine: valkey\nversion: '8.0'\napprove: [redis-to-valkey]\n").digest(),
        one,
        "an approval is a change"
    );
}

/// Any document that can be written down.
fn documents() -> impl Strategy<Value = Desired> {
    let text = |pattern: &str| prop::string::string_regex(pattern).unwrap();
    let cache = prop::option::of((
        prop::sample::select(vec![
            ("valkey", "8.0"),
            ("valkey", "7.10"),
            ("redis", "7.1"),
            ("redis", "5.0.6"),
        ]),
        prop::option::of(2u8..6),
        prop::option::of(any::<bool>()),
        prop::option::of(prop::sample::select(vec!["IAM", "Redis Password & IAM", "yes"])),
    ));
    let parameters = prop::collection::btree_map(
        text("[A-Za-z0-9]{1,12}"),
        "[ -~\n\t\u{a0}-\u{2fff}]{0,30}",
        0..6,
    );
    let suspend = prop::option::of((
        prop::option::of(text("[ -~]{1,40}")),
        prop::option::of(0i64..4_000_000_000),
    ));
    let approvals = prop::sample::subsequence(
        vec!["redis-to-valkey", "major-version@v2.0.0", "retrigger", "cache-recreate@v1.52.1-rc.1"],
        0..4,
    );
    let windows = prop::collection::vec(
        (
            prop::sample::subsequence(DAYS.to_vec(), 1..7),
            0u8..23,
            prop::sample::select(vec!["UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires"]),
        ),
        0..3,
    );
    let times = (0u64..100_000_000, 1000u64..86_400_000, any::<bool>());
    (text("[a-z][a-z0-9]{1,20}"), cache, parameters, suspend, approvals, windows, times).prop_map(
        |(name, cache, parameters, suspend, approvals, windows, (settle, interval, flag))| {
            let mut desired = only(
                HEAD.trim_end_matches("spec:\n").replace("einstein", &name).add_spec().as_str(),
            );
            let spec = &mut desired.spec;
            spec.cache = cache.map(|((engine, version), nodes, multi_az, auth_mode)| {
                let engine = Engine::parse(engine).unwrap();
                let auth_mode = auth_mode.map(str::to_owned);
                Cache {
                    engine,
                    version: CacheVersion::parse(version, engine).unwrap(),
                    node_type: None,
                    nodes,
                    multi_az,
                    auth_mode,
                }
            });
            spec.parameters = parameters
                .into_iter()
                .filter(|(_, value)| {
                    parameter_value(value).is_ok() && !value.contains(['\u{2028}', '\u{2029}'])
                })
                .map(|(key, value)| (ParameterKey::parse(&key).unwrap(), value))
                .collect();
            spec.suspend = suspend.map(|(reason, until)| Suspend {
                reason,
                until: until.and_then(|second| Timestamp::from_second(second).ok()),
            });
            spec.policy.approve =
                approvals.iter().map(|word| Approval::parse(word).unwrap()).collect();
            let windows = windows.into_iter().map(|(days, hour, zone)| MaintenanceWindow {
                days: days.into_iter().map(|day| parse_day(day).unwrap()).collect(),
                start: jiff::civil::time(i8::try_from(hour).unwrap(), 15, 0, 0),
                end: jiff::civil::Time::new(i8::try_from(hour + 1).unwrap() % 24, 0, 0, 0)
                    .ok()
                    .filter(|end| end.hour() != 0),
                timezone: parse_timezone(zone).unwrap(),
            });
            spec.policy.maintenance_windows = MaintenanceWindows::new(windows.collect());
            spec.policy.settle = Duration::from_millis(settle);
            spec.policy.interval = Duration::from_millis(interval);
            spec.policy.self_heal = flag;
            spec.events.pause = !flag;
            desired
        },
    )
}

trait AddSpec {
    fn add_spec(self) -> String;
}

impl AddSpec for String {
    fn add_spec(self) -> String {
        format!(
            "{self}spec: {{tedVersion: \">=1.50, <2\", roleArn: \"arn:aws:iam::111122223333:role/a\", externalId: \"007\"}}\n"
        )
    }
}

/// A tree as `serde_yaml` sees it, every scalar as text.
fn spelled(value: &serde_yaml::Value) -> serde_json::Value {
    match value {
        serde_yaml::Value::Null => "null".into(),
        serde_yaml::Value::Bool(flag) => flag.to_string().into(),
        serde_yaml::Value::Number(number) => number.to_string().into(),
        serde_yaml::Value::String(text) => text.clone().into(),
        serde_yaml::Value::Sequence(items) => items.iter().map(spelled).collect(),
        serde_yaml::Value::Mapping(map) => map
            .iter()
            .map(|(key, value)| {
                (spelled(key).as_str().unwrap_or_default().to_owned(), spelled(value))
            })
            .collect::<serde_json::Map<_, _>>()
            .into(),
        serde_yaml::Value::Tagged(_) => serde_json::Value::Null,
    }
}

fn spelled_node(node: &Node) -> serde_json::Value {
    match &node.value {
        Value::Scalar { text, .. } => text.clone().into(),
        Value::List(items) => items.iter().map(spelled_node).collect(),
        Value::Map(entries) => entries
            .iter()
            .map(|(key, value)| (key.text().unwrap_or_default().to_owned(), spelled_node(value)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
    }
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        file("a.yaml", &bytes, &Defaults::default());
    }

    #[test]
    fn no_text_that_looks_like_yaml_makes_it_panic(text in "([a-z]{1,6}|: |- |\\[|\\]|\\{|\\}|,|&a |\\*a|!t |'|\"|\n|\n  |\n    |--- |#|\\||>|%|@|`|\u{e9}|\t|\r|\\\\){0,60}") {
        file("a.yaml", text.as_bytes(), &Defaults::default());
    }

    #[test]
    fn no_edit_of_a_document_makes_it_panic(at in 0usize..4000, with in ".{0,4}") {
        let mut text: Vec<char> = include_str!("../../../config/teds/einstein.yaml").chars().collect();
        let at = at.min(text.len());
        let end = (at + 2).min(text.len());
        text.splice(at..end, with.chars());
        file("a.yaml", text.into_iter().collect::<String>().as_bytes(), &Defaults::default());
    }

    #[test]
    fn a_written_document_reads_as_itself(desired in documents()) {
        let text = desired.to_yaml();
        let read = parse(&text);
        prop_assert_eq!(&read.problems, &[], "{}", text);
        prop_assert_eq!(&read.documents[0].spec, &desired.spec, "{}", text);
        prop_assert_eq!(&read.documents[0].name, &desired.name);
        prop_assert_eq!(read.documents[0].digest(), desired.digest());
    }

    /// Two readers of YAML, one of which nobody here wrote tests for, agree on what was written.
    #[test]
    fn both_readers_of_yaml_agree(desired in documents()) {
        let text = desired.to_yaml();
        let theirs: serde_yaml::Value = serde_yaml::from_str(&text).unwrap();
        prop_assert_eq!(spelled_node(&read(text.as_bytes()).documents[0]), spelled(&theirs), "{}", text);
    }
}
