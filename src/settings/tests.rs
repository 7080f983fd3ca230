use super::fields::ROOT;
use super::*;
use crate::desired::form::{Field, Kind};
use std::collections::BTreeMap;

fn parse(text: &str) -> Result<Settings, SettingsError> {
    Settings::parse("controller.yaml", text.as_bytes(), Path::new("conf"))
}

#[test]
fn an_empty_file_and_no_file_say_the_same() {
    assert_eq!(parse("").unwrap(), Settings::default());
    assert_eq!(parse("# nothing\n").unwrap(), Settings::default());
    let none = load_with(None, Overrides::default(), Overrides::default()).unwrap();
    assert_eq!(none, Settings::default());
}

#[test]
fn a_full_file_says_everything_it_can() {
    let settings = parse(
        "controllerId: blue\nmode: observe\nfrozen: {reason: moving}\ninterval: 5m\nworkers: 9\nstateDir: state\nsourcePoll: 1m\n\
         maintenanceWindows: [{days: [Sat], start: \"02:00\", end: \"06:00\"}]\n\
         region: us-east-2\naccount: 012345678901\nallowedRoles: [\"arn:aws:iam::*:role/ted-*\"]\ntimeouts: {read: 9s}\n\
         desired: mine\nsources: [{path: teds}, {path: /etc/teds}]\n\
         notifications: [{name: ops, slack: {urlFile: slack}}]\n\
         server: {listen: \"[::1]:9000\", tokenFile: token, hosts: [TED.example.com]}\nlog: {level: debug, format: json}\n",
    )
    .unwrap();
    let Settings {
        mode,
        desired,
        sources,
        source_poll,
        aws,
        server,
        state_dir,
        controller_id,
        workers,
        interval,
        windows,
        frozen,
        receivers,
        log,
    } = settings.clone();
    assert_eq!(receivers.len(), 1);
    assert_eq!((controller_id.as_str(), mode, workers), ("blue", Mode::Observe, 9));
    assert_eq!(frozen.and_then(|freeze| freeze.reason).as_deref(), Some("moving"));
    assert_eq!(
        (windows.windows().len(), interval, source_poll),
        (1, Duration::from_mins(5), Duration::from_mins(1))
    );
    assert_eq!((desired, settings.all_sources().len()), (Some("conf/mine".into()), 3));
    assert_eq!(state_dir, Some("conf/state".into()), "relative to the file");
    assert_eq!(sources, ["conf/teds", "/etc/teds"].map(|path| SourceSettings::Path(path.into())));
    let expected = Server {
        listen: "[::1]:9000".parse().unwrap(),
        token_file: Some("conf/token".into()),
        hosts: vec!["ted.example.com".into()],
    };
    assert_eq!(server, expected);
    assert_eq!(log, Log { level: Some("debug".into()), format: Some(LogFormat::Json) });
    assert_eq!(aws.account.unwrap().as_str(), "012345678901", "a leading zero stays");
    assert_eq!(aws.timeouts, Timeouts { read: Duration::from_secs(9), ..Timeouts::default() });
    assert!(aws.allowed_roles[0].matches("arn:aws:iam::111122223333:role/ted-x"));
}

