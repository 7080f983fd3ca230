use super::*;
use crate::settings::Settings;
use std::path::Path;

fn read_all(text: &str) -> Result<Vec<ReceiverSettings>, String> {
    Settings::parse("controller.yaml", text.as_bytes(), Path::new("conf"))
        .map(|settings| settings.receivers)
        .map_err(|error| format!("{error}\n{}", error.hint().unwrap_or_default()))
}

fn one(text: &str) -> Result<ReceiverSettings, String> {
    read_all(&format!("notifications: [{{name: ops, {text}}}]")).map(|mut all| all.remove(0))
}

#[test]
fn everything_that_can_be_said_of_a_receiver_is_read() {
    let read = one(
        "severity: warning, kinds: [stalled, drift], teds: [einstein], timeout: 3s, giveUpAfter: 10m, caFile: ca.pem, \
         webhook: {url: 'https://hooks.example.com:8443/teds?x=1', secretFile: key}",
    )
    .unwrap();
    let expected = ReceiverSettings {
        name: "ops".into(),
        to: Channel::Webhook {
            url: UrlRef::Written(
                ReceiverUrl::parse("https://hooks.example.com:8443/teds?x=1", false).unwrap(),
            ),
            secret: Some(SecretRef::File("conf/key".into())),
        },
        severity: NoticeSeverity::Warning,
        kinds: vec![NoticeKind::Stalled, NoticeKind::Drift],
        teds: vec![Name::parse("einstein").unwrap()],
        timeout: Duration::from_secs(3),
        give_up_after: Duration::from_mins(10),
        ca_file: Some("conf/ca.pem".into()),
        plain_http: false,
    };
    assert_eq!(read, expected);
    let slack = one("slack: {urlVariable: SLACK_URL}").unwrap();
    assert_eq!(slack.to, Channel::Slack { url: SecretRef::Environment("SLACK_URL".into()) });
    let defaults = (slack.severity, slack.timeout, slack.give_up_after);
    assert_eq!(defaults, (NoticeSeverity::Info, DEFAULT_NOTICE_TIMEOUT, DEFAULT_GIVE_UP_AFTER));
    let github = one(
        "github: {repository: platform/teds, tokenFile: /t, apiUrl: 'http://127.0.0.1:9/api/v3', context: prod/, targetUrl: 'https://x/{ted}'}",
    );
    let Channel::GitHub(github) = github.unwrap().to else { panic!("another channel") };
    assert_eq!(github.api_url.reveal(), "http://127.0.0.1:9/api/v3");
    assert_eq!(
        (github.context.as_str(), github.target_url.as_deref()),
        ("prod", Some("https://x/{ted}"))
    );
    let Channel::GitHub(github) = one("github: {repository: a/b, tokenVariable: T}").unwrap().to
    else {
        panic!("another channel")
    };
    assert_eq!((github.api_url.reveal(), github.context.as_str()), (GITHUB_API, "ted-controller"));
}

#[test]
fn what_is_wrong_has_its_place_and_what_to_write_instead() {
    for (text, message, hint) in [
        ("", "1:17: notifications[0]: a receiver that is told in no way", "add one of"),
        (
            "slack: {urlFile: a}, webhook: {url: 'https://x/y'}",
            "1:17: notifications[0]: more than one of",
            "make a receiver of each",
        ),
        ("url: 'https://x/y'", "notifications[0].url: unknown field", "belongs under `webhook`"),
        ("weebhook: {}", "notifications[0].weebhook: unknown field", "did you mean `webhook`?"),
        (
            "webhook: {url: 'https://x/y', secretFil: x}",
            "notifications[0].webhook.secretFil: unknown field",
            "did you mean `secretFile`?",
        ),
        (
            "webhook: {}",
            "notifications[0].webhook.url: the field is missing",
            "add `url`, or `urlFile`",
        ),
        (
            "webhook: {url: 'https://x/y', urlFile: z}",
            "notifications[0].webhook.url: the address is named twice",
            "keep one of",
        ),
        (
            "webhook: {url: 'http://hooks.example.com/x'}",
            "notifications[0].webhook.url: what is sent would travel unprotected",
            "use an `https://` address",
        ),
        (
            "slack: {}",
            "notifications[0].slack.urlFile: the field is missing",
            "keep the webhook's address",
        ),
        (
            "slack: {urlFile: a, urlVariable: B}",
            "notifications[0].slack.urlVariable: `urlFile` is there too",
            "keep one of the two",
        ),
        (
            "github: {repository: 'https://github.com/platform/teds.git', tokenFile: t}",
            "notifications[0].github.repository: no repository of GitHub",
            "write `platform/teds`",
        ),
        (
            "github: {repository: a/b}",
            "notifications[0].github.tokenFile: the field is missing",
            "keep the token",
        ),
        (
            "github: {repository: a/b, tokenFile: t}, severity: warning",
            "notifications[0].severity: a commit status says how the commit stands",
            "remove `severity`",
        ),
        (
            "severity: bad, slack: {urlFile: a}",
            "notifications[0].severity: not one of the allowed words",
            "",
        ),
        (
            "kinds: [stuck, stalld], slack: {urlFile: a}",
            "notifications[0].kinds[0]: not one of the allowed words",
            "",
        ),
        ("timeout: 2h, slack: {urlFile: a}", "notifications[0].timeout: ", ""),
    ] {
        let said = one(text).unwrap_err();
        assert!(said.contains(message) && said.contains(hint), "{text}: {said}");
    }
    let twice = "notifications: [{name: a, slack: {urlFile: x}}, {name: a, slack: {urlFile: y}}]";
    let said = read_all(twice).unwrap_err();
    assert!(
        said.starts_with("controller.yaml:1:56: notifications[1].name: the name `a` is taken"),
        "{said}"
    );
}

