//! Writing: what is sent, and what became of it.

use super::canned::{Canned, Reply, json_error, ok, xml_error};
use crate::aws::writer::{IdempotencyToken, Outcome, ParameterValue, PathRef, UpdateRequest};
use crate::aws::{Kind, Writer};

fn token() -> IdempotencyToken {
    IdempotencyToken::new("a1b2").unwrap()
}

fn update() -> UpdateRequest {
    UpdateRequest {
        provisioned_product_id: "pp-1".to_owned(),
        product_id: "prod-1".to_owned(),
        artifact_id: "pa-2".to_owned(),
        path: Some(PathRef::Id("lp-1".to_owned())),
        parameters: [
            ("CacheEngine".to_owned(), ParameterValue::Value("valkey".to_owned())),
            ("HiveName".to_owned(), ParameterValue::Previous),
        ]
        .into(),
        token: token(),
    }
}

async fn writer(wire: &Canned) -> Writer {
    wire.session().await.writer()
}

#[tokio::test]
async fn an_update_is_sent_complete_and_under_the_plans_token() {
    let wire = Canned::new([ok(r#"{"RecordDetail":{"RecordId":"rec-9","Status":"CREATED"}}"#)]);
    let Outcome::Accepted(record) = writer(&wire).await.update_provisioned_product(&update()).await
    else {
        panic!()
    };
    assert_eq!(record.id, "rec-9");
    let asked = wire.asked();
    assert_eq!(
        asked[0].header("x-amz-target"),
        Some("AWS242ServiceCatalogService.UpdateProvisionedProduct")
    );
    let body: serde_json::Value = serde_json::from_str(&asked[0].body).unwrap();
    let wanted = serde_json::json!({
        "ProvisionedProductId": "pp-1", "ProductId": "prod-1", "ProvisioningArtifactId": "pa-2", "PathId": "lp-1", "UpdateToken": "a1b2",
        "ProvisioningParameters": [{"Key": "CacheEngine", "Value": "valkey"}, {"Key": "HiveName", "UsePreviousValue": true}],
    });
    assert_eq!(body, wanted, "a value or the previous one, an id or a name");
}

#[tokio::test(start_paused = true)]
async fn an_update_that_may_have_arrived_is_unknown_and_never_sent_again() {
    let rows = [
        (Reply::Hang, "a timeout"),
        (Reply::Break, "a broken connection"),
        (json_error(500, "InternalFailure", ""), "a server error"),
        (ok("{"), "an answer that cannot be read"),
        (ok("{}"), "an answer without a record"),
    ];
    for (reply, why) in rows {
        let wire = Canned::new([reply]);
        let outcome = writer(&wire).await.update_provisioned_product(&update()).await;
        assert!(matches!(outcome, Outcome::Unknown(_)), "{why}: {outcome:?}");
        assert_eq!(wire.asked().len(), 1, "{why}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_update_that_was_not_carried_out_is_sent_again_or_refused() {
    let record = || ok(r#"{"RecordDetail":{"RecordId":"rec-9"}}"#);
    for (first, why) in [
        (
            json_error(400, "ThrottlingException", "Rate exceeded"),
            "throttled requests are not carried out",
        ),
        (Reply::Refuse, "no connection, no request"),
    ] {
        let wire = Canned::new([first, record()]);
        let outcome = writer(&wire).await.update_provisioned_product(&update()).await;
        assert!(matches!(outcome, Outcome::Accepted(_)), "{why}: {outcome:?}");
        assert!(
            wire.asked().iter().all(|asked| asked.body.contains(r#""UpdateToken":"a1b2""#)),
            "the same token"
        );
    }
    let wire = Canned::new([json_error(400, "InvalidParametersException", "no")]);
    let Outcome::Refused(error) = writer(&wire).await.update_provisioned_product(&update()).await
    else {
        panic!()
    };
    assert_eq!(error.kind, Kind::Invalid);
}

#[tokio::test]
async fn a_rollback_is_continued_with_its_skips_and_without_a_role() {
    let answer = "<ContinueUpdateRollbackResponse><ContinueUpdateRollbackResult/></ContinueUpdateRollbackResponse>";
    let wire = Canned::new([ok(answer), ok(answer)]);
    let writer = writer(&wire).await;
    let skip = ["SC-1-Db-X.HivePrimary".to_owned()];
    assert_eq!(
        writer.continue_update_rollback("SC-1", &skip, &token()).await,
        Outcome::Accepted(())
    );
    assert_eq!(writer.continue_update_rollback("SC-1", &[], &token()).await, Outcome::Accepted(()));
    let asked = wire.asked();
    assert!(
        asked[0].body.contains("ResourcesToSkip.member.1=SC-1-Db-X.HivePrimary"),
        "{}",
        asked[0].body
    );
    assert!(asked[0].body.contains("ClientRequestToken=a1b2"));
    assert!(!asked[1].body.contains("ResourcesToSkip"), "an empty list is not sent");
    assert!(
        asked
            .iter()
            .all(|asked| !asked.body.contains("RoleARN") && !asked.body.contains("ForceRollback"))
    );
}

#[tokio::test]
async fn triggers_are_switched_and_tagged() {
    let wire = Canned::new([
        Reply::Http(202, vec![], r#"{"UUID":"u","State":"Disabling"}"#.to_owned()),
        Reply::Http(204, vec![], String::new()),
        Reply::Http(
            400,
            vec![("x-amzn-errortype", "ResourceInUseException")],
            r#"{"Message":"in use"}"#.to_owned(),
        ),
    ]);
    let writer = writer(&wire).await;
    let Outcome::Accepted(mapping) = writer.set_mapping_enabled("u", false).await else { panic!() };
    assert_eq!(mapping.state.as_deref(), Some("Disabling"));
    let arn = "arn:aws:lambda:us-east-2:1:event-source-mapping:u";
    assert_eq!(
        writer.tag_mapping(arn, "ted-controller:hold:pp-1", "held").await,
        Outcome::Accepted(())
    );
    let Outcome::Refused(error) = writer.set_mapping_enabled("u", true).await else { panic!() };
    assert_eq!(error.kind, Kind::Conflict);
    let asked = wire.asked();
    assert_eq!((asked[0].method.as_str(), asked[0].body.as_str()), ("PUT", r#"{"Enabled":false}"#));
    assert_eq!(asked[1].body, r#"{"Tags":{"ted-controller:hold:pp-1":"held"}}"#);
}

#[tokio::test]
async fn a_drift_detection_gives_its_id() {
    let answer = "<DetectStackDriftResponse><DetectStackDriftResult><StackDriftDetectionId>d-1</StackDriftDetectionId></DetectStackDriftResult></DetectStackDriftResponse>";
    let wire = Canned::new([
        ok(answer),
        xml_error(400, "ValidationError", "Drift detection is already in progress"),
    ]);
    let detector = wire.session().await.detector();
    assert_eq!(detector.detect_drift("s").await.as_deref(), Ok("d-1"));
    assert!(detector.detect_drift("s").await.is_err());
}
