//! What an update is refused for, by the call or by its record; and tokens.

use super::*;
use crate::options::{
    NoOpUpdate, RefusalTime, StableStatus, StalePath, TokenConflict, UnderChangeRefusal,
};

#[test]
fn parameters_are_refused_by_the_call_or_by_the_record() {
    let both = json!([{"Key": "Must", "Value": "now", "UsePreviousValue": true}]);
    let rows = [
        (
            both,
            "Invalid input for parameter key Must. Cannot specify usePreviousValue as true and non empty value for a parameter",
        ),
        (
            given(&[("Must", None)]),
            "Invalid input for parameter key Must. Cannot specify usePreviousValue as true for a parameter key not in the previous template",
        ),
        (
            given(&[("Must", Some("now")), ("Old", None)]),
            "Parameters: [Old] do not exist in the template",
        ),
        (given(&[("Text", None)]), "Parameters: [Must] must have values"),
        (
            given(&[("Must", Some("now")), ("Text", Some("z"))]),
            "Parameter 'Text' must be one of AllowedValues",
        ),
    ];
    for (parameters, text) in rows {
        for when in RefusalTime::ALL {
            for after in StableStatus::ALL {
                let mut catalog = Catalog::with(|options| {
                    options.parameter_refusal = *when;
                    options.status_after_refusal = *after;
                });
                let sent = catalog.update("v2", &parameters);
                match when {
                    RefusalTime::Call => {
                        assert_eq!(sent.unwrap_err(), format!("ValidationException: {text}"));
                        assert_eq!(catalog.status(), "AVAILABLE", "nothing happened");
                        assert_eq!(
                            catalog.product()["ProvisioningArtifactId"],
                            catalog.versions["v1"].as_str()
                        );
                    }
                    RefusalTime::Record => {
                        let record = sent.unwrap();
                        catalog.wait(Duration::from_secs(10));
                        assert_eq!(
                            catalog.record(&record)["RecordDetail"]["Status"],
                            "IN_PROGRESS"
                        );
                        catalog.settle();
                        assert_eq!(catalog.record(&record)["RecordDetail"]["Status"], "FAILED");
                        let product = catalog.product();
                        assert_eq!(product["Status"], after.as_str());
                        let message = product["StatusMessage"].as_str().unwrap();
                        assert!(
                            message.starts_with(&format!(
                                "AmazonCloudFormationException  {text} (Service: "
                            )),
                            "{message}"
                        );
                        assert_eq!(
                            product["ProvisioningArtifactId"],
                            catalog.versions["v2"].as_str()
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn an_update_that_changes_nothing_ends_as_the_world_says() {
    let same = given(&[("Text", None), ("Secret", None), ("Old", None)]);
    for option in NoOpUpdate::ALL {
        // When refusals come does not decide what is one.
        for when in RefusalTime::ALL {
            let mut catalog = Catalog::with(|options| {
                options.no_op_update = *option;
                options.parameter_refusal = *when;
            });
            let sent = catalog.update("v1", &same);
            catalog.settle();
            match option {
                NoOpUpdate::Refused => {
                    assert_eq!(
                        sent.unwrap_err(),
                        "ValidationException: No updates are to be performed."
                    );
                    assert_eq!(catalog.status(), "AVAILABLE");
                }
                NoOpUpdate::RecordFails => {
                    let record = catalog.record(&sent.unwrap());
                    assert_eq!(record["RecordDetail"]["Status"], "FAILED");
                    assert_eq!(catalog.status(), "TAINTED");
                }
                NoOpUpdate::Succeeds => {
                    let id = sent.unwrap();
                    assert_eq!(catalog.record(&id)["RecordDetail"]["Status"], "SUCCEEDED");
                    let product = catalog.product();
                    assert_eq!(product["Status"], "AVAILABLE");
                    assert_eq!(product["LastSuccessfulProvisioningRecordId"], id.as_str());
                }
            }
        }
    }
}

#[test]
fn where_the_call_judges_a_good_update_begins_at_once() {
    let mut catalog = Catalog::with(|options| options.parameter_refusal = RefusalTime::Call);
    let input = catalog.input("v2", &to_v2());
    let answer = catalog.call("UpdateProvisionedProduct", input).unwrap();
    assert_eq!(answer["RecordDetail"]["Status"], "IN_PROGRESS");
    catalog.settle();
    assert_eq!(catalog.status(), "AVAILABLE");
}

#[test]
fn only_available_and_tainted_products_are_updated() {
    for refusal in UnderChangeRefusal::ALL {
        for status in Status::ALL {
            let mut catalog = Catalog::with(|options| options.update_under_change = *refusal);
            set_status(&mut catalog.world, &catalog.scope, &catalog.provisioned, status, None)
                .unwrap();
            let sent = catalog.update("v2", &to_v2());
            match status {
                Status::Available | Status::Tainted => drop(sent.unwrap()),
                Status::UnderChange | Status::Error | Status::PlanInProgress => {
                    let text = sent.unwrap_err();
                    assert!(
                        text.starts_with(refusal.as_str()) && text.contains(status.as_str()),
                        "{text}"
                    );
                }
            }
        }
    }
}

#[test]
fn the_same_request_with_the_same_token_is_the_same_update() {
    let mut catalog = Catalog::new();
    let input = catalog.input("v2", &to_v2());
    let first = catalog.send(input.clone()).unwrap();
    assert_eq!(catalog.send(input.clone()).unwrap(), first, "while it runs");
    let mut in_japanese = input.clone();
    in_japanese["AcceptLanguage"] = json!("jp");
    assert_eq!(
        catalog.send(in_japanese).unwrap(),
        first,
        "the language of messages is no difference"
    );
    catalog.settle();
    assert_eq!(catalog.send(input).unwrap(), first, "when it is done");
    assert_eq!(catalog.status(), "AVAILABLE", "nothing runs again");
}

#[test]
fn a_refused_request_does_not_use_its_token_up() {
    let mut catalog = Catalog::new();
    let input = catalog.input("v2", &to_v2());
    set_status(&mut catalog.world, &catalog.scope, &catalog.provisioned, Status::UnderChange, None)
        .unwrap();
    catalog.send(input.clone()).unwrap_err();
    set_status(&mut catalog.world, &catalog.scope, &catalog.provisioned, Status::Available, None)
        .unwrap();
    catalog.send(input).unwrap();
}

#[test]
fn a_token_is_forgotten_after_its_lifetime() {
    for (lifetime, again, why) in [
        (None, false, "for ever"),
        (Some(2), false, "still remembered"),
        (Some(1), true, "forgotten"),
    ] {
        let mut catalog = Catalog::with(|options| {
            options.token_lifetime = lifetime.map(|hours| Duration::from_mins(hours * 60));
        });
        let input = catalog.input("v2", &to_v2());
        let first = catalog.send(input.clone()).unwrap();
        catalog.wait(Duration::from_mins(61));
        assert_eq!(catalog.send(input).unwrap() != first, again, "{why}");
    }
}

#[test]
fn a_token_with_another_request_gets_what_the_world_says() {
    for option in TokenConflict::ALL {
        let mut catalog = Catalog::with(|options| options.token_with_other_request = *option);
        let mut input = catalog.input("v2", &to_v2());
        let first = catalog.send(input.clone()).unwrap();
        catalog.settle();
        input["ProvisioningParameters"] = given(&[("Must", Some("later"))]);
        let second = catalog.send(input);
        match option {
            TokenConflict::SameRecord => assert_eq!(second.unwrap(), first),
            TokenConflict::NewRecord => assert_ne!(second.unwrap(), first),
            TokenConflict::Refused => {
                assert!(second.unwrap_err().starts_with("InvalidParametersException: "));
            }
        }
    }
}

#[test]
fn a_request_names_each_thing_once() {
    let mut catalog = Catalog::new();
    let good = catalog.input("v2", &to_v2());
    for (member, other, value) in [
        ("ProvisionedProductId", "ProvisionedProductName", "db-one"),
        ("ProductId", "ProductName", "A Database"),
        ("ProvisioningArtifactId", "ProvisioningArtifactName", "v2"),
    ] {
        let mut neither = good.clone();
        neither.as_object_mut().unwrap().remove(member);
        let refusal = catalog.send(neither.clone()).unwrap_err();
        assert!(
            refusal.starts_with("InvalidParametersException: ")
                && refusal.contains(member)
                && refusal.contains(other),
            "{refusal}"
        );
        let mut both = good.clone();
        both[other] = json!(value);
        let refusal = catalog.send(both).unwrap_err();
        assert!(
            refusal.starts_with("InvalidParametersException: ") && refusal.contains(member),
            "{refusal}"
        );
        neither[other] = json!("nothing-like-it");
        let refusal = catalog.send(neither).unwrap_err();
        assert_eq!(
            refusal,
            "ResourceNotFoundException: nothing-like-it does not exist or access was denied"
        );
    }
    let mut twice = good.clone();
    twice["ProvisioningParameters"] = given(&[("Must", Some("a")), ("Must", Some("b"))]);
    assert_eq!(
        catalog.send(twice).unwrap_err(),
        "InvalidParametersException: Parameter Must is specified more than once."
    );
    let by_names = json!({
        "ProvisionedProductName": "db-one", "ProductName": "A Database", "ProvisioningArtifactName": "v2", "PathName": "Foundation",
        "ProvisioningParameters": to_v2(), "UpdateToken": "by-names",
    });
    catalog.send(by_names).unwrap();
}

#[test]
fn names_that_two_things_have_are_refused() {
    let mut catalog = Catalog::new();
    let new = NewArtifact {
        name: "v2".to_owned(),
        description: None,
        created: catalog.world.now(),
        active: true,
        guidance: Guidance::Default,
        template: template("v2"),
    };
    add_artifact(&mut catalog.world, &catalog.scope, &catalog.product, new).unwrap();
    let mut input = catalog.input("v2", &to_v2());
    input.as_object_mut().unwrap().remove("ProvisioningArtifactId");
    input["ProvisioningArtifactName"] = json!("v2");
    assert_eq!(
        catalog.send(input).unwrap_err(),
        "InvalidParametersException: Multiple Provisioning Artifact with name v2 found."
    );
}

#[test]
fn a_launch_path_has_to_be_one_that_is_there() {
    for stale in StalePath::ALL {
        let mut catalog = Catalog::with(|options| options.stale_path = *stale);
        let old = catalog.path.clone();
        let fresh =
            move_product_to_new_path(&mut catalog.world, &catalog.scope, &catalog.product).unwrap();
        let mut input = catalog.input("v2", &to_v2());
        input["PathId"] = json!(old);
        assert_eq!(
            catalog.send(input.clone()).unwrap_err(),
            format!("{}: Invalid PathId: {old}", stale.as_str())
        );
        input["PathId"] = json!(fresh[0]);
        catalog.send(input).unwrap();
    }

    let mut catalog = Catalog::new();
    let second = add_portfolio(
        &mut catalog.world,
        &catalog.scope,
        NewPortfolio { name: "Second".to_owned(), ..NewPortfolio::default() },
    );
    let path = NewPath { portfolio_id: second.clone(), ..NewPath::default() };
    add_path(&mut catalog.world, &catalog.scope, &catalog.product, path.clone()).unwrap();
    let mut input = catalog.input("v2", &to_v2());
    let several = "InvalidParametersException: More than one launch path ids exist. Please specify the launch path id";
    assert_eq!(catalog.send(input.clone()).unwrap_err(), several);
    input["PathName"] = json!("Third");
    assert_eq!(
        catalog.send(input.clone()).unwrap_err(),
        "ResourceNotFoundException: Third does not exist or access was denied"
    );
    input["PathName"] = json!("Second");
    let mut both = input.clone();
    both["PathId"] = json!(catalog.path);
    assert!(catalog.send(both).unwrap_err().starts_with("InvalidParametersException: "));
    // Two paths of one portfolio have one name.
    add_path(&mut catalog.world, &catalog.scope, &catalog.product, path).unwrap();
    assert_eq!(catalog.send(input.clone()).unwrap_err(), several);
    input["PathName"] = json!("Foundation");
    catalog.send(input).unwrap();
}

#[test]
fn inactive_versions_take_no_update_and_deprecated_ones_do_as_the_world_says() {
    let mut catalog = Catalog::new();
    let v2 = catalog.versions["v2"].clone();
    retire_artifact(&mut catalog.world, &catalog.scope, &catalog.product, &v2).unwrap();
    let refusal = catalog.update("v2", &to_v2()).unwrap_err();
    assert_eq!(
        refusal,
        format!("ResourceNotFoundException: {v2} does not exist or access was denied")
    );

    for allowed in [true, false] {
        let mut catalog = Catalog::with(|options| options.update_to_deprecated = allowed);
        for version in ["v1", "v2"] {
            let id = catalog.versions[version].clone();
            deprecate_artifact(&mut catalog.world, &catalog.scope, &catalog.product, &id).unwrap();
        }
        assert_eq!(
            catalog.update("v2", &to_v2()).is_ok(),
            allowed,
            "to a new version that is deprecated"
        );
        catalog.settle();
        let provisioned = if allowed { "v2" } else { "v1" };
        let parameters =
            if allowed { given(&[("Must", Some("other"))]) } else { given(&[("Text", Some("b"))]) };
        catalog.update(provisioned, &parameters).unwrap();
    }
}

#[test]
fn limits_of_the_model_are_validated() {
    let mut catalog = Catalog::new();
    let good = catalog.input("v2", &to_v2());
    for (member, value, why) in [
        ("UpdateToken", json!("_starts-wrong"), "a token starts with a letter or digit"),
        ("UpdateToken", json!("a.b"), "no dots in a token"),
        ("UpdateToken", json!("x".repeat(129)), "a token has at most 128 characters"),
        (
            "ProvisioningParameters",
            json!([{"Key": "Must", "Value": "x".repeat(4097)}]),
            "a value has at most 4096 characters",
        ),
        ("Tags", json!([{"Key": "only"}]), "a tag has a value"),
    ] {
        let mut bad = good.clone();
        bad[member] = value;
        let refusal = catalog.send(bad).unwrap_err();
        assert!(
            refusal.starts_with("ValidationException: 1 validation error detected: "),
            "{why}: {refusal}"
        );
    }
}

#[test]
fn a_version_whose_template_was_not_taken_over_takes_no_update() {
    for (status, wire) in
        [(ArtifactStatus::Creating, "CREATING"), (ArtifactStatus::Failed, "FAILED")]
    {
        let mut catalog = Catalog::new();
        let (product, v2) = (catalog.product.clone(), catalog.versions["v2"].clone());
        set_artifact_status(&mut catalog.world, &catalog.scope, &product, &v2, status).unwrap();
        let input = json!({"ProductId": product, "ProvisioningArtifactId": v2});
        let shown = catalog.call("DescribeProvisioningArtifact", input).unwrap();
        assert_eq!(shown["Status"], wire);
        let refusal = catalog.update("v2", &to_v2()).unwrap_err();
        assert!(refusal.starts_with("InvalidParametersException: "), "{refusal}");
    }
}

#[test]
fn statuses_are_read_as_they_are_written() {
    for status in Status::ALL {
        assert_eq!(Status::from_wire(status.as_str()), Some(status));
    }
    assert_eq!(Status::from_wire("available"), None);
}