#[test]
fn what_is_wrong_has_its_place_and_what_to_write_instead() {
    for (text, message, hint, why) in [
        (
            "workerz: 4",
            "controller.yaml:1:1: workerz: unknown field",
            "did you mean `workers`?",
            "a slip",
        ),
        (
            "listen: 127.0.0.1:80",
            "controller.yaml:1:1: listen: unknown field",
            "`listen` belongs under `server`",
            "another place",
        ),
        (
            "server:\n  hots: []",
            "controller.yaml:2:3: server.hots: unknown field",
            "did you mean `hosts`?",
            "a slip further in",
        ),
        (
            "mode: aply",
            "controller.yaml:1:7: mode: not one of the allowed words: found `aply`",
            "did you mean `apply`?",
            "a word",
        ),
        (
            "server: {listen: \"localhost:80\"}",
            "controller.yaml:1:18: server.listen: not an address to listen on",
            "write `127.0.0.1:80`",
            "a name",
        ),
        (
            "interval: 30",
            "controller.yaml:1:11: interval: not a duration",
            "write `30s` for seconds, `30m` for minutes",
            "no unit",
        ),
        (
            "controllerId: Blue One",
            "controller.yaml:1:15: controllerId: not a DNS label",
            "write `blue-one`",
            "blanks would break a hold's value",
        ),
        (
            "server: {hosts: [\"https://ted.example.com:8443/x\"]}",
            "controller.yaml:1:18: server.hosts[0]: no host name",
            "write `ted.example.com`",
            "a URL",
        ),
        (
            "stateDir: ~/state",
            "controller.yaml:1:11: stateDir: `~` is the shell's",
            "write the whole path",
            "nobody expands it",
        ),
        (
            "log: {level: inf}",
            "controller.yaml:1:14: log.level: not one of the allowed words",
            "did you mean `info`?",
            "a bare word is a level",
        ),
        (
            "sources: [{}]",
            "controller.yaml:1:11: sources[0]: a source that names nothing",
            "add `path: …`, or `git: {url: …}`",
            "empty",
        ),
        (
            "maintenanceWindows: [{start: \"02:00\", end: \"02:10\"}]",
            "controller.yaml:1:22: maintenanceWindows[0]: a window that no update fits into",
            "an update takes 20 to 60 minutes",
            "never fits",
        ),
        (
            "mode: observe\n---\nengine: valkey",
            "controller.yaml:3:1: a second document",
            "documents of TEDs go into a source, not into the settings",
            "two documents",
        ),
    ] {
        let error = parse(text).unwrap_err();
        assert!(error.to_string().starts_with(message), "{why}: {error}");
        assert_eq!(error.hint(), Some(hint), "{why}: {error}");
    }
}

#[test]
fn everything_that_is_wrong_is_said_at_once_in_the_order_of_places() {
    let error = parse("workers: 0\nallowedRoles: [\"*\"]\nmode: [").unwrap_err();
    assert_eq!(error.problems().len(), 1, "no YAML, so nothing else can be said: {error}");
    let error = parse("workers: 0\nmode: no\nallowedRoles: [\"*\"]").unwrap_err();
    let lines: Vec<_> = error.problems().iter().map(|problem| problem.location.line).collect();
    assert_eq!(lines, [1, 2, 3]);
    assert_eq!(error.to_string().lines().count(), 3);
}

#[test]
fn a_flag_wins_over_the_environment_and_both_over_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("controller.yaml");
    std::fs::write(
        &config,
        "server: {listen: 127.0.0.1:1}\nmode: apply\nstateDir: file\nsources: [{path: file}]\nregion: eu-west-1\nlog: {level: warn}",
    )
    .unwrap();
    let variables: BTreeMap<&str, &str> = [
        ("TED_CONTROLLER_LISTEN", "127.0.0.1:2"),
        ("TED_CONTROLLER_STATE_DIR", "environment"),
        ("TED_CONTROLLER_MODE", "observe"),
        ("TED_CONTROLLER_REGION", " "),
        ("RUST_LOG", "debug"),
    ]
    .into();
    let environment = || {
        Overrides::from_environment(|name| variables.get(name).map(|value| (*value).to_owned()))
            .unwrap()
    };
    let flags = Overrides {
        listen: "127.0.0.1:3".parse().ok(),
        mode: Some(Mode::Apply),
        desired: Some("flag".into()),
        ..Overrides::default()
    };
    let settings = load_with(Some(&config), flags.clone(), environment()).unwrap();
    assert_eq!(settings.server.listen.port(), 3, "the flag");
    assert_eq!(settings.state_dir, Some("environment".into()), "the environment");
    assert_eq!(settings.log.level.as_deref(), Some("debug"), "the environment");
    assert_eq!(settings.aws.region.as_ref().map(Region::as_str), Some("eu-west-1"), "the file");
    assert_eq!(
        settings.all_sources(),
        [SourceSettings::Path("flag".into())],
        "replaced, not added"
    );
    assert_eq!(settings.mode, Mode::Observe, "the strictest of all places");
    let defaults = settings.defaults();
    assert_eq!(defaults.region, settings.aws.region);
    assert_eq!(defaults.interval, Some(Duration::from_mins(2)));
    assert_eq!(
        load_with(Some(&config), flags, Overrides::default()).unwrap().mode,
        Mode::Apply,
        "all say apply"
    );
}