#[test]
fn a_secret_in_the_wrong_place_is_not_repeated() {
    for text in [
        "slack: {url: 'https://hooks.slack.com/services/T0/B0/hunter2'}",
        "github: {repository: a/b, token: hunter2}",
        "webhook: {url: 'https://x/y', secret: hunter2}",
        "webhook: {url: 'https://u:hunter2@hooks.example.com/x'}",
        "webhook: {url: 'http://hooks.example.com/hunter2'}",
        "webhook: {url: 'ftp://hooks.example.com/hunter2'}",
        "webhook: {url: [hunter2]}",
        "slack: {urlVariable: hunter2}",
        "github: {repository: a/b, tokenFile: t, apiUrl: 'http://hunter2@x/'}",
    ] {
        let said = one(text).unwrap_err();
        assert!(!said.contains("hunter2"), "{text}: {said}");
    }
    let kept = one("webhook: {url: 'https://hooks.example.com/hunter2'}").unwrap();
    assert!(!format!("{kept:?}").contains("hunter2"), "{kept:?}");
}

#[test]
fn an_address_is_shown_by_its_server_only() {
    for (text, plain_http, server) in [
        ("https://hooks.example.com/a/b?c=d", false, Some("https://hooks.example.com")),
        ("HTTPS://hooks.example.com:8443", false, Some("https://hooks.example.com:8443")),
        ("http://localhost:3000/x", false, Some("http://localhost:3000")),
        ("http://[::1]:3000/x", false, Some("http://[::1]:3000")),
        ("http://chat.intern/x", false, None),
        ("http://chat.intern/x", true, Some("http://chat.intern")),
        ("https://", false, None),
        ("https://user@x/", false, None),
        ("https://x/ y", false, None),
        ("https://x/#y", false, None),
        ("hooks.example.com", false, None),
        ("ssh://x/y", true, None),
    ] {
        let read = ReceiverUrl::parse(text, plain_http);
        assert_eq!(read.as_ref().ok().map(ReceiverUrl::server), server, "{text}: {read:?}");
    }
}

#[test]
fn an_address_in_a_file_is_read_when_it_is_needed() {
    let folder = tempfile::tempdir().unwrap();
    let place = SecretRef::File(folder.path().join("url"));
    let url = UrlRef::Kept(place);
    assert!(url.read(false).unwrap_err().to_string().contains("cannot read the secret"));
    std::fs::write(folder.path().join("url"), "https://hooks.slack.com/services/x\n").unwrap();
    assert_eq!(url.read(false).unwrap().path(), "/services/x");
    std::fs::write(folder.path().join("url"), "hunter2\n").unwrap();
    let said = url.read(false).unwrap_err().to_string();
    assert!(said.contains("not the address of a receiver") && !said.contains("hunter2"), "{said}");
}

#[test]
fn all_secrets_are_known_to_whoever_takes_them_out_of_text() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["hook", "key", "chat", "token", "git", "server"] {
        std::fs::write(folder.path().join(name), format!("{name}-hunter2\n")).unwrap();
    }
    let text = "sources: [{git: {url: 'https://x/y.git', auth: {tokenFile: git}}}]\n\
                server: {tokenFile: server}\n\
                notifications:\n\
                - {name: a, webhook: {urlFile: hook, secretFile: key}}\n\
                - {name: b, webhook: {url: 'https://x/path-hunter2'}}\n\
                - {name: c, slack: {urlFile: chat}}\n\
                - {name: d, github: {repository: a/b, tokenFile: token}}\n\
                - {name: e, slack: {urlFile: absent}}\n";
    let settings = Settings::parse("controller.yaml", text.as_bytes(), folder.path()).unwrap();
    let mut secrets: Vec<String> =
        settings.secrets().iter().map(|secret| secret.reveal().to_owned()).collect();
    secrets.sort();
    let expected = ["/path-hunter2", "chat-hunter2", "git-hunter2", "hook-hunter2", "key-hunter2"];
    assert_eq!(secrets[..5], expected);
    assert_eq!(secrets[5..], ["server-hunter2", "token-hunter2"]);
    assert!(!format!("{settings:?}").contains("hunter2"), "{settings:?}");
}
