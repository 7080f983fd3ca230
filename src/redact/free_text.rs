//! Secrets that their own form gives away, in text that anybody wrote: messages of AWS, lines of a log. Pure.

use super::{REDACTED, is_secret_name};
use regex_lite::Regex;
use std::sync::LazyLock;

/// What is replaced by what. In this order: the wider ones first, so that no half of a secret is left.
static RULES: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    let rules = [
        (
            r"-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)",
            "[redacted]",
        ),
        // `scheme://user:password@host`
        (r#"([A-Za-z][A-Za-z0-9+.-]*://)[^/\s@"'<>]+@"#, "${1}[redacted]@"),
        // A presigned URL of AWS.
        (
            r#"(?i)(X-Amz-(?:Signature|Security-Token|Credential)(?:=|%3D))[^&\s"'<>]+"#,
            "${1}[redacted]",
        ),
        (r"(?i)(authorization[^\S\n]*:[^\S\n]*)[^\r\n]+", "${1}[redacted]"),
        (r"(?i)\b(bearer[^\S\n]+)[A-Za-z0-9._~+/=-]{12,}", "${1}[redacted]"),
        // Access key ids of AWS (IAM user guide, "unique identifiers"): long-lived, temporary, of services.
        (r"\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{12,}\b", "[redacted]"),
        // JSON web tokens.
        (r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)?", "[redacted]"),
        // Tokens of GitHub, GitLab, Slack, Stripe, Google.
        (r"\b(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,})", "[redacted]"),
        (r"\b(?:glpat-[A-Za-z0-9_-]{16,}|xox[abeprs]-[A-Za-z0-9-]{10,})", "[redacted]"),
        (r"\b(?:[sr]k_(?:live|test)_[A-Za-z0-9]{16,}|AIza[A-Za-z0-9_-]{30,})", "[redacted]"),
    ];
    rules.into_iter().filter_map(|(rule, with)| Some((Regex::new(rule).ok()?, with))).collect()
});

/// `name = value`, `name: value`, `"name": "value"`, `name is value`, `--name value`: the name, what joins, the value.
static NAMED: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r#"(?i)(--)?([A-Za-z][A-Za-z0-9_.-]*)(\\?["']?[^\S\n]*(?:=>|=|:|\bis\b)[^\S\n]*|[^\S\n]+)(\\?["'])?([^\s"'<>&,;\\]+)"#,
    )
    .ok()
});

/// What may follow "the password is" without being it.
const PROSE: [&str; 24] = [
    "a",
    "absent",
    "an",
    "empty",
    "expired",
    "given",
    "in",
    "incorrect",
    "invalid",
    "masked",
    "missing",
    "needed",
    "no",
    "none",
    "not",
    "of",
    "required",
    "secret",
    "set",
    "the",
    "too",
    "unknown",
    "unset",
    "wrong",
];

/// The text without what is secret by its form.
pub(super) fn clean(text: &str) -> String {
    let mut clean = text.to_owned();
    for (rule, with) in RULES.iter() {
        if rule.is_match(&clean) {
            clean = rule.replace_all(&clean, *with).into_owned();
        }
    }
    without_random(&without_named(&clean))
}

/// Takes out what a name announces.
fn without_named(text: &str) -> String {
    let Some(named) = NAMED.as_ref() else { return text.to_owned() };
    let mut clean = String::with_capacity(text.len());
    let mut from = 0;
    while let Some(found) = named.captures_at(text, from) {
        let (Some(whole), Some(name), Some(join), Some(value)) =
            (found.get(0), found.get(2), found.get(3), found.get(5))
        else {
            break;
        };
        let joined = join.as_str().trim();
        let quoted = found.get(4).is_some();
        // A blank joins only after a flag (`--password x`) or before quotes (`password "x"`): prose is full of "token of".
        let announces = !joined.is_empty() || quoted || found.get(1).is_some();
        // A mark that is there already is no secret, and "the password is set" tells none.
        let value_text = value.as_str().trim_end_matches('.').to_ascii_lowercase();
        let prose = joined.eq_ignore_ascii_case("is") && PROSE.contains(&value_text.as_str());
        let switch = matches!(value_text.as_str(), "true" | "false" | "null");
        let tells = !(prose || switch || value_text.starts_with('['));
        if announces && tells && is_secret_name(name.as_str()) {
            clean.push_str(&text[from..value.start()]);
            clean.push_str(REDACTED);
            // In quotes it goes on to the next ones.
            let closing = found.get(4).and_then(|quote| {
                let line = text[value.start()..].split('\n').next()?;
                Some(value.start() + line.find(quote.as_str())?)
            });
            from = closing.unwrap_or(value.end());
        } else {
            // The value may itself be a name: `error: password=x`.
            let next = if joined.is_empty() { join.end() } else { value.start() };
            let next = next.max(name.end()).min(whole.end());
            clean.push_str(&text[from..next]);
            from = next;
        }
    }
    clean.push_str(&text[from..]);
    clean
}

/// The shortest run of characters that is taken for a key by its disorder: secret keys of AWS have 40.
const RANDOM: usize = 36;

