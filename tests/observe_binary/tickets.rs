//! What people run when something went wrong: `diagnose`, `plan --deep`, `support-bundle` and `plan --from-bundle`.

use crate::harness::{MIGRATE, Run, STAY, World, each, printed};
use crate::operator::change_cache;
use flate2::read::GzDecoder;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;

const TO_VALKEY: &str = r#"product-update: {version: v1.52.1, parameters: {ElastiCacheEngine: valkey, ValkeyCacheVersion: "8.0"}}"#;

/// An update that somebody asked for has come to its end, whatever that is.
fn updated(scenario: &str) -> World {
    let world = World::named(scenario);
    world.act(TO_VALKEY);
    world.later(6);
    world
}

/// What `diagnose` says, as data.
fn diagnosed(world: &World) -> Value {
    let run = world.run(&["diagnose", "ted-einstein", "-o", "json"]);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{run:?}");
    let read: Value = serde_json::from_str(&run.stdout).unwrap();
    read["items"][0]["lastFailure"].clone()
}

/// A failure as `diagnose` must tell it: scenario, cause, where it failed first, what failed on the way back, a part of the remedy.
type Told = (&'static str, &'static str, &'static str, &'static [&'static str], &'static str);

#[test]
fn the_first_real_failure_is_found_below_its_echoes() {
    let rows: [Told; 4] = [
        (
            "database-backing-up",
            "database-not-available",
            "DatabaseStack/HivePrimary",
            &[],
            "available",
        ),
        (
            "storage-autoscaled-mid-update",
            // What began it passes; what keeps it from going back is told beside it.
            "service-trouble",
            "CacheStack/CacheParameterGroup",
            &["DatabaseStack/HivePrimary"],
            ".HivePrimary` and nothing else",
        ),
        (
            "past-the-door",
            "past-the-door",
            "HiveVersionParameter",
            &["CacheStack/CacheCluster"],
            "forward",
        ),
        (
            "access-denied-launch-role",
            "permission-denied",
            "CacheStack/CacheCluster",
            &["CacheStack/CacheCluster"],
            "launch role",
        ),
    ];
    each(&rows, |(scenario, cause, first, back, remedy)| {
        let world = updated(scenario);
        let told = diagnosed(&world);
        let diagnosis = &told["diagnosis"];
        assert_eq!(told["outcome"], "failed", "{scenario}: {told:#}");
        assert_eq!(diagnosis["cause"], *cause, "{scenario}: {told:#}");
        assert_eq!(place(&diagnosis["failure"]), *first, "{scenario}: {told:#}");
        let failed_back: Vec<String> =
            diagnosis["rollback"].as_array().unwrap().iter().map(place).collect();
        assert_eq!(failed_back, *back, "{scenario}");
        assert!(diagnosis["remedy"].as_str().unwrap().contains(remedy), "{scenario}: {told:#}");
        assert!(diagnosis["guide"].as_str().unwrap().starts_with("https://"), "{scenario}");
        assert_eq!(told["unseen"], serde_json::json!([]), "{scenario}");
        assert_eq!(told["record"]["version"], "v1.52.1", "{scenario}");

        let run = world.run(&["diagnose", "ted-einstein"]);
        for part in [*cause, first.rsplit('/').next().unwrap(), "user/operator"] {
            assert!(run.stdout.contains(part), "{scenario}: {part} in {}", run.stdout);
        }
    });
}

fn place(failure: &Value) -> String {
    let path = failure["stackPath"].as_array().unwrap().iter();
    let parts: Vec<&str> = path.chain([&failure["logicalId"]]).filter_map(Value::as_str).collect();
    parts.join("/")
}

#[test]
fn a_denial_is_told_with_the_statement_that_would_allow_it() {
    let told = diagnosed(&updated("access-denied-launch-role"));
    let denied = &told["diagnosis"]["denials"][0];
    assert_eq!(denied["action"], "elasticache:ModifyReplicationGroup", "{told:#}");
    assert!(
        denied["principal"].as_str().unwrap().contains("assumed-role/turbot-launch/"),
        "{told:#}"
    );
    let run = updated("access-denied-launch-role").run(&["diagnose", "ted-einstein"]);
    assert!(
        run.stdout.contains("\"Action\": \"elasticache:ModifyReplicationGroup\""),
        "{}",
        run.stdout
    );
}

#[test]
fn what_went_well_or_never_ran_is_not_called_a_failure() {
    let well = diagnosed(&World::named("default"));
    assert_eq!((&well["outcome"], &well["diagnosis"]), (&"well".into(), &Value::Null), "{well:#}");

    let world = World::named("default");
    world.act(TO_VALKEY);
    let running = diagnosed(&world);
    assert_eq!(running["outcome"], "running", "{running:#}");
}

#[test]
fn what_could_not_be_seen_is_said() {
    let world = updated("database-backing-up");
    world.fault("{service: cloudformation, operation: DescribeStackEvents, fault: access-denied}");
    let told = diagnosed(&world);
    let unseen = told["unseen"].to_string();
    assert!(unseen.contains("DescribeStackEvents"), "{told:#}");
    // Service Catalog's record says that it failed, and not where.
    assert_eq!(told["outcome"], "failed", "{told:#}");
    assert_ne!(
        told["diagnosis"]["cause"], "database-not-available",
        "nobody saw the database's event: {told:#}"
    );
}

/// The policy with the rights that are optional.
fn may_detect(world: &World) {
    world.attach("optional", &printed(&["iam-policy", "--observe", "--with-optional"]));
    // Detections take a minute each.
    world.sim.clock().set_speed(60.0);
}

#[test]
fn deep_drift_is_seen_on_demand_and_says_what_was_not_compared() {
    let world = World::named("default");
    may_detect(&world);
    change_cache(&world, |call| call.snapshot_window("03:00-04:00"));
    world.write("einstein.yaml", STAY);
    let shallow = world.plan(STAY);
    assert!(!shallow.codes().contains("drift/resource"), "{:?}", shallow.codes());
    let run = world.run(&["plan", "--deep", "einstein.yaml", "-o", "json"]);
    assert_eq!(run.code, 0, "{run:?}");
    let plan = run.plans().remove(0);
    let found = plan.findings().iter().find(|finding| finding["code"] == "drift/resource");
    let found = found.unwrap_or_else(|| panic!("{:#?}", plan.findings()));
    assert!(found["message"].as_str().unwrap().contains("CacheCluster"), "{found:#}");
    assert!(found.to_string().contains("03:00-04:00"), "{found:#}");
    // Custom resources cannot be compared; that is told, and is no drift.
    let unchecked =
        plan.findings().iter().find(|f| f["code"] == "info/resource-unchecked").unwrap();
    assert!(unchecked["message"].as_str().unwrap().contains("Custom::"), "{unchecked:#}");
    // It takes no part in whether the TED is as it should be.
    assert_eq!(plan.condition("Ready"), ("True", "InSync"));

    let calls = world.calls();
    let count = |operation: &str| calls.iter().filter(|call| call.operation == operation).count();
    let stacks: BTreeSet<String> = calls
        .iter()
        .filter(|call| call.operation == "DetectStackDrift")
        .map(|call| format!("{:?}", call.parameters))
        .collect();
    assert_eq!(count("DetectStackDrift"), stacks.len(), "none twice");
    assert!(stacks.len() > 10, "root and nested ones: {stacks:?}");
}

#[test]
fn deep_drift_that_is_denied_is_no_proof_of_anything() {
    let world = World::named("default");
    let run = world.run(&["plan", "--deep", "ted-einstein", "-o", "json"]);
    assert_eq!(run.code, 0, "{run:?}");
    let plan = run.plans().remove(0);
    let text = serde_json::to_string(plan.findings()).unwrap();
    assert!(
        text.contains("info/resource-unchecked") && text.contains("DetectStackDrift"),
        "{text}"
    );
    assert!(!text.contains("drift/resource"), "{text}");
}

/// The files of an archive by their path below its one folder.
fn unpacked(archive: &[u8]) -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    for entry in tar::Archive::new(GzDecoder::new(archive)).entries().unwrap() {
        let mut entry = entry.unwrap();
        assert_eq!(entry.header().mode().unwrap() & 0o077, 0, "for its owner only");
        let path = entry.path().unwrap().to_string_lossy().into_owned();
        let (_, path) = path.split_once('/').unwrap();
        let path = path.to_owned();
        let mut text = String::new();
        entry.read_to_string(&mut text).unwrap();
        files.insert(path, text);
    }
    files
}

