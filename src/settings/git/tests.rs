use super::*;
use crate::settings::{Settings, SourceSettings};
use std::path::Path;

fn sources(text: &str) -> Result<Vec<SourceSettings>, String> {
    Settings::parse("controller.yaml", text.as_bytes(), Path::new("conf"))
        .map(|settings| settings.sources)
        .map_err(|error| format!("{error}\n{}", error.hint().unwrap_or_default()))
}

fn git(text: &str) -> Result<GitSettings, String> {
    match sources(&format!("sources: [{{git: {{{text}}}}}]"))?.remove(0) {
        SourceSettings::Git(git) => Ok(*git),
        SourceSettings::Path(path) => panic!("{}", path.display()),
    }
}

#[test]
fn a_repository_needs_no_more_than_its_address() {
    let read = git("url: https://git.example.com/teds.git").unwrap();
    assert_eq!(read, GitSettings::new(GitUrl::parse("https://git.example.com/teds.git").unwrap()));
    assert_eq!((read.interval, read.timeout), (DEFAULT_GIT_INTERVAL, DEFAULT_GIT_TIMEOUT));
}

#[test]
fn everything_that_can_be_said_of_a_repository_is_read() {
    let read = git(
        "url: https://git.example.com/teds.git, ref: {tag: v1.2}, path: ./teds//prod/, interval: 30s, timeout: 2m, \
         caFile: ca.pem, auth: {tokenVariable: GIT_TOKEN, tokenScheme: bearer}",
    )
    .unwrap();
    let expected = GitSettings {
        url: GitUrl::parse("https://git.example.com/teds.git").unwrap(),
        reference: GitReference::Tag("v1.2".into()),
        path: "teds/prod".into(),
        interval: Duration::from_secs(30),
        timeout: Duration::from_mins(2),
        auth: Some(GitAuth::Token {
            token: SecretRef::Environment("GIT_TOKEN".into()),
            scheme: TokenScheme::Bearer,
        }),
        ca_file: Some("conf/ca.pem".into()),
    };
    assert_eq!(read, expected);
    assert_eq!(
        git("url: git@host:org/teds.git, ref: {branch: 1.10}, auth: {sshKeyFile: key, knownHostsFile: /k}").unwrap().auth,
        Some(GitAuth::SshKey { key: "conf/key".into(), known_hosts: "/k".into() })
    );
    let read = git("url: http://127.0.0.1:3000/teds, ref: {commit: ABCDEF6789abcdef0123456789abcdef01234567}, auth: {username: me, passwordFile: p}").unwrap();
    assert_eq!(
        read.reference,
        GitReference::Commit("abcdef6789abcdef0123456789abcdef01234567".into())
    );
    assert_eq!(
        read.auth,
        Some(GitAuth::Password {
            username: "me".into(),
            password: SecretRef::File("conf/p".into())
        })
    );
}

#[test]
fn addresses_are_read_as_git_reads_them() {
    // Address; scheme, user, host, port, path; why.
    for (text, scheme, user, host, port, path, why) in [
        (
            "https://h.example:8443/a/b.git",
            GitScheme::Https,
            None,
            "h.example",
            Some(8443),
            "/a/b.git",
            "a port",
        ),
        ("HTTPS://h.example/a", GitScheme::Https, None, "h.example", None, "/a", "case"),
        ("https://[::1]:80/a", GitScheme::Https, None, "[::1]", Some(80), "/a", "an IPv6 address"),
        (
            "ssh://git@h.example:2222/a.git",
            GitScheme::Ssh,
            Some("git"),
            "h.example",
            Some(2222),
            "/a.git",
            "ssh",
        ),
        (
            "ssh://git@h.example/~me/a.git",
            GitScheme::Ssh,
            Some("git"),
            "h.example",
            None,
            "~me/a.git",
            "a home folder",
        ),
        (
            "git@h.example:org/a.git",
            GitScheme::Ssh,
            Some("git"),
            "h.example",
            None,
            "org/a.git",
            "as pages show it",
        ),
        ("h.example:a.git", GitScheme::Ssh, None, "h.example", None, "a.git", "without a user"),
        ("file:///srv/a.git", GitScheme::File, None, "", None, "/srv/a.git", "on this host"),
    ] {
        let url = GitUrl::parse(text).unwrap();
        assert_eq!(
            (url.scheme(), url.user(), url.host(), url.port(), url.path()),
            (scheme, user, host, port, path),
            "{why}"
        );
    }
    for text in [
        "",
        "x",
        "ftp://h/a",
        "https://",
        "https://h",
        "https://h/",
        "https://h:0/a",
        "https://h:x/a",
        "https://h /a",
        "https://h/a?b",
        "ssh://-oProxyCommand=x/a",
        "-oProxyCommand=x:a",
        "git@h:-a",
        "file://h/a",
        "file:///",
        "git://h/a",
        "ext::sh -c x",
        "/srv/a.git",
        "./a",
        "https://[::1/a",
    ] {
        assert!(GitUrl::parse(text).is_err(), "{text}");
    }
}

