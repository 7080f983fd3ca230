pub(crate) mod planting;

use super::*;
use crate::assess::testing::{World, healthy, there};
use crate::assess::{Context, assess};
use crate::observe::observation::Observation;
use planting::planted;
use serde_json::json;

const SECRET: &str = "correct-horse 7/battery+staple";

fn learned(secret: &str) -> Redactor {
    let mut redactor = Redactor::default();
    redactor.learn(secret);
    redactor
}

#[test]
fn a_learned_secret_is_taken_out_in_every_spelling() {
    let redactor = learned(SECRET);
    for text in [
        format!("before {SECRET} after"),
        format!("x{SECRET}y"),
        "correct-horse%207%2Fbattery%2Bstaple".to_owned(),
        "correct-horse+7%2Fbattery%2Bstaple".to_owned(),
        "636f72726563742d686f72736520372f626174746572792b737461706c65".to_owned(),
        // `user:` and the secret, as a header has it.
        "dXNlcjpjb3JyZWN0LWhvcnNlIDcvYmF0dGVyeStzdGFwbGU=".to_owned(),
    ] {
        let clean = redactor.text(&text);
        assert!(clean.contains(REDACTED), "{text}: {clean}");
        assert!(!clean.contains("horse") && !clean.contains("Y29ycmVjdC"), "{text}: {clean}");
    }
}

#[test]
fn a_short_secret_is_taken_out_only_as_a_word() {
    let redactor = learned("turb");
    assert_eq!(
        redactor.text("turb, turbot and disturb: turb"),
        "[redacted], turbot and disturb: [redacted]"
    );
    assert_eq!(learned("abc").text("abc"), "abc", "too short to be told from chance");
    assert_eq!(learned("****").text("****"), "****", "a mark is no secret");
    assert_eq!(learned("true").text("it is true"), "it is true", "nobody keeps this secret");
}

#[test]
fn json_loses_what_stands_under_a_secret_name_and_keeps_its_shape() {
    let mut redactor = learned(SECRET);
    redactor.keys.insert("Odd".to_owned());
    let mut value = json!({
        "password": "x", "authToken": true, "tokens": ["a", {"b": 1}], "note": format!("it is {SECRET}"),
        "env": [{"name": "DB_PASSWORD", "value": "hunter2"}, {"name": "HOME", "value": "/srv/x"}],
        "parameters": [{"key": "Odd", "from": "a b", "to": "c d", "why": "because"}],
        SECRET: 1, "nothing": null, "empty": {"secret": ""},
    });
    redactor.json(&mut value);
    assert_eq!(
        value,
        json!({
            "password": REDACTED, "authToken": true, "tokens": [REDACTED, {"b": REDACTED}], "note": format!("it is {REDACTED}"),
            "env": [{"name": "DB_PASSWORD", "value": REDACTED}, {"name": "HOME", "value": "/srv/x"}],
            "parameters": [{"key": "Odd", "from": REDACTED, "to": REDACTED, "why": "because"}],
            REDACTED: 1, "nothing": null, "empty": {"secret": ""},
        })
    );
}

#[test]
fn no_secret_of_an_observation_is_in_its_recording() {
    let (seen, secrets) = planted();
    let mut redactor = Redactor::default();
    redactor.learn_observation(&seen);
    let text = serde_json::to_string(&redactor.observation(&seen)).unwrap();
    for secret in &secrets {
        assert!(!text.contains(secret.as_str()), "{secret} is in {text}");
    }
    assert!(text.len() > 4_000, "and the rest is there");
}

#[test]
fn a_recording_keeps_what_an_assessment_goes_by() {
    for world in [World::staying(), World::migrating(), World::migrated()] {
        let mut redactor = Redactor::default();
        redactor.learn_observation(&world.observation);
        let recorded = redactor.observation(&world.observation);
        let replayed = World { observation: recorded, ..world.clone() };
        assert_eq!(replayed.assess(), world.assess());
    }
}

#[test]
fn a_withheld_value_is_not_known_and_so_no_difference() {
    let world = World::staying().edit("  cache:", "  parameters: {MaxConnections: 800}\n  cache:");
    let drifts = |seen: &Observation| {
        let found = assess(&world.desired(), seen, &Context::default());
        found.findings.iter().filter(|found| found.code == "drift/parameter").count()
    };
    assert_eq!(drifts(&world.observation), 1);
    let mut withheld = world.observation.clone();
    WITHHELD.clone_into(
        &mut there(&mut withheld.root).parameters.get_mut("MaxConnections").unwrap().value,
    );
    assert_eq!(drifts(&withheld), 0);
}

#[test]
fn parameters_of_a_document_are_learned_by_the_same_rules() {
    let seen = healthy();
    let mut redactor = Redactor::default();
    let parameters =
        [("MaxConnections", "800"), ("Note", "open sesame"), ("MasterPassword", "12345")];
    redactor.learn_parameters(parameters.into_iter(), &seen);
    assert_eq!(redactor.text("800, open sesame, 12345"), "800, [redacted], [redacted]");
}

#[test]
fn what_stands_under_a_secret_name_in_json_is_learned() {
    let mut redactor = Redactor::default();
    let settings = json!({"server": {"token": "open sesame", "port": 8080}, "keys": [{"password": ["alpha1", 7]}]});
    redactor.learn_json(&settings);
    assert_eq!(redactor.text("open sesame, alpha1, 8080"), "[redacted], [redacted], 8080");
}