fn bundled(world: &World, arguments: &[&str], environment: &[(&str, &str)]) -> (Run, Vec<u8>) {
    let mut all = vec!["support-bundle", "-o", "bundle.tar.gz"];
    all.extend(arguments);
    let run = world.run_with(&all, environment);
    assert_eq!((run.code, run.stdout.as_str()), (0, "bundle.tar.gz\n"), "{run:?}");
    let path = world.path("bundle.tar.gz");
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    (run, std::fs::read(path).unwrap())
}

#[test]
fn a_bundle_holds_what_a_ticket_needs_and_no_secret() {
    const SECRETS: [&str; 9] = [
        "kR8-environment-key-9x",
        "kR8-proxy-password-9x",
        "kR8-settings-external-id-9x",
        "kR8-document-parameter-9x",
        "kR8-log-bearer-token-9x",
        "kR8-log-query-signature-9x",
        "kR8-tag-of-somebody-9x",
        "AKIAZZZZ2345EXAMPLE9",
        "kR8-state-note-9x",
    ];
    let world = updated("past-the-door");
    world.write(
        "einstein.yaml",
        &MIGRATE.replace(
            "policy:",
            "parameters: {MasterUserPassword: kR8-document-parameter-9x}\n  policy:",
        ),
    );
    world.write(
        "controller.yaml",
        "aws: {allowedRoles: [\"arn:aws:iam::111122223333:role/*\"]}\nserver: {tokenFile: /run/secrets/token}\n# externalId: kR8-settings-external-id-9x\n",
    );
    world.write(
        "ted-controller.log",
        "INFO started\nDEBUG request Authorization: Bearer kR8-log-bearer-token-9x\n\
         DEBUG GET https://example.com/x?X-Amz-Signature=kR8-log-query-signature-9x&a=1\n\
         DEBUG caller AKIAZZZZ2345EXAMPLE9 password=kR8-tag-of-somebody-9x\nINFO the last line\n",
    );
    std::fs::create_dir(world.path("state")).unwrap();
    world.write("state/audit.jsonl", "{\"password\": \"kR8-state-note-9x\"}\nnot ours\n");
    let (run, archive) = bundled(
        &world,
        &[
            "einstein.yaml",
            "--config",
            "controller.yaml",
            "--state-dir",
            "state",
            "--log",
            "ted-controller.log",
        ],
        &[
            ("AWS_SECRET_ACCESS_KEY", SECRETS[0]),
            ("NO_PROXY", "127.0.0.1"),
            ("HTTPS_PROXY", "http://me:kR8-proxy-password-9x@127.0.0.1:1"),
        ],
    );
    let files = unpacked(&archive);
    let names: BTreeSet<&str> = files.keys().map(String::as_str).collect();
    for name in [
        "report.html",
        "observation.json",
        "manifest.json",
        "controller.json",
        "einstein/plan.json",
        "einstein/diagnosis.json",
        "einstein/events.json",
        "einstein/product.json",
        "einstein/stacks.json",
        "einstein/database.json",
        "einstein/cache.json",
        "einstein/triggers.json",
        "einstein/document.yaml",
    ] {
        assert!(names.contains(name), "{name} is not in {names:?}");
    }
    for (path, text) in files.iter().chain([(&"stderr".to_owned(), &run.stderr)]) {
        for secret in SECRETS {
            assert!(!text.contains(secret), "{secret} is in {path}");
            let halves = secret.split_at(secret.len() / 2);
            assert!(
                !text.contains(halves.0) && !text.contains(halves.1),
                "half of {secret} is in {path}"
            );
        }
    }
    let report = &files["report.html"];
    for part in ["past-the-door", "HiveVersionParameter", "turbot-einstein-cache-cluster", "valkey"]
    {
        assert!(report.contains(part), "{part}");
    }
    for outside in ["<script", "<link", "<img", "src=", "@import", "url("] {
        assert!(!report.contains(outside), "it opens offline, and runs nothing: {outside}");
    }
    let log = files.iter().find(|(path, _)| path.ends_with("ted-controller.log")).unwrap().1;
    assert!(log.contains("INFO started") && log.contains("INFO the last line"), "{log}");
    // Every file is listed with its size.
    let manifest: Value = serde_json::from_str(&files["manifest.json"]).unwrap();
    for listed in manifest["files"].as_array().unwrap() {
        let path = listed["path"].as_str().unwrap();
        assert_eq!(listed["bytes"], files[path].len(), "{path}");
    }
}

