//! Reading: paging, conversion, classification, attempts, time.

use super::canned::{Canned, Reply, json_error, ok, xml_error};
use crate::aws::reader::{OperationEventsOf, ProductRef, ProductSearch};
use crate::aws::{DeniedBy, Kind};
use crate::clock;
use std::time::Duration;

const DATE: (&str, &str) = ("date", "Sat, 01 Aug 2026 10:00:00 GMT");

#[tokio::test]
async fn a_search_asks_for_the_whole_account_and_looks_again_at_what_it_finds() {
    let wire = Canned::new([
        ok(
            r#"{"ProvisionedProducts":[{"Id":"pp-1","Name":"ted-einstein-2","Status":"AVAILABLE"}],"NextPageToken":"more"}"#,
        ),
        ok(r#"{"ProvisionedProducts":[],"NextPageToken":"more2"}"#),
        ok(
            r#"{"ProvisionedProducts":[{"Id":"pp-2","Name":"ted-einstein","Type":"CFN_STACK","Status":"HALF_CHANGED","PhysicalId":"arn:stack","CreatedTime":1.536221931782E9,"StatusMessage":"a\nb","Tags":[{"Key":"k","Value":"v"}]}]}"#,
        ),
    ]);
    let search = ProductSearch::One(ProductRef::Name("ted-einstein".to_owned()));
    let found = wire.session().await.reader().search_provisioned_products(&search).await.unwrap();
    assert_eq!(found.len(), 1, "AWS's search may match parts");
    assert_eq!(found[0].id, "pp-2");
    assert_eq!(
        found[0].status.as_deref(),
        Some("HALF_CHANGED"),
        "an unknown status is kept as it is"
    );
    assert_eq!(found[0].status_message.as_deref(), Some("a b"));
    assert_eq!(found[0].created_at.unwrap().to_string(), "2018-09-06T08:18:51.782Z");
    assert_eq!(found[0].tags["k"], "v");
    let asked = wire.asked();
    assert_eq!(asked.len(), 3, "an empty page is no end");
    let body: serde_json::Value = serde_json::from_str(&asked[2].body).unwrap();
    assert_eq!(body["AccessLevelFilter"], serde_json::json!({"Key": "Account", "Value": "self"}));
    assert_eq!(body["Filters"]["SearchQuery"][0], "name:ted-einstein");
    assert_eq!((&body["PageToken"], &body["PageSize"]), (&"more2".into(), &100.into()));
}

#[tokio::test]
async fn a_record_has_the_outputs_of_all_its_pages() {
    let record = |status: &str, outputs: &str, token: &str| {
        ok(&format!(
            r#"{{"RecordDetail":{{"RecordId":"rec-1","Status":"{status}","RecordErrors":[{{"Code":"7","Description":"no"}}]}},"RecordOutputs":[{outputs}]{token}}}"#
        ))
    };
    let wire = Canned::new([
        record(
            "IN_PROGRESS",
            r#"{"OutputKey":"CloudformationStackARN","OutputValue":"arn"}"#,
            r#","NextPageToken":"t""#,
        ),
        record("SUCCEEDED", r#"{"OutputKey":"ReleaseVersion","OutputValue":"1.44.0"}"#, ""),
    ]);
    let detail = wire.session().await.reader().record("rec-1").await.unwrap();
    assert_eq!(detail.record.status.as_deref(), Some("SUCCEEDED"), "the freshest look");
    assert_eq!(detail.record.errors[0].description.as_deref(), Some("no"));
    let keys: Vec<_> = detail.outputs.iter().map(|output| output.key.as_str()).collect();
    assert_eq!(keys, ["CloudformationStackARN", "ReleaseVersion"]);
}

#[tokio::test]
async fn history_stops_when_there_is_enough() {
    let wire = Canned::new([ok(
        r#"{"RecordDetails":[{"RecordId":"a"},{"RecordId":"b"}],"NextPageToken":"t"}"#,
    )]);
    let history = wire.session().await.reader().record_history("pp-1", 2).await.unwrap();
    assert_eq!(history.len(), 2);
    let body: serde_json::Value = serde_json::from_str(&wire.asked()[0].body).unwrap();
    assert_eq!(body["AccessLevelFilter"]["Key"], "Account", "the default shows only one's own");
    assert_eq!(
        body["SearchFilter"],
        serde_json::json!({"Key": "provisionedproduct", "Value": "pp-1"})
    );
}

#[tokio::test]
async fn parameters_keep_empty_and_missing_defaults_apart_and_hide_secrets() {
    let wire = Canned::new([ok(
        r#"{"ProvisioningArtifactDetail":{"Id":"pa-1","Active":true},"Status":"AVAILABLE","ProvisioningArtifactParameters":[
            {"ParameterKey":"A","DefaultValue":"","IsNoEcho":false,"ParameterConstraints":{"AllowedValues":["redis","valkey"],"MaxLength":"5"}},
            {"ParameterKey":"B","IsNoEcho":false},{"ParameterKey":"C","DefaultValue":"hunter2","IsNoEcho":true}]}"#,
    )]);
    let version = wire.session().await.reader().artifact("prod-1", "pa-1").await.unwrap();
    let defaults: Vec<_> = version.parameters.iter().map(|p| p.default.as_deref()).collect();
    assert_eq!(defaults, [Some(""), None, Some("****")]);
    assert_eq!(version.parameters[0].allowed_values, ["redis", "valkey"]);
    assert_eq!(version.parameters[0].max_length.as_deref(), Some("5"));
    assert!(wire.asked()[0].body.contains(r#""IncludeProvisioningArtifactParameters":true"#));
}

#[tokio::test]
async fn a_missing_stack_is_an_answer_and_a_missing_product_is_not() {
    let wire = Canned::new([
        xml_error(400, "ValidationError", "Stack with id SC-1 does not exist"),
        json_error(400, "ResourceNotFoundException", "pp-1 does not exist or access was denied"),
    ]);
    let reader = wire.session().await.reader();
    assert_eq!(reader.stack("SC-1").await, Ok(None));
    let error = reader.provisioned_product(&ProductRef::Id("pp-1".to_owned())).await.unwrap_err();
    assert_eq!(error.kind, Kind::NotFoundOrDenied);
    assert_eq!(error.request_id.as_deref(), Some("req-1"));
}

#[tokio::test]
async fn a_stack_is_read_from_xml() {
    let wire = Canned::new([ok(
        "<DescribeStacksResponse><DescribeStacksResult><Stacks><member><StackId>arn:root</StackId><StackName>SC-1</StackName>
         <StackStatus>UPDATE_COMPLETE</StackStatus><CreationTime>2026-08-01T10:00:00.500Z</CreationTime><NotificationARNs/>
         <Parameters><member><ParameterKey>P</ParameterKey><ParameterValue>/ssm</ParameterValue><ResolvedValue>v</ResolvedValue></member></Parameters>
         <LastOperations><member><OperationType>UPDATE_STACK</OperationType><OperationId>op-1</OperationId></member></LastOperations>
         </member></Stacks></DescribeStacksResult></DescribeStacksResponse>",
    )]);
    let stack = wire.session().await.reader().stack("SC-1").await.unwrap().unwrap();
    assert_eq!((stack.id.as_str(), stack.status.as_deref()), ("arn:root", Some("UPDATE_COMPLETE")));
    assert_eq!(stack.parameters[0].resolved_value.as_deref(), Some("v"));
    assert_eq!(stack.last_operations[0].id, "op-1");
    assert_eq!(stack.created_at.unwrap().to_string(), "2026-08-01T10:00:00.5Z");
    assert_eq!((stack.parent_id, stack.updated_at), (None, None));
}

fn events(times: &[&str], token: &str) -> Reply {
    let member = |time: &&str| {
        format!(
            "<member><EventId>{time}</EventId><StackId>s</StackId><StackName>s</StackName><Timestamp>{time}</Timestamp><ResourceProperties>secret</ResourceProperties></member>"
        )
    };
    let members = times.iter().map(member).collect::<Vec<_>>().concat();
    ok(&format!(
        "<DescribeStackEventsResponse><DescribeStackEventsResult><StackEvents>{members}</StackEvents>{token}</DescribeStackEventsResult></DescribeStackEventsResponse>"
    ))
}

#[tokio::test]
async fn events_are_read_back_to_a_time_and_no_further() {
    let (t3, t2, t1) = ("2026-08-01T10:03:00Z", "2026-08-01T10:02:00Z", "2026-08-01T10:01:00Z");
    let more = "<NextToken>t</NextToken>";
    let from = Some("2026-08-01T10:02:00Z".parse().unwrap());
    let rows = [
        (
            vec![events(&[t3], more), events(&[t2, t1], more)],
            from,
            10,
            2,
            true,
            "stops at the first that is older",
        ),
        (vec![events(&[t3, t2], more)], None, 1, 1, false, "stops at the limit, and says so"),
        (vec![events(&[t3], more), events(&[t2], "")], None, 10, 2, true, "reads to the end"),
        (vec![events(&[t1], more)], from, 10, 0, true, "nothing since then"),
    ];
    for (replies, not_before, limit, count, complete, why) in rows {
        let wire = Canned::new(replies);
        let read = wire
            .session()
            .await
            .reader()
            .stack_events("s", not_before, limit)
            .await
            .unwrap()
            .unwrap();
        assert_eq!((read.events.len(), read.complete), (count, complete), "{why}");
        assert!(!format!("{read:?}").contains("secret"), "properties stay out");
    }
}

#[tokio::test]
async fn failed_events_of_an_operation_are_asked_for_by_filter() {
    let wire = Canned::new([ok(
        "<DescribeEventsResponse><DescribeEventsResult><OperationEvents><member><EventId>e</EventId><OperationStatus>FAILED</OperationStatus><EventType>PROVISIONING_ERROR</EventType><ResourceStatusReason>no&#10;way</ResourceStatusReason></member></OperationEvents></DescribeEventsResult></DescribeEventsResponse>",
    )]);
    let of = OperationEventsOf::Operation("op-1".to_owned());
    let found = wire.session().await.reader().operation_events(&of, true).await.unwrap().unwrap();
    assert_eq!(found[0].event_kind.as_deref(), Some("PROVISIONING_ERROR"));
    assert_eq!(found[0].reason.as_deref(), Some("no way"));
    let body = &wire.asked()[0].body;
    assert!(
        body.contains("OperationId=op-1") && body.contains("Filters.FailedEvents=true"),
        "{body}"
    );
    assert!(!body.contains("StackName"), "one of the two");
}

#[tokio::test]
async fn cache_and_database_are_read_with_what_is_pending() {
    let wire = Canned::new([
        ok("<R><DescribeReplicationGroupsResult><ReplicationGroups><ReplicationGroup><ReplicationGroupId>g</ReplicationGroupId><Status>available</Status><Engine>valkey</Engine><MemberClusters><ClusterId>g-001</ClusterId></MemberClusters><PendingModifiedValues><PrimaryClusterId>g-001</PrimaryClusterId></PendingModifiedValues></ReplicationGroup></ReplicationGroups></DescribeReplicationGroupsResult></R>".replace("<R>", "<DescribeReplicationGroupsResponse>").replace("</R>", "</DescribeReplicationGroupsResponse>").as_str()),
        ok("<DescribeDBInstancesResponse><DescribeDBInstancesResult><DBInstances><DBInstance><DBInstanceIdentifier>d</DBInstanceIdentifier><AllocatedStorage>200</AllocatedStorage><PendingModifiedValues><MasterUserPassword>****</MasterUserPassword></PendingModifiedValues></DBInstance></DBInstances></DescribeDBInstancesResult></DescribeDBInstancesResponse>"),
        xml_error(404, "DBInstanceNotFound", "DBInstance d not found."),
    ]);
    let reader = wire.session().await.reader();
    let group = reader.replication_group("g").await.unwrap().unwrap();
    assert_eq!(
        (group.engine.as_deref(), group.members, group.pending),
        (Some("valkey"), vec!["g-001".to_owned()], vec!["PrimaryClusterId".to_owned()])
    );
    let database = reader.db_instance("d").await.unwrap().unwrap();
    assert_eq!(
        (database.storage.allocated_gib, database.pending),
        (Some(200), None),
        "a pending password is nothing to wait for"
    );
    assert_eq!(reader.db_instance("d").await, Ok(None));
}

#[tokio::test]
async fn triggers_functions_and_queues_are_read() {
    let wire = Canned::new([
        ok(r#"{"Functions":[{"FunctionName":"turbot_5_39_12_worker"}],"NextMarker":"m"}"#),
        ok(r#"{"Functions":[{"FunctionName":"other"}]}"#),
        ok(r#"{"EventSourceMappings":[{"UUID":"u","State":"Sleeping","LastModified":1.7859E9}]}"#),
        Reply::Http(
            404,
            vec![("x-amzn-errortype", "ResourceNotFoundException:http://x")],
            r#"{"Message":"gone"}"#.to_owned(),
        ),
        ok(r#"{"Tags":{"a":"b"}}"#),
        ok(
            r#"{"Attributes":{"ApproximateNumberOfMessages":"12","MessageRetentionPeriod":"345600"}}"#,
        ),
    ]);
    let reader = wire.session().await.reader();
    assert_eq!(reader.functions().await.unwrap().len(), 2);
    let mappings = reader.mappings_of("turbot_5_39_12_worker").await.unwrap();
    assert_eq!(mappings[0].state.as_deref(), Some("Sleeping"), "an unknown state is kept");
    assert_eq!(reader.mapping("u").await, Ok(None));
    let arn = "arn:aws:lambda:us-east-2:1:event-source-mapping:u";
    assert_eq!(reader.tags(arn).await.unwrap().unwrap()["a"], "b");
    let queue = reader.queue("https://sqs.us-east-2.amazonaws.com/1/q").await.unwrap().unwrap();
    assert_eq!(
        (queue.visible, queue.retention_seconds, queue.in_flight),
        (Some(12), Some(345_600), None)
    );
    assert!(wire.asked()[1].uri.contains("Marker=m"));
}

#[tokio::test(start_paused = true)]
async fn a_throttled_read_is_tried_again_and_each_attempt_is_counted() {
    let wire = Canned::new([
        json_error(400, "ThrottlingException", "Rate exceeded"),
        json_error(400, "ThrottlingException", "Rate exceeded"),
        ok(r#"{"ProvisioningArtifactDetails":[]}"#),
    ]);
    let sessions = wire.sessions(crate::aws::SessionsOptions {
        region: Some("us-east-2".to_owned()),
        ..Default::default()
    });
    let reader = sessions.session(&crate::aws::Target::default()).await.unwrap().reader();
    assert_eq!(reader.artifacts("prod-1").await.unwrap(), []);
    let counts: Vec<_> = sessions
        .requests()
        .into_iter()
        .map(|(labels, count)| (labels.operation, labels.outcome, count))
        .collect();
    assert_eq!(
        counts,
        [("ListProvisioningArtifacts", "Ok", 1), ("ListProvisioningArtifacts", "Throttled", 2)]
    );
}

#[tokio::test(start_paused = true)]
async fn some_errors_are_not_worth_a_second_attempt() {
    let denial = "User: arn:aws:iam::1:user/u is not authorized to perform: rds:DescribeDBInstances on resource: * because no identity-based policy allows the rds:DescribeDBInstances action";
    let rows = [
        (json_error(400, "LimitExceededException", "quota"), "a quota"),
        (json_error(400, "InvalidParametersException", "bad"), "a bad request"),
        (json_error(400, "ExpiredTokenException", "expired"), "the same credentials would be sent"),
    ];
    for (reply, why) in rows {
        let wire = Canned::new([reply]);
        assert!(wire.session().await.reader().artifacts("p").await.is_err());
        assert_eq!(wire.asked().len(), 1, "{why}");
    }
    let wire = Canned::new([xml_error(403, "AccessDenied", denial)]);
    let error = wire.session().await.reader().db_instances().await.unwrap_err();
    let Kind::Denied(denial) = &error.kind else { panic!("{error}") };
    assert_eq!(
        (denial.action.as_deref(), denial.by),
        (Some("rds:DescribeDBInstances"), DeniedBy::NoIdentityPolicy)
    );
    assert_eq!(error.request_id.as_deref(), Some("req-2"));
}

#[tokio::test(start_paused = true)]
async fn aws_may_ask_for_a_pause() {
    let busy = Reply::Http(
        429,
        vec![("x-amzn-errortype", "TooManyRequestsException"), ("retry-after", "7")],
        r#"{"Reason":"CallerRateLimitExceeded","message":"Rate Exceeded."}"#.to_owned(),
    );
    let wire = Canned::new([busy, ok(r#"{"Functions":[]}"#)]);
    let session = wire.session().await;
    let start = clock::now();
    session.reader().functions().await.unwrap();
    assert!(start.elapsed() >= Duration::from_secs(7), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_hung_answer_ends_by_the_limits_we_set() {
    let wire = Canned::new([Reply::Hang, Reply::Hang, Reply::Hang, Reply::Hang]);
    let session = wire.session().await;
    let start = clock::now();
    let error = session.reader().db_instances().await.unwrap_err();
    assert_eq!(error.kind, Kind::Transport { may_have_arrived: true });
    assert!(
        start.elapsed() >= Duration::from_secs(20) && start.elapsed() <= Duration::from_secs(66),
        "{:?}",
        start.elapsed()
    );
    assert!(wire.asked().len() >= 2, "a read is tried again");
}

#[tokio::test(start_paused = true)]
async fn a_torn_answer_is_tried_again_and_then_said() {
    let torn = || ok("<DescribeStacksResponse><DescribeSta");
    let wire = Canned::new([torn(), torn(), torn(), torn()]);
    let error = wire.session().await.reader().stack("s").await.unwrap_err();
    assert_eq!((error.kind, wire.asked().len()), (Kind::BadAnswer, 4));
}

#[tokio::test]
async fn aws_time_is_the_newest_date_of_the_answers() {
    let wire = Canned::new([
        Reply::Http(200, vec![DATE], r#"{"Functions":[]}"#.to_owned()),
        Reply::Http(
            200,
            vec![("date", "Sat, 01 Aug 2026 09:59:00 GMT")],
            r#"{"Functions":[]}"#.to_owned(),
        ),
    ]);
    let session = wire.session().await;
    assert_eq!(session.aws_now(), None);
    for _ in 0..2 {
        session.reader().functions().await.unwrap();
        assert_eq!(session.aws_now().unwrap().to_string(), "2026-08-01T10:00:00Z");
    }
}

#[tokio::test(start_paused = true)]
async fn an_error_too_tells_the_time() {
    let wire = Canned::new([Reply::Http(
        404,
        vec![DATE, ("x-amzn-errortype", "ResourceNotFoundException")],
        "{}".to_owned(),
    )]);
    let session = wire.session().await;
    session.reader().mapping("u").await.unwrap();
    assert!(session.aws_now().is_some());
}

#[test]
fn readers_can_be_used_from_any_task() {
    fn is_send<T: Send>(_: T) {}
    let check = |reader: crate::aws::Reader| {
        is_send(async move { reader.record_history("pp", 1).await });
    };
    let check_events = |reader: crate::aws::Reader| {
        is_send(async move { reader.stack_events("s", None, 1).await });
    };
    let _ = (check, check_events);
}
