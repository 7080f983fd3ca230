use super::*;

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

fn loaded(files: &[(&str, &str)]) -> Loaded {
    let files: Vec<File> = files.iter().map(|(path, text)| File::new(*path, *text)).collect();
    load(&files, &Defaults::default())
}

type Files = [(&'static str, &'static str)];

/// States of a folder one after the other, what is in force in the end, and why.
type Row = (&'static [&'static Files], &'static [(&'static str, Standing)], &'static str);

/// Plays states of a folder one after the other.
fn play(states: &[&[(&str, &str)]]) -> InForce {
    states.iter().fold(InForce::default(), |before, files| keep_last_good(&before, &loaded(files)))
}

fn standings(in_force: &InForce) -> Vec<(&str, Standing)> {
    in_force.entries.iter().map(|entry| (entry.desired.name.as_str(), entry.standing)).collect()
}

const A: &str = "engine: redis\nversion: '7.1'\nhive: hv\n";
const A2: &str = "engine: valkey\nversion: '8.0'\nhive: hv\n";
const BROKEN: &str = "engine: redis\nversion: 'nine'\n";
const CUT: &str = "engine: 'red";

#[test]
fn a_broken_document_keeps_its_last_good_state() {
    use Standing::{Contested, Current, LastGood};
    let rows: &[Row] = &[
        (&[&[("a.yaml", A)]], &[("a", Current)], "right"),
        (&[&[("a.yaml", BROKEN)]], &[], "broken from the start: nothing to fall back to"),
        (&[&[("a.yaml", A)], &[("a.yaml", BROKEN)]], &[("a", LastGood)], "broken later"),
        (&[&[("a.yaml", A)], &[("a.yaml", CUT)]], &[("a", LastGood)], "cut off"),
        (
            &[&[("a.yaml", A)], &[("a.yaml", CUT)], &[("a.yaml", BROKEN)]],
            &[("a", LastGood)],
            "broken twice",
        ),
        (&[&[("a.yaml", A)], &[("a.yaml", CUT)], &[("a.yaml", A)]], &[("a", Current)], "mended"),
        (&[&[("a.yaml", A)], &[]], &[], "its file is gone: so is the document"),
        (
            &[&[("a.yaml", A)], &[("a.yaml", "x: 1\n")]],
            &[],
            "the file is right and says something else",
        ),
        (
            &[&[("a.yaml", A), ("b.yaml", A)], &[("a.yaml", CUT), ("b.yaml", A2)]],
            &[("a", LastGood), ("b", Current)],
            "one file does not hold up another",
        ),
        (
            &[
                &[("a.yaml", A)],
                &[
                    ("a.yaml", CUT),
                    ("b.yaml", "engine: redis\nversion: '7.1'\nhive: hv\nname: a\n"),
                ],
            ],
            &[("a", Current)],
            "moved to a file that is right",
        ),
        (&[&[("a.yaml", A), ("c/a.yaml", A)]], &[("a", Contested)], "one name twice"),
        (
            &[&[("a.yaml", A)], &[("a.yaml", A), ("c/a.yaml", A2)]],
            &[("a", Contested)],
            "one name twice, later",
        ),
        (
            &[&[("a.yaml", A), ("c/a.yaml", A)], &[("a.yaml", A)]],
            &[("a", Current)],
            "no longer contested",
        ),
        (
            &[&[
                ("a.yaml", A),
                ("b.yaml", "engine: redis\nversion: '7.1'\nhive: hv\nprovisionedProduct: ted-a\n"),
            ]],
            &[("a", Contested), ("b", Contested)],
            "one product twice",
        ),
        (
            &[
                &[("a.yaml", A)],
                &[
                    ("a.yaml", CUT),
                    (
                        "b.yaml",
                        "engine: redis\nversion: '7.1'\nhive: hv\nprovisionedProduct: ted-a\n",
                    ),
                ],
            ],
            &[("a", Contested), ("b", Contested)],
            "a last good state counts too",
        ),
    ];
    for (states, expected, why) in rows {
        assert_eq!(standings(&play(states)), *expected, "{why}");
    }
}

#[test]
fn of_a_file_with_one_broken_document_the_others_take_effect() {
    let before = "engine: redis\nversion: '7.1'\nhive: hv\nname: a\n---\nengine: redis\nversion: '7.1'\nhive: hv\nname: b\n";
    let after = "engine: valkey\nversion: '8.0'\nhive: hv\nname: a\n---\nengine: redis\nversion: 'x'\nhive: hv\nname: b\n";
    let in_force = play(&[&[("teds.yaml", before)], &[("teds.yaml", after)]]);
    assert_eq!(standings(&in_force), [("a", Standing::Current), ("b", Standing::LastGood)]);
    let [a, b] = &in_force.entries[..] else { panic!("two entries") };
    assert_ne!(a.revision, b.revision, "each entry knows the revision it was read from");
    assert_eq!(in_force.files[0].summary(), "1 problem; the last good state stays in force: b");
}