#[test]
fn what_was_denied_is_missing_and_the_rest_is_there() {
    let world = updated("database-backing-up");
    for (service, operation) in
        [("elasticache", "DescribeEvents"), ("rds", "DescribeEvents"), ("lambda", "ListTags")]
    {
        world.fault(&format!(
            "{{service: {service}, operation: {operation}, fault: access-denied}}"
        ));
    }
    let (run, archive) = bundled(&world, &["ted-einstein"], &[]);
    let files = unpacked(&archive);
    let manifest: Value = serde_json::from_str(&files["manifest.json"]).unwrap();
    let missing = manifest["missing"].to_string();
    for action in
        ["elasticache:DescribeEvents", "rds:DescribeEvents", "lambda:ListTags", "--config FILE"]
    {
        assert!(missing.contains(action), "{action} in {missing}");
        assert!(run.stderr.contains(action), "{}", run.stderr);
        assert!(files["report.html"].contains(action));
    }
    assert!(files["ted-einstein/diagnosis.json"].contains("database-not-available"));

    let nothing = World::named("default");
    nothing.fault("{fault: access-denied}");
    let run = nothing.run(&["support-bundle", "-o", "bundle.tar.gz", "ted-einstein"]);
    assert_eq!(run.code, 1, "{run:?}");
    assert!(!nothing.path("bundle.tar.gz").exists());
}

