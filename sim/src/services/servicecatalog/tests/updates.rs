//! Updates that begin: to success, to failure, to a failed rollback; and what changes around them.

use super::*;
use crate::options::FailedStatus;

#[test]
fn a_successful_update_shows_in_the_record_the_product_and_the_outputs() {
    let mut catalog = Catalog::new();
    let before = catalog.product();
    let input = catalog.input("v2", &to_v2());
    let answer = catalog.call("UpdateProvisionedProduct", input).unwrap()["RecordDetail"].take();
    let record = answer["RecordId"].as_str().unwrap().to_owned();
    assert_eq!(answer["Status"], "CREATED");
    assert_eq!(answer["RecordType"], "UPDATE_PROVISIONED_PRODUCT");
    assert_eq!(answer["LaunchRoleArn"], LAUNCH_ROLE);
    assert_eq!(answer["PathId"], catalog.path.as_str());
    assert_eq!(answer["RecordErrors"], json!([]));

    let during = catalog.product();
    assert_eq!(during["Status"], "UNDER_CHANGE");
    assert_eq!(during["LastRecordId"], record.as_str());
    assert_eq!(during["LastProvisioningRecordId"], record.as_str());
    assert_eq!(during["LastSuccessfulProvisioningRecordId"], before["LastRecordId"], "not yet");
    assert_eq!(during["ProvisioningArtifactId"], catalog.versions["v2"].as_str(), "at once");
    assert_eq!(during["LaunchRoleArn"], LAUNCH_ROLE);
    assert_eq!(during["IdempotencyToken"], "token-1");

    catalog.wait(Duration::from_secs(3));
    let running = catalog.record(&record);
    assert_eq!(
        (&running["RecordDetail"]["Status"], &running["RecordOutputs"]),
        (&json!("IN_PROGRESS"), &json!([]))
    );

    catalog.settle();
    let done = catalog.record(&record);
    assert_eq!(done["RecordDetail"]["Status"], "SUCCEEDED");
    assert_eq!(done["RecordOutputs"][0]["OutputKey"], "CloudformationStackARN");
    assert_eq!(done["RecordOutputs"][1]["OutputValue"], "v2-0");
    let after = catalog.product();
    assert_eq!(after["Status"], "AVAILABLE");
    assert_eq!(after["LastSuccessfulProvisioningRecordId"], record.as_str());
    let outputs = catalog
        .call(
            "GetProvisionedProductOutputs",
            json!({"ProvisionedProductId": catalog.provisioned, "OutputKeys": ["Out03"]}),
        )
        .unwrap();
    assert_eq!(outputs["Outputs"], json!([{"OutputKey": "Out03", "OutputValue": "v2-3"}]));
}

#[test]
fn a_failed_update_keeps_the_version_that_was_asked_for_and_the_old_outputs() {
    for (with_arn, outputs) in [(true, vec!["CloudformationStackARN"]), (false, vec![])] {
        let mut catalog = Catalog::with(|options| options.failed_record_has_stack_arn = with_arn);
        let before = catalog.product();
        catalog.fail(During::Update);
        let record = catalog.update("v2", &to_v2()).unwrap();
        let mut seen = Vec::new();
        for _ in 0..600 {
            catalog.wait(Duration::from_secs(1));
            let status =
                catalog.record(&record)["RecordDetail"]["Status"].as_str().unwrap().to_owned();
            if status.starts_with("IN_PROGRESS") {
                assert_eq!(catalog.status(), "UNDER_CHANGE");
            }
            if seen.last() != Some(&status) {
                seen.push(status);
            }
        }
        assert_eq!(seen, ["CREATED", "IN_PROGRESS", "IN_PROGRESS_IN_ERROR", "FAILED"]);
        let after = catalog.product();
        assert_eq!(after["Status"], "TAINTED");
        assert_eq!(after["ProvisioningArtifactId"], catalog.versions["v2"].as_str());
        assert_eq!(after["LastSuccessfulProvisioningRecordId"], before["LastRecordId"]);
        let message = after["StatusMessage"].as_str().unwrap();
        assert!(message.contains("failed to update: [Thing]"), "{message}");
        let failed = catalog.record(&record);
        assert_eq!(failed["RecordDetail"]["RecordErrors"][0]["Description"], message);
        assert_eq!(each(&failed["RecordOutputs"], "OutputKey"), outputs);
        let old = catalog
            .call(
                "GetProvisionedProductOutputs",
                json!({"ProvisionedProductName": "db-one", "OutputKeys": ["Out00"]}),
            )
            .unwrap();
        assert_eq!(old["Outputs"][0]["OutputValue"], "v1-0");
        // Tainted can be updated again.
        catalog.update("v2", &to_v2()).unwrap();
        catalog.settle();
        assert_eq!(catalog.status(), "AVAILABLE");
        assert_eq!(catalog.product().get("StatusMessage"), None);
    }
}