#[test]
fn a_file_that_never_parsed_says_so() {
    let in_force = play(&[&[("a.yaml", CUT)]]);
    assert_eq!(in_force.files[0].summary(), "1 problem, and no earlier state to fall back to");
    assert_eq!(in_force.problems().count(), 1);
}

#[test]
fn a_contested_name_shows_what_was_in_force_and_starts_nothing() {
    let in_force = play(&[&[("b/a.yaml", A)], &[("a.yaml", A2), ("b/a.yaml", A)]]);
    let entry = in_force.get(&name("a")).unwrap();
    assert_eq!(entry.desired.location.file, "b/a.yaml");
    assert!(!entry.may_start());
    assert!(in_force.files.iter().all(|file| !file.valid), "an error on both");
}

#[test]
fn two_documents_for_one_product_are_an_error_on_both() {
    let with = |name: &str, rest: &str| {
        format!(
            "engine: redis\nversion: '7.1'\nhive: hv\nname: {name}\nprovisionedProduct: ted\n{rest}"
        )
    };
    for (one, other, conflict, why) in [
        ("", "", true, "nothing tells them apart"),
        ("region: us-east-2\n", "region: us-east-2\n", true, "one region"),
        ("region: us-east-2\n", "region: us-east-1\n", false, "two regions"),
        ("account: '111122223333'\n", "account: '111122223333'\n", true, "one account"),
        ("account: '111122223333'\n", "account: '444455556666'\n", false, "two accounts"),
    ] {
        let loaded = loaded(&[("a.yaml", &with("a", one)), ("b.yaml", &with("b", other))]);
        let places: Vec<String> =
            loaded.problems.iter().map(|problem| problem.location.to_string()).collect();
        let expected: &[&str] = if conflict { &["a.yaml:1:1", "b.yaml:1:1"] } else { &[] };
        assert_eq!(places, expected, "{why}");
    }
}

#[test]
fn the_account_of_a_role_or_of_the_controller_counts() {
    let text = |name: &str, spec: &str| {
        format!(
            "apiVersion: ted-controller.dev/v1alpha1\nkind: TurbotEnterpriseDatabase\nmetadata: {{name: {name}}}\nspec: {{provisionedProduct: ted, {spec}}}\n"
        )
    };
    let files = [
        File::new("a.yaml", text("aa", "roleArn: \"arn:aws:iam::111122223333:role/x\"")),
        File::new("b.yaml", text("bb", "region: us-east-2")),
    ];
    let defaults = |account: &str| Defaults {
        region: "us-east-2".parse().ok(),
        account: account.parse().ok(),
        interval: None,
    };
    assert_eq!(
        load(&files, &defaults("111122223333")).problems.len(),
        2,
        "both in 111122223333, us-east-2"
    );
    assert_eq!(load(&files, &defaults("444455556666")).problems.len(), 0, "two accounts");
}

#[test]
fn a_revision_is_of_paths_and_bytes_and_not_of_their_order() {
    let of = |files: &[(&str, &str)]| loaded(files).revision;
    let revision = of(&[("a.yaml", A), ("b.yaml", A2)]);
    assert!(
        revision.as_str().starts_with("sha256:") && revision.as_str().len() == "sha256:".len() + 64
    );
    assert_eq!(of(&[("b.yaml", A2), ("a.yaml", A)]), revision, "order");
    assert_ne!(of(&[("a.yaml", A2), ("b.yaml", A)]), revision, "contents swapped");
    assert_ne!(of(&[("a.yaml", A), ("b.yaml", A2), ("c.yaml", "")]), revision, "one more file");
    assert_ne!(
        of(&[("a.yamlb.yaml", A)]),
        of(&[("a.yaml", "b.yaml"), ("", A)]),
        "lengths keep parts apart"
    );
    assert_eq!(Revision::of_commit("main", "abc").to_string(), "main@sha1:abc");
}

#[test]
fn a_file_that_cannot_be_read_keeps_its_last_good_state() {
    let before = keep_last_good(&InForce::default(), &loaded(&[("a.yaml", A)]));
    let denied = load(
        &[File { path: "a.yaml".into(), content: Err("permission denied".into()) }],
        &Defaults::default(),
    );
    let after = keep_last_good(&before, &denied);
    assert_eq!(standings(&after), [("a", Standing::LastGood)]);
    assert_eq!(after.files[0].problems[0].to_string(), "a.yaml: cannot be read: permission denied");
}
