use super::*;
use crate::assess::types::{ConditionStatus, ConditionType};
use crate::desired::Committed;
use crate::notify::commit;
use crate::notify::notice::{About, of_ted};
use crate::notify::testing::{at, receiver, set, slack as slack_channel, ted};
use crate::report::{SourceCommit, SourceFile, SourceReport};
use crate::settings::UrlRef;

/// A notice with everything that others could have written into it.
fn notice() -> Notice {
    let mut ted = ted();
    let message = "approve `redis-to-valkey` <!channel> & <https://evil.example|here>";
    set(&mut ted, ConditionType::Stalled, ConditionStatus::True, "OneWay", message);
    ted.status.observed_revision = Some("main@sha1:0123".to_owned());
    ted.status.observed_commit =
        Some(Committed { author: "Ada <ada>".to_owned(), subject: "Move & go".to_owned() });
    let state = of_ted(&ted).into_iter().find(|state| state.reason == "OneWay").unwrap();
    Notice { id: "0123abcd".to_owned(), at: at(0), ted: Some(About::of(&ted)), state }
}

#[test]
fn the_signature_is_what_anybody_computes() {
    // python3: hmac.new(b"s3cret", b'1700000000.{"id":"x"}', hashlib.sha256).hexdigest()
    assert_eq!(
        signature("s3cret", "1700000000", r#"{"id":"x"}"#),
        "sha256=2382c1d0968a5e57238c68de957f44d87e83d3049a5588ec251442ca372b8aec"
    );
}

#[test]
fn a_webhook_gets_everything_by_name() {
    let payload = payload(&notice(), "ctl-1");
    assert_eq!(payload["ted"], "einstein");
    assert_eq!((&payload["kind"], &payload["severity"]), (&"stalled".into(), &"critical".into()));
    assert_eq!((&payload["resolved"], &payload["controller"]), (&false.into(), &"ctl-1".into()));
    assert_eq!(payload["commit"]["subject"], "Move & go");
    assert_eq!(payload["update"], Value::Null);
}

#[test]
fn in_a_chat_nothing_that_others_wrote_is_a_link_or_a_mention() {
    let text = slack(&notice());
    assert_eq!(
        text,
        "🛑 *einstein* · OneWay\n\
         approve `redis-to-valkey` &lt;!channel&gt; &amp; &lt;https://evil.example|here&gt;\n\
         _Move &amp; go (Ada &lt;ada&gt;)_"
    );
}

#[test]
fn what_cannot_be_read_is_tried_later_and_says_nothing_of_secrets() {
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| SecretRef::File(folder.path().join(name));
    std::fs::write(folder.path().join("url"), "http://hooks.example.com/hunter2").unwrap();
    for to in [
        slack_channel(),
        Channel::Slack { url: place("url") },
        Channel::Webhook { url: UrlRef::Kept(place("absent")), secret: None },
        Channel::Webhook {
            url: UrlRef::Written(ReceiverUrl::parse("https://x/y", false).unwrap()),
            secret: Some(place("absent")),
        },
    ] {
        let means = Means::new(&Arc::new(receiver(to)), "ctl-1");
        let why = means.prepare(&notice()).err().unwrap();
        assert!(!why.is_empty() && !why.contains("hunter2"), "{why}");
    }
    assert_eq!(clean("x hunter2 y\n", &["hunter2".to_owned()]), "x … y");
}

fn github() -> GitHubSettings {
    GitHubSettings {
        repository: "platform/teds".to_owned(),
        token: SecretRef::Environment("NOT_SET".to_owned()),
        api_url: ReceiverUrl::parse("https://api.github.com", false).unwrap(),
        context: "ted-controller".to_owned(),
        target_url: None,
    }
}

#[test]
fn a_commit_stands_as_its_ted_does() {
    let mut ted = ted();
    let of = |ted: &crate::report::Ted| {
        let states = commit::of_ted(ted, &github(), &[], &[]);
        states.first().map(|state| {
            let commit = state.commit.clone().unwrap();
            (commit.state, commit.context, commit.sha, state.message.clone())
        })
    };
    assert_eq!(of(&ted), None, "no revision");
    ted.status.observed_revision = Some("sha256:0123".to_owned());
    assert_eq!(of(&ted), None, "no commit");
    ted.status.observed_revision = Some("main@sha1:0123".to_owned());
    let (context, sha) = ("ted-controller/einstein".to_owned(), "0123".to_owned());
    let expect =
        |state, message: &str| Some((state, context.clone(), sha.clone(), message.to_owned()));
    assert_eq!(of(&ted), expect("success", "everything is as wanted"));
    set(&mut ted, ConditionType::Ready, ConditionStatus::False, "Differs", "it differs");
    assert_eq!(of(&ted), expect("pending", "it differs"));
    set(
        &mut ted,
        ConditionType::Reconciling,
        ConditionStatus::True,
        "Waiting",
        "the window opens at two",
    );
    assert_eq!(of(&ted), expect("pending", "the window opens at two"));
    set(&mut ted, ConditionType::Reconciling, ConditionStatus::False, "Idle", "");
    set(&mut ted, ConditionType::Stalled, ConditionStatus::True, "OneWay", &"x".repeat(500));
    assert_eq!(of(&ted), expect("failure", &format!("{}…", "x".repeat(139))), "140 characters");
    set(&mut ted, ConditionType::Stalled, ConditionStatus::False, "Idle", "");
    set(&mut ted, ConditionType::Ready, ConditionStatus::Unknown, "Throttled", "not read");
    assert_eq!(of(&ted), expect("error", "not read"));
}

#[test]
fn a_commit_that_waited_is_said_to_be_overtaken_and_no_other_one() {
    let mut ted = ted();
    ted.status.observed_revision = Some("main@sha1:0123456789abcdef".to_owned());
    let now = commit::of_ted(&ted, &github(), &[], &[]).remove(0);
    let of = |told: &str| {
        let state = commit::overtaken(told, &now)?;
        let commit = state.commit.unwrap();
        Some((commit.sha, commit.state, commit.context, state.message))
    };
    assert_eq!(of("0123456789abcdef pending Waiting"), None, "it is still the same");
    assert_eq!(of("beef success InSync"), None);
    assert_eq!(of("beef failure GateClosed"), None, "that is how it ended");
    let (context, message) =
        ("ted-controller/einstein", "overtaken by commit 0123456789ab before it came into effect");
    assert_eq!(
        of("beef pending Waiting"),
        Some(("beef".to_owned(), "error", context.to_owned(), message.to_owned()))
    );
}

#[test]
fn a_commit_of_another_repository_is_none_of_its_business() {
    let file = |valid| SourceFile {
        path: "einstein.yaml".to_owned(),
        valid,
        summary: String::new(),
        problems: Vec::new(),
        last_good: Vec::new(),
    };
    let source = |url: &str, id: &str| SourceReport {
        commit: Some(SourceCommit {
            id: id.to_owned(),
            branch: "main".to_owned(),
            author: String::new(),
            subject: String::new(),
            time: None,
        }),
        files: vec![file(true)],
        ..SourceReport::unread(format!("{url} (branch `main`)"))
    };
    let sources = [
        source("https://github.com/platform/teds", "01"),
        source("https://github.com/other/repo", "02"),
    ];
    let elsewhere = ["https://github.com/other/repo".to_owned()];
    let told = commit::of_sources(&sources, &github(), &elsewhere);
    let told: Vec<_> = told.iter().map(|state| state.commit.clone().unwrap()).collect();
    assert_eq!(told.len(), 1);
    assert_eq!(
        (told[0].sha.as_str(), told[0].state, told[0].context.as_str()),
        ("01", "success", "ted-controller")
    );
    let mut ted = ted();
    ted.status.observed_revision = Some("main@sha1:02".to_owned());
    assert_eq!(commit::of_ted(&ted, &github(), &sources, &elsewhere), []);
}

#[cfg(unix)]
#[tokio::test]
async fn a_secret_that_hangs_holds_one_thread_and_is_read_once_it_answers() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pipe");
    // Nobody writes to it, so opening it waits.
    let made = std::process::Command::new("mkfifo").arg(&path).status().unwrap();
    assert!(made.success());
    let settings = ReceiverSettings {
        timeout: std::time::Duration::from_millis(50),
        ..receiver(Channel::Slack { url: SecretRef::File(path.clone()) })
    };
    let mut line = Line::new(&Arc::new(settings), "ctl-1");
    let why = |outcome| match outcome {
        Outcome::Later { why, .. } => why,
        Outcome::Told | Outcome::Refused { .. } => panic!("{outcome:?}"),
    };
    for _ in 0..3 {
        assert!(why(line.tell(&notice()).await).contains("does not answer within"));
        assert!(line.reading.is_some());
    }
    // Somebody comes, and has nothing to say: to the one that reads.
    std::fs::OpenOptions::new().write(true).open(&path).unwrap();
    let reading = line.reading.take().unwrap();
    assert!(reading.await.unwrap().is_err_and(|why| why.contains("is empty")));
    std::fs::remove_file(&path).unwrap();
    assert!(why(line.tell(&notice()).await).contains("cannot read the secret"));
}