#[test]
fn a_failed_rollback_ends_in_the_status_of_the_world_and_its_stack_takes_no_update() {
    for (option, status) in [(FailedStatus::Tainted, "TAINTED"), (FailedStatus::Error, "ERROR")] {
        let mut catalog = Catalog::with(|options| options.status_after_rollback_failed = option);
        catalog.fail(During::Update);
        catalog.fail(During::Rollback);
        let record = catalog.update("v2", &to_v2()).unwrap();
        catalog.settle();
        assert_eq!(catalog.status(), status);
        let failed = catalog.record(&record)["RecordDetail"].take();
        assert_eq!(failed["Status"], "FAILED");
        assert_eq!(
            failed["RecordErrors"].as_array().unwrap().len(),
            2,
            "the failure, and that of the rollback"
        );
        match option {
            FailedStatus::Error => {
                assert!(catalog.update("v2", &to_v2()).is_err(), "a product in error is refused");
            }
            FailedStatus::Tainted => {
                let second = catalog.update("v2", &to_v2()).unwrap();
                catalog.settle();
                let second = catalog.record(&second)["RecordDetail"].take();
                assert_eq!(second["Status"], "FAILED");
                let text = second["RecordErrors"][0]["Description"].as_str().unwrap();
                assert!(
                    text.contains("is in UPDATE_ROLLBACK_FAILED state and can not be updated."),
                    "{text}"
                );
            }
        }
    }
}

#[test]
fn an_update_without_its_stack_fails_in_the_record() {
    for (option, status) in [(FailedStatus::Tainted, "TAINTED"), (FailedStatus::Error, "ERROR")] {
        for (mid_way, why) in [(false, "deleted before"), (true, "deleted while it was updated")] {
            let mut catalog = Catalog::with(|options| options.status_after_stack_missing = option);
            let stack = catalog.stack();
            if !mid_way {
                cloudformation::delete_now(&mut catalog.world, &catalog.scope, &stack);
            }
            let record = catalog.update("v2", &to_v2()).unwrap();
            if mid_way {
                catalog.wait(Duration::from_secs(3));
                cloudformation::delete_now(&mut catalog.world, &catalog.scope, &stack);
            }
            catalog.settle();
            assert_eq!(catalog.record(&record)["RecordDetail"]["Status"], "FAILED", "{why}");
            assert_eq!(catalog.status(), status, "{why}");
        }
    }
}

#[test]
fn a_product_that_vanishes_during_its_update_leaves_a_failed_record() {
    let mut catalog = Catalog::new();
    let record = catalog.update("v2", &to_v2()).unwrap();
    catalog.wait(Duration::from_secs(3));
    delete_provisioned(&mut catalog.world, &catalog.scope, &catalog.provisioned).unwrap();
    catalog.settle();
    assert_eq!(catalog.record(&record)["RecordDetail"]["Status"], "FAILED");
}