#[test]
fn a_bundle_is_assessed_offline_as_it_was_assessed_there() {
    for scenario in ["past-the-door", "storage-autoscaled-mid-update", "default"] {
        let world = updated(scenario);
        world.write("einstein.yaml", MIGRATE);
        let there = world.run(&["plan", "einstein.yaml", "-o", "json", "--detailed-exitcode"]);
        let without = world.run(&["plan", "ted-einstein", "-o", "json", "--detailed-exitcode"]);
        bundled(&world, &["einstein.yaml"], &[]);
        let asked = world.calls().len();
        let cut_off = [("AWS_ENDPOINT_URL", ""), ("AWS_ACCESS_KEY_ID", "")];
        let replay = |arguments: &[&str]| {
            let mut all =
                vec!["plan", "-o", "json", "--detailed-exitcode", "--from-bundle", "bundle.tar.gz"];
            all.extend(arguments);
            world.run_with(&all, &cut_off)
        };
        let here = replay(&["einstein.yaml"]);
        assert_eq!(here.stderr, "", "{scenario}");
        assert_eq!(here.plans()[0].verdict(), there.plans()[0].verdict(), "{scenario}");
        let survey = replay(&[]);
        assert_eq!(survey.plans()[0].verdict(), without.plans()[0].verdict(), "{scenario}");
        assert_eq!(world.calls().len(), asked, "nobody was asked");
    }
}

#[test]
fn what_is_no_bundle_is_said_to_be_none() {
    let world = World::named("default");
    world.write("broken.tar.gz", "\u{1f}not gzip");
    for file in ["broken.tar.gz", "nowhere.tar.gz"] {
        let run = world.run(&["plan", "--from-bundle", file]);
        assert_eq!(run.code, 1, "{run:?}");
        assert!(run.stderr.starts_with("error: ") && run.stderr.contains(file), "{run:?}");
    }
}