/// Takes out long runs of letters, digits, `+`, `/` and `=` that no person writes: secret access keys, session tokens, base64.
///
/// Names are not of that form: words of a path are short or without digits, identifiers have hyphens, digests are hexadecimal.
fn without_random(text: &str) -> String {
    let belongs = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=');
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(belongs) {
        let (head, tail) = rest.split_at(start);
        let end = tail.find(|c| !belongs(c)).unwrap_or(tail.len());
        let (run, after) = tail.split_at(end);
        clean.push_str(head);
        clean.push_str(if is_random(run) { REDACTED } else { run });
        rest = after;
    }
    clean.push_str(rest);
    clean
}

fn is_random(run: &str) -> bool {
    if run.len() < RANDOM {
        return false;
    }
    let has = |is: fn(&char) -> bool| run.chars().any(|c| is(&c));
    let mixed =
        has(char::is_ascii_uppercase) && has(char::is_ascii_lowercase) && has(char::is_ascii_digit);
    // In a path of words (`role/AWSServiceRoleForElastiCache/x2`) two characters out of three are of the kind of the one before; in
    // what a machine drew, hardly one out of two.
    let kind = |c: u8| match c {
        b'0'..=b'9' => 0,
        b'A'..=b'Z' => 1,
        b'a'..=b'z' => 2,
        _ => 3,
    };
    let turns = run.as_bytes().windows(2).filter(|pair| kind(pair[0]) != kind(pair[1])).count();
    mixed && turns * 5 >= run.len() * 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_known_by_their_form() {
        for (text, clean_text, why) in [
            ("key AKIAIOSFODNN7EXAMPLE used", "key [redacted] used", "access key id"),
            (
                "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
                "aws_secret_access_key = [redacted]",
                "as in a profile",
            ),
            (
                "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
                "[redacted]",
                "a secret key without a name",
            ),
            (
                "postgres://master:hunter2@db:5432/turbot",
                "postgres://[redacted]@db:5432/turbot",
                "user info",
            ),
            (
                "https://proxy-user@proxy.example:3128",
                "https://[redacted]@proxy.example:3128",
                "a user alone",
            ),
            ("Authorization: Basic dXNlcjpwYXNz", "Authorization: [redacted]", "a header"),
            ("got bearer abcdefghijklmnop", "got bearer [redacted]", "in prose"),
            ("password=hunter2&x=1", "password=[redacted]&x=1", "a query"),
            (
                "\"MasterPassword\": \"hunter2\"",
                "\"MasterPassword\": \"[redacted]\"",
                "JSON in a text",
            ),
            (
                "\\\"dbPassword\\\":\\\"hunter2\\\"",
                "\\\"dbPassword\\\":\\\"[redacted]\\\"",
                "JSON in JSON",
            ),
            ("the password is hunter2.", "the password is [redacted]", "a sentence"),
            ("error: token: abc123", "error: token: [redacted]", "a name after a name"),
            ("run --auth-token abc123 now", "run --auth-token [redacted] now", "a flag"),
            ("password 'hunter2' refused", "password '[redacted]' refused", "quoted"),
            (
                "{password: \"open sesame; x\", a: 1}",
                "{password: \"[redacted]\", a: 1}",
                "blanks in quotes",
            ),
            (
                "https://b.s3.amazonaws.com/x?X-Amz-Credential=AKIA1&X-Amz-Signature=0a1b2c",
                "https://b.s3.amazonaws.com/x?X-Amz-Credential=[redacted]&X-Amz-Signature=[redacted]",
                "a presigned URL",
            ),
            (
                concat!(
                    "-----BEGIN RSA PRIVATE ",
                    "KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\nrest"
                ),
                "[redacted]\nrest",
                "a private key",
            ),
            ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln", "[redacted]", "a web token"),
            ("ghp_abcdefghijklmnopqrEXAMPLE01", "[redacted]", "GitHub"),
        ] {
            assert_eq!(clean(text), clean_text, "{why}");
        }
    }

    #[test]
    fn what_support_reads_is_left_alone() {
        for text in [
            "Resource handler returned message: \"Invalid storage size for engine name postgres and storage type gp3: 210 (Service: Rds, Status Code: 400, Request ID: d93b7008-0506-443d-a849-dc1c42b49656)\" (HandlerErrorCode: InvalidRequest)",
            "SC-111122223333-pp-biiymdgbwjhrh-DatabaseStack-5H8X6S1TQIDG.HivePrimary",
            "arn:aws:cloudformation:us-east-2:111122223333:stack/SC-111122223333-pp-biiymdgbwjhrh-CacheStack-1XMB1IYDKWTXU/51af3dc0-da77-11e4-872e-1234567db123",
            "arn:aws:iam::111122223333:role/aws-service-role/elasticache.amazonaws.com/AWSServiceRoleForElastiCache",
            "main@sha1:3d79a184bcd3e5762c75a5517d1d849254544e83",
            "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            "https://turbot.com/guardrails/docs/guides/hosting-guardrails/troubleshooting/service-catalog-out-of-sync",
            "the access by Redis Password & IAM",
            "no password is set",
            "prod-4cmpny7iskfea pa-zeuptmsrydh4e rec-alueh4ktvf5ht lp-1",
            "master.turbot-newton-cache-cluster.ls6yvz.apse2.cache.amazonaws.com",
            "2026-09-21T14:13:17Z",
        ] {
            assert_eq!(clean(text), text);
        }
    }
}