#[test]
fn an_omitted_parameter_becomes_what_the_world_says() {
    for (option, secret) in [
        (crate::options::OmittedParameter::Default, "hush"),
        (crate::options::OmittedParameter::Previous, "kept"),
    ] {
        let mut catalog = Catalog::with(|options| options.omitted_parameter = option);
        catalog.update("v2", &given(&[("Must", Some("now"))])).unwrap();
        catalog.settle();
        assert_eq!(catalog.status(), "AVAILABLE");
        // Setting the value it has changes nothing, and that says which one it has.
        let record = catalog
            .update(
                "v2",
                &given(&[("Must", None), ("Secret", Some(secret)), ("Text", None), ("New", None)]),
            )
            .unwrap();
        catalog.settle();
        let text = catalog.record(&record)["RecordDetail"]["RecordErrors"][0]["Description"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        assert!(text.contains("No updates are to be performed."), "{option:?}: {text}");
    }
}

#[test]
fn direct_changes_are_noticed_only_where_the_world_says_so() {
    for (after, status) in [(None, "TAINTED"), (Some(Duration::from_mins(5)), "AVAILABLE")] {
        let mut catalog = Catalog::with(|options| options.catalog_notices_direct_changes = after);
        catalog.fail(During::Update);
        catalog.update("v2", &to_v2()).unwrap();
        catalog.settle();
        assert_eq!(catalog.status(), "TAINTED");
        let update = cloudformation::Update {
            stack_name: catalog.stack(),
            template: template("v1"),
            parameters: BTreeMap::from([(
                "Text".to_owned(),
                cloudformation::Given::Value("b".to_owned()),
            )]),
            role_arn: None,
            client_token: None,
        };
        cloudformation::start_update(&mut catalog.world, &catalog.scope, &catalog.caller, update)
            .unwrap();
        catalog.wait(Duration::from_mins(2));
        assert_eq!(
            cloudformation::see(catalog.world.region(&catalog.scope), &catalog.stack())
                .unwrap()
                .status,
            "UPDATE_COMPLETE"
        );
        assert_eq!(catalog.status(), "TAINTED", "not yet");
        catalog.wait(Duration::from_mins(10));
        assert_eq!(catalog.status(), status);
        assert_eq!(
            catalog.product()["ProvisioningArtifactId"],
            catalog.versions["v2"].as_str(),
            "the version is that of the record"
        );
    }
}

#[test]
fn a_stack_that_goes_away_is_noticed_as_the_world_says() {
    let mut catalog = Catalog::with(|options| {
        options.catalog_notices_direct_changes = Some(Duration::from_mins(1));
        options.status_after_stack_missing = FailedStatus::Error;
    });
    let stack = catalog.stack();
    cloudformation::delete_now(&mut catalog.world, &catalog.scope, &stack);
    assert_eq!(catalog.status(), "AVAILABLE");
    catalog.settle();
    assert_eq!(catalog.status(), "ERROR");
}

#[test]
fn search_and_describe_can_lag_behind() {
    let mut catalog = Catalog::with(|options| {
        options.search_lag = Duration::from_secs(30);
        options.describe_lag = Duration::from_secs(5);
    });
    let searched = |catalog: &mut Catalog| {
        let found = catalog.call("SearchProvisionedProducts", json!({})).unwrap();
        found["ProvisionedProducts"][0]["Status"].as_str().unwrap().to_owned()
    };
    catalog.fail(During::Update);
    catalog.update("v2", &to_v2()).unwrap();
    assert_eq!(
        (searched(&mut catalog), catalog.status()),
        ("AVAILABLE".to_owned(), "AVAILABLE".to_owned())
    );
    catalog.wait(Duration::from_secs(6));
    assert_eq!(
        (searched(&mut catalog), catalog.status()),
        ("AVAILABLE".to_owned(), "UNDER_CHANGE".to_owned())
    );
    catalog.settle();
    assert_eq!(
        (searched(&mut catalog), catalog.status()),
        ("TAINTED".to_owned(), "TAINTED".to_owned())
    );
}

#[test]
fn cloudformation_acts_in_the_launch_role_else_in_the_stacks_role_else_as_the_caller() {
    let session = |role: &str, session: &str| {
        format!("arn:aws:sts::111122223333:assumed-role/{role}/{session}")
    };
    let stack_role = "arn:aws:iam::111122223333:role/stack";
    for (launch_role, role, expected, why) in [
        (
            Some(LAUNCH_ROLE),
            Some(stack_role),
            session("launch", "servicecatalog"),
            "the launch constraint wins",
        ),
        (None, Some(stack_role), session("stack", "AWSCloudFormation"), "a stack keeps its role"),
        (None, None, session("ops", "me"), "nobody else"),
    ] {
        assert_eq!(
            super::super::progress::acting(launch_role, role, &person("me")).arn,
            expected,
            "{why}"
        );
    }
}

#[test]
fn tags_change_only_where_the_path_lets_them() {
    let mut catalog = Catalog::new();
    let mut input = catalog.input("v2", &to_v2());
    input["Tags"] = json!([{"Key": "team", "Value": "platform"}]);
    let refusal = catalog.send(input.clone()).unwrap_err();
    assert!(refusal.starts_with("InvalidParametersException: "), "{refusal}");
    let path = NewPath {
        portfolio_id: catalog.portfolio.clone(),
        tag_updates: true,
        ..NewPath::default()
    };
    let path = add_path(&mut catalog.world, &catalog.scope, &catalog.product, path).unwrap();
    input["PathId"] = json!(path);
    catalog.send(input).unwrap();
    let found = catalog.call("SearchProvisionedProducts", json!({})).unwrap();
    let tags = &found["ProvisionedProducts"][0]["Tags"];
    assert_eq!(tags[0], json!({"Key": "team", "Value": "platform"}));
    assert!(each(tags, "Key").contains(&"aws:servicecatalog:productArn"));
    assert_eq!(catalog.product().get("LaunchRoleArn"), None, "the other path has no role");
}