#[test]
fn a_password_in_an_address_is_refused_and_not_repeated() {
    for text in [
        "https://me:hunter22@h.example/a.git",
        "https://hunter22@h.example/a.git",
        "ssh://git:hunter22@h.example/a.git",
        "https://me:hunt@er22@h.example/a.git",
        "https://h.example/a.git?token=hunter22",
        "ftp://me:hunter22@h.example/a",
    ] {
        let error = git(&format!("url: \"{text}\"")).unwrap_err();
        assert!(error.contains("h.example") && !error.contains("er22"), "{error}");
    }
}

#[test]
fn what_is_wrong_with_a_repository_has_its_place_and_what_to_write_instead() {
    const URL: &str = "url: https://h.example/a.git";
    for (text, parts, why) in [
        ("path: x", ["1:17: sources[0].git.url: the field is missing", ""], "no address"),
        ("url: 7", ["sources[0].git.url: not the address", "file:///…"], "a number"),
        ("url: [a]", ["sources[0].git.url: a plain value is wanted", ""], "a list"),
        ("url: /srv/a.git", ["not the address", "write `file:///srv/a.git`"], "a bare path"),
        (
            &format!("{URL}, branch: main"),
            ["branch: unknown field", "`branch` belongs under `ref`"],
            "another place",
        ),
        (
            &format!("{URL}, ref: {{branch: a, tag: b}}"),
            ["1:53: sources[0].git.ref: more than one", "keep one"],
            "two refs",
        ),
        (
            &format!("{URL}, ref: {{branch: refs/heads/main}}"),
            ["ref.branch: a full name", "write `main`"],
            "a full name",
        ),
        (&format!("{URL}, ref: {{branch: \"a b\"}}"), ["no name that git allows", ""], "a blank"),
        (
            &format!("{URL}, ref: {{commit: abc123}}"),
            ["no commit's id: found `abc123`", "rev-parse"],
            "short",
        ),
        (
            &format!("{URL}, path: /teds"),
            ["git.path: a path from the root", "write `teds`"],
            "absolute",
        ),
        (&format!("{URL}, path: a/../../b"), ["leaves the repository", ""], "above the root"),
        (&format!("{URL}, interval: 1ms"), ["git.interval: too short", ""], "too often"),
        (
            &format!("{URL}, auth: {{}}"),
            ["1:54: sources[0].git.auth: credentials that name nothing", "add `tokenFile`"],
            "no credentials",
        ),
        (
            &format!("{URL}, auth: {{username: me}}"),
            ["a user without a password", "passwordFile"],
            "half",
        ),
        (&format!("{URL}, auth: {{sshKeyFile: k}}"), ["no host key", "ssh-keyscan"], "half a key"),
        (
            &format!("{URL}, auth: {{sshKeyFile: k, knownHostsFile: h}}"),
            ["a key for SSH", "use an `ssh://`"],
            "another scheme",
        ),
        (
            &format!("{URL}, auth: {{tokenFile: t, username: me}}"),
            ["more than one kind", ""],
            "two kinds",
        ),
        (
            &format!("{URL}, auth: {{tokenFile: t, tokenVariable: T}}"),
            ["`tokenFile` is there too", ""],
            "two places",
        ),
        (
            &format!("{URL}, auth: {{username: a, passwordFile: p, tokenScheme: basic}}"),
            ["without a token", ""],
            "no token",
        ),
        (
            &format!("{URL}, auth: {{tokenFile: t, tokenScheme: Bearer}}"),
            ["not one of the allowed words", "did you mean `bearer`?"],
            "case",
        ),
        (
            "url: git@h:a, auth: {tokenFile: t}",
            ["an SSH address", "`sshKeyFile`"],
            "HTTP's over SSH",
        ),
        (
            "url: http://h.example/a, auth: {tokenFile: t}",
            ["unprotected", "`https://`"],
            "in the clear",
        ),
        ("url: file:///srv/a, auth: {tokenFile: t}", ["on this host", "remove `auth`"], "in place"),
        (
            "url: git@h:a, caFile: c",
            ["git.caFile: certificates are for `https://` only: found `c`", ""],
            "no TLS",
        ),
    ] {
        let error = git(text).unwrap_err();
        for part in parts {
            assert!(error.contains(part), "{why}: {error}");
        }
    }
    for (text, part, why) in [
        ("sources: [{url: x}]", "`url` belongs under `git`", "one level too high"),
        ("sources: [{path: a, git: {url: \"h:a\"}}]", "make two sources", "both"),
        (
            "sources: [{git: {url: \"h:a\"}}, {git: {url: \"h:a\", interval: 5m}}]",
            "there twice",
            "the same",
        ),
    ] {
        assert!(sources(text).unwrap_err().contains(part), "{why}: {:?}", sources(text));
    }
    let two =
        "sources: [{git: {url: \"h:a\", path: x}}, {git: {url: \"h:a\", path: y}}, {path: a}]";
    assert_eq!(sources(two).unwrap().len(), 3, "two folders of one repository are two sources");
}

#[test]
fn a_secret_that_stands_where_its_place_belongs_is_not_repeated() {
    for text in ["tokenVariable: hunter22", "token: hunter22", "password: hunter22"] {
        let error = git(&format!("url: https://h.example/a, auth: {{{text}}}")).unwrap_err();
        assert!(!error.contains("hunter22"), "{error}");
    }
}
