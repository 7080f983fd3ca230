//! `validate` and `schema` as shipped: the built binary, its output and its exit codes.

#![expect(clippy::unwrap_used, reason = "a helper of a test may fail like the test")]

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

/// A folder of its own for one test, removed when the test is over.
struct Folder(PathBuf);

impl Folder {
    fn new(test: &str, files: &[(&str, &str)]) -> Self {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(test);
        let _ = fs::remove_dir_all(&folder);
        for (path, text) in files {
            let path = folder.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        Self(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn run(folder: &Folder, args: &[&str]) -> (i32, String, String) {
    let Output { status, stdout, stderr } = Command::new(env!("CARGO_BIN_EXE_ted-controller"))
        .args(args)
        .current_dir(&folder.0)
        .env_clear()
        .output()
        .unwrap();
    (status.code().unwrap(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

const GOOD: &str = "engine: valkey\nversion: \"8.0\"\n";
const BAD: &str = "engine: valkey\nversion: 8\ncolour: red\n";

#[test]
fn valid_documents_are_summed_up_on_stdout() {
    let folder = Folder::new(
        "valid",
        &[("teds/einstein.yaml", GOOD), ("teds/b/newton.yml", GOOD), ("teds/.git/x.yaml", BAD)],
    );
    let (code, stdout, stderr) = run(&folder, &["validate", "teds"]);
    assert_eq!(
        stdout,
        "teds/b/newton.yml:1:1: newton: valkey 8.0, TED as it is, product ted-newton, mode apply\n\
         teds/einstein.yaml:1:1: einstein: valkey 8.0, TED as it is, product ted-einstein, mode apply\n\
         2 valid documents\n"
    );
    assert_eq!((code, stderr.as_str()), (0, ""));
}

#[test]
fn every_problem_is_an_error_with_its_hint_on_stderr() {
    let folder = Folder::new(
        "invalid",
        &[("aa.yaml", BAD), ("bb.yaml", GOOD), ("c.yaml", "kind: ConfigMap\n")],
    );
    let (code, stdout, stderr) = run(&folder, &["validate", "aa.yaml", "bb.yaml", "c.yaml"]);
    assert_eq!(code, 1);
    assert_eq!(
        stderr,
        "note: c.yaml:1:1: ignored: neither `apiVersion` nor `engine` is there\n\
         error: aa.yaml:2:10: version: not a whole version: found `8`; allowed: `7.2`, `8.0` or later\n\
         hint: write `\"8.0\"`\n\
         error: aa.yaml:3:1: colour: unknown field; allowed: `engine`, `version`, `tedVersion`, `provisionedProduct`, `region`, `account`, `name`, `hive`, `mode`, `approve`\n"
    );
    assert_eq!(
        stdout,
        "bb.yaml:1:1: bb: valkey 8.0, TED as it is, product ted-bb, mode apply\n1 valid document, 2 problems\n"
    );
}

#[test]
fn json_goes_to_stdout_whole() {
    let folder = Folder::new("json", &[("einstein.yaml", GOOD), ("bad.yaml", BAD)]);
    let (code, stdout, stderr) = run(&folder, &["validate", ".", "-o", "json"]);
    assert_eq!((code, stderr.as_str()), (1, ""));
    let report: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(report["valid"], false);
    assert_eq!(report["documents"][0]["document"]["metadata"]["name"], "einstein");
    assert_eq!(report["documents"][0]["location"]["file"], "einstein.yaml");
    let problem = &report["problems"][0];
    assert_eq!(
        (&problem["location"]["line"], &problem["location"]["column"]),
        (&2.into(), &10.into())
    );
    assert_eq!(
        (&problem["found"], &problem["hint"], &problem["kind"]),
        (&"8".into(), &"write `\"8.0\"`".into(), &"invalidValue".into())
    );
    assert!(report["revision"].as_str().unwrap().starts_with("sha256:"));
}

#[test]
fn a_missing_path_is_an_error_and_wrong_usage_is_64() {
    let folder = Folder::new("usage", &[("a.yaml", GOOD)]);
    for (args, code, said, why) in [
        (&["validate", "b.yaml"][..], 1, "error: cannot read `b.yaml`", "no such file"),
        (&["validate"], 64, "<PATH>", "no path"),
        (&["validate", "--colour", "a.yaml"], 64, "--colour", "no such flag"),
        (&["validate", "-o", "xml", "a.yaml"], 64, "xml", "no such format"),
        (&["valdate", "a.yaml"], 64, "validate", "no such command"),
        (&[], 64, "Usage", "nothing"),
    ] {
        let (got, stdout, stderr) = run(&folder, args);
        assert_eq!((got, stdout.as_str()), (code, ""), "{why}");
        assert!(stderr.contains(said), "{why}: {stderr}");
    }
    for args in [&["--help"][..], &["--version"], &["validate", "--help"]] {
        let (code, stdout, stderr) = run(&folder, args);
        assert_eq!((code, stdout.is_empty(), stderr.as_str()), (0, false, ""), "{args:?}");
    }
}

#[test]
fn the_schema_is_what_is_committed() {
    let folder = Folder::new("schema", &[("a.yaml", GOOD)]);
    let (code, stdout, stderr) = run(&folder, &["schema"]);
    let committed = concat!(env!("CARGO_MANIFEST_DIR"), "/config/ted-controller.schema.json");
    assert!(stdout == fs::read_to_string(committed).unwrap());
    assert_eq!((code, stderr.as_str()), (0, ""));
}

#[test]
fn the_shipped_samples_are_valid() {
    let folder = Folder::new("samples", &[("a.yaml", GOOD)]);
    let samples = concat!(env!("CARGO_MANIFEST_DIR"), "/config/teds");
    let (code, stdout, stderr) = run(&folder, &["validate", samples]);
    assert_eq!((code, stderr.as_str()), (0, ""), "{stdout}");
    assert!(stdout.ends_with("2 valid documents\n"));
}