#[test]
fn a_wrong_variable_is_named_with_its_value() {
    for (variable, _) in ENVIRONMENT {
        let wrong = |name: &str| (name == *variable).then(|| "n o".to_owned());
        // Paths can be any text.
        if ["_CONFIG", "_DESIRED", "_STATE_DIR"].iter().any(|path| variable.ends_with(path)) {
            assert_ne!(Overrides::from_environment(wrong).unwrap(), Overrides::default());
            continue;
        }
        let error = Overrides::from_environment(wrong).unwrap_err().to_string();
        assert!(error.contains(variable) && error.contains("`n o`"), "{error}");
    }
}

#[test]
fn a_missing_file_is_an_error_with_a_hint() {
    let error =
        load_with(Some(Path::new("no/such.yaml")), Overrides::default(), Overrides::default())
            .unwrap_err();
    assert_eq!(error.to_string(), "cannot read the settings `no/such.yaml`");
    assert!(error.hint().unwrap().contains("config/controller.yaml"));
}

#[test]
fn a_freeze_ends_when_it_says() {
    let settings = parse("frozen: {until: 2026-12-01T00:00:00Z}").unwrap();
    let at = |time: &str| settings.frozen_at(time.parse().unwrap());
    assert!(at("2026-11-30T23:59:59Z").unwrap().contains("settings"));
    assert_eq!(at("2026-12-01T00:00:00Z"), None);
    assert_eq!(parse("frozen: false").unwrap().frozen, None);
}

const SAMPLE: &str = include_str!("../../config/controller.yaml");

#[test]
fn the_sample_is_right_and_only_looks() {
    let settings = parse(SAMPLE).unwrap();
    assert_eq!(settings.mode, Mode::Observe);
    let expected = Settings {
        mode: Mode::Observe,
        log: Log { level: Some("info".into()), format: None },
        ..Settings::default()
    };
    assert_eq!(settings, expected, "everything else that is shown is the default");
}

#[test]
fn the_settings_for_kubernetes_are_right_and_only_look() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/kubernetes/controller.yaml");
    let settings = load_with(Some(&path), Overrides::default(), Overrides::default()).unwrap();
    assert_eq!((settings.mode, settings.all_sources().len()), (Mode::Observe, 0));
}

#[test]
fn the_sample_names_every_key_and_only_keys_that_there_are() {
    // The mode is the one that the sample does not show the default of.
    let shown: Vec<&str> = SAMPLE
        .lines()
        .flat_map(|line| line.trim_start_matches([' ', '#', '-']).split(['{', ',']))
        .filter_map(|part| part.split_once(':').map(|(key, _)| key.trim()))
        .collect();
    let mut all = Vec::new();
    keys(ROOT, &mut all);
    for key in &all {
        assert!(shown.contains(key), "the sample does not name `{key}`");
    }
    // Commented-out samples are right too.
    let uncommented = uncomment(SAMPLE);
    assert_eq!(parse(&uncommented).map(|_| ()).map_err(|e| format!("{e}\n{uncommented}")), Ok(()));
}

fn keys(fields: &'static [Field], all: &mut Vec<&'static str>) {
    for field in fields {
        all.push(field.name);
        match &field.kind {
            Kind::Object(inner) | Kind::List(Kind::Object(inner)) | Kind::FlagOr(inner) => {
                keys(inner, all);
            }
            _ => {}
        }
    }
}

/// The sample with its commented-out keys in force: a comment that is a key, or an item of a list below one.
fn uncomment(sample: &str) -> String {
    let is_yaml = |text: &str| {
        let text = text.trim_start().trim_start_matches("- ");
        let key = text.split_once(':').map_or("", |(key, _)| key);
        let is_key = !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric());
        is_key || !text.contains(' ')
    };
    let mut lines: Vec<String> = Vec::new();
    for line in sample.lines() {
        let indent = line.len() - line.trim_start().len();
        let Some(text) = line.trim_start().strip_prefix('#') else {
            lines.push(line.to_owned());
            continue;
        };
        let text = text.strip_prefix(' ').unwrap_or(text);
        if !is_yaml(text) || text.trim().is_empty() {
            continue;
        }
        // What stands in force in another form just above or below gives way.
        lines.push(format!("{}{text}", " ".repeat(indent)));
    }
    lines.retain(|line| line != "frozen: false");
    lines
        .iter()
        .map(|line| line.strip_suffix(" []").map_or(line.clone(), str::to_owned) + "\n")
        .collect()
}
