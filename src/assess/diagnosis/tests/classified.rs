//! Messages as AWS wrote them, where each was met, and what it means; and messages that only look like a cause.

use super::super::{Cause, classify};
use Cause::*;

/// A message, its class, and where it was met.
const MEANT: &[(&str, Cause, &str)] = &[
    (
        "Database instance is not in available state. (Service: Rds, Status Code: 400, Request ID: 3f4bddc5-e656-4ebe-8efe-3b9bdcfac026)",
        DatabaseNotAvailable,
        "Turbot's guide, Database Instance Not in Available State",
    ),
    (
        "DB Instance aurora-writer-w5y3jggfnpsh is in an unsupported state - CONFIGURING_ENHANCED_MONITORING, needs to be in [AVAILABLE, MODIFYING, BACKING_UP, CREATING] (Service: AmazonRDS; Status Code: 400; Error Code: InvalidDBInstanceState; Request ID: 3df0)",
        DatabaseNotAvailable,
        "https://github.com/aws/aws-cdk/issues/31304",
    ),
    (
        "InvalidDBInstanceStateFault: Database instance is not in available state.",
        DatabaseNotAvailable,
        "https://github.com/hashicorp/terraform-provider-aws/issues/31594",
    ),
    (
        "Resource handler returned message: \"Invalid storage size for engine name postgres and storage type gp3: 210 (Service: Rds, Status Code: 400, Request ID: d93b7008-0506-443d-a849-dc1c42b49656)\" (RequestToken: 1, HandlerErrorCode: InvalidRequest)",
        StorageOutOfStep,
        "Turbot's guide, Service Catalog Out of Sync",
    ),
    (
        "Invalid storage size for engine name postgres and storage type gp2: 10 (Service: AmazonRDS; Status Code: 400; Error Code: InvalidParameterCombination; Request ID: xxxf)",
        StorageOutOfStep,
        "https://github.com/convox/rack/issues/2846",
    ),
    (
        "Invalid storage size for engine name mysql and storage type gp2: 21",
        StorageOutOfStep,
        "https://github.com/aws-cloudformation/cloudformation-coverage-roadmap/issues/1312",
    ),
    (
        "Invalid max storage size for engine name postgres and storage type gp2: 20",
        StorageOutOfStep,
        "its sister text in RDS",
    ),
    (
        "Resource handler returned message: \"You can't currently modify the storage of this DB instance. Try again after approximately 1 hours. (Service: Rds, Status Code: 400, Request ID: 204c)\" (RequestToken: c075, HandlerErrorCode: InvalidRequest)",
        StorageCooldown,
        "Turbot's guide, Service Catalog Out of Sync",
    ),
    (
        "You can't currently modify the storage of this DB instance because the previous storage change is being optimized. (Service: Rds, Status Code: 400, Request ID: 47f8)",
        StorageCooldown,
        "https://github.com/aws/aws-cdk/issues/29916",
    ),
    (
        "You can\u{2019}t currently modify the storage of this DB instance.",
        StorageCooldown,
        "the same with a turned apostrophe",
    ),
    (
        "InvalidReplicationGroupState: Replication group must be in available state to modify.",
        CacheNotAvailable,
        "https://github.com/umotif-public/terraform-aws-elasticache-redis/issues/54",
    ),
    (
        "api error InvalidReplicationGroupState: Cluster not in available state to perform tagging operations.",
        CacheNotAvailable,
        "https://github.com/hashicorp/terraform-provider-aws/issues/41416",
    ),
    (
        "API: ec2:deleteTags You are not authorized to perform this operation. Encoded authorization failure message: ab12",
        PermissionDenied,
        "https://github.com/convox/rack/issues/2142",
    ),
    (
        "API: cloudFormation User: arn:aws:sts::123:assumed-role/cdk-hnb659fds-cfn-exec-role-123-us-east-1/AWSCloudFormation is not authorized to perform: cloudformation:UpdateStack on resource: arn:aws:cloudformation:us-east-1:123:stack/dataall/",
        PermissionDenied,
        "https://github.com/data-dot-all/dataall/issues/1031",
    ),
    (
        "Resource handler returned message: \"null (Service: Ssm; Status Code: 400; Error Code: AccessDeniedException)\"",
        PermissionDenied,
        "https://github.com/aws-amplify/amplify-cli/issues/8895",
    ),
    (
        "Resource handler returned message: \"Encountered a permissions error performing a tagging operation, please add required tag permissions. See https://repost.aws/knowledge-center/cloudformation-tagging-permission-error for how to resolve.\" (HandlerErrorCode: UnauthorizedTaggingOperation)",
        PermissionDenied,
        "https://github.com/aws-samples/cloudfront-authorization-at-edge/issues/260",
    ),
    (
        "User with accountId: 111111111111 is not authorized to perform CreateLogGroup with Tags. An additional permission \"logs:TagResource\" is required. (Service: CloudWatchLogs, Status Code: 400)",
        PermissionDenied,
        "https://github.com/DataDog/cloudformation-template/pull/61",
    ),
    (
        "S3 error: Access Denied For more information check http://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html",
        PermissionDenied,
        "https://github.com/awslabs/sagemaker-explaining-credit-decisions/issues/1",
    ),
    (
        "API: iam:CreateRole User: arn:aws:sts::1:assumed-role/r/j is not authorized to perform: iam:CreateRole on resource: arn:aws:iam::1:role/x with an explicit deny",
        PermissionDenied,
        "https://github.com/kubernetes-sigs/cluster-api-provider-aws/issues/2117",
    ),
    (
        "ExpiredToken: The security token included in the request is expired",
        CredentialsExpired,
        "https://github.com/mapbox/ecs-watchbot/issues/61",
    ),
    (
        "AmazonCloudFormationException Stack:arn:aws:cloudformation:ap-southeast-1:414159720817:stack/amplify-x/a51b is in UPDATE_ROLLBACK_FAILED state and can not be updated.",
        StackNotUpdatable,
        "https://github.com/aws-amplify/amplify-cli/issues/8009",
    ),
    (
        "Stack:arn:aws:cloudformation:eu-west-2:613903586696:stack/intranet-prod/d58a is in UPDATE_ROLLBACK_IN_PROGRESS state and can not be updated.",
        StackNotUpdatable,
        "https://github.com/ministryofjustice/cloud-platform/issues/487",
    ),
    (
        "AmazonCloudFormationException No updates are to be performed.",
        NothingToChange,
        "https://github.com/awslabs/aws-service-catalog-puppet/pull/64",
    ),
    (
        "The submitted information didn't contain changes. Submit different information to create a change set.",
        NothingToChange,
        "https://github.com/awslabs/aws-service-catalog-puppet/issues/241",
    ),
    (
        "Request limit exceeded. (Service: AmazonEC2; Status Code: 503; Error Code: RequestLimitExceeded)",
        ServiceTrouble,
        "https://github.com/cloudfoundry/bosh-aws-cpi-release/issues/61 (a limit, but no quota to raise)",
    ),
    (
        "Rate exceeded (Service: Lambda, Status Code: 429)",
        ServiceTrouble,
        "https://github.com/aws-cloudformation/aws-cloudformation-resource-providers-rds/pull/610",
    ),
    (
        "InsufficientCacheClusterCapacity: cache.m6g.large is not available in eu-west-2a",
        ServiceTrouble,
        "https://github.com/ministryofjustice/cloud-platform/pull/8304",
    ),
    (
        "StorageQuotaExceeded: The allocated storage quota for this account has been exceeded",
        Quota,
        "https://github.com/ministryofjustice/cloud-platform/issues/6424",
    ),
    (
        "CacheSubnetGroupQuotaExceeded: Quota for subnet groups per customer is exceeded",
        Quota,
        "https://github.com/ministryofjustice/cloud-platform/issues/8455",
    ),
    (
        "Replication group must have at least one read replica to enable autofailover.",
        ValueNotAllowed,
        "https://github.com/aws-cloudformation/cloudformation-coverage-roadmap/issues/1275",
    ),
    (
        "InvalidParameterCombination: When using automatic failover, there must be at least 2 cache clusters in the replication group.",
        ValueNotAllowed,
        "https://github.com/ministryofjustice/cloud-platform-environments/pull/5719",
    ),
    (
        "Replication Group [abc] is a member of Global Replication Group [xyz], hence NodeType property cannot be modified.Current value = [cache.m6g.large], Desired value = [cache.m6g.xlarge]",
        ValueNotAllowed,
        "https://github.com/aws-cloudformation/cloudformation-coverage-roadmap/issues/1965",
    ),
    (
        "Expected a parameter group of family valkey8 but found one of family valkey7 (Service: AmazonElastiCache; Status Code: 400; Error Code: InvalidParameterCombination",
        ValueNotAllowed,
        "https://github.com/aws-samples/dify-self-hosted-on-aws/issues/24",
    ),
    (
        "InvalidParameterCombination: Cannot upgrade postgres from 14.3 to 14.2",
        ValueNotAllowed,
        "https://github.com/ministryofjustice/cloud-platform-environments/pull/8659",
    ),
    (
        "Error modifying DB Instance: InvalidParameterCombination: Invalid iops value for engine name postgres and storage type gp2: 4000 (Error Code: InvalidParameterCombination)",
        ValueNotAllowed,
        "https://github.com/hashicorp/terraform-provider-aws/issues/9667",
    ),
    (
        "CloudFormation cannot update a stack when a custom-named resource requires replacing. Rename x and update the stack again.",
        ValueNotAllowed,
        "https://github.com/code-dot-org/code-dot-org/issues/68976",
    ),
    (
        "ValidationError: Parameter 'DBInstanceClass' must be one of AllowedValues",
        ValueNotAllowed,
        "https://github.com/awslabs/aws-servicebroker/issues/167",
    ),
    (
        "Invalid input for parameter key HiveName. Cannot specify usePreviousValue as true for a parameter key not in the previous template",
        ValueNotAllowed,
        "https://github.com/aws/aws-cli/issues/2599",
    ),
    (
        "Parameters: [DatabaseStatementLogging] do not exist in the template",
        ValueNotAllowed,
        "https://github.com/awslabs/aws-service-catalog-puppet/issues/62",
    ),
    (
        "Resource handler returned message: \"The role with name LambdaStartDeployRole cannot be found. (Service: Iam, Status Code: 404, Request ID: 3fa4)\" (RequestToken: 102d, HandlerErrorCode: NotFound)",
        ResourceMissing,
        "https://github.com/awslabs/stable-diffusion-aws-extension/issues/233",
    ),
    (
        "ReplicationGroup einstein-cache not found. (HandlerErrorCode: NotFound)",
        ResourceMissing,
        "CloudFormation CLI user guide, handler error codes",
    ),
    ("DBSubnetGroup 'x' does not exist.", ResourceMissing, "something it refers to"),
];

/// A message that must stay unclassed, and why.
const NOT_MEANT: &[(&str, &str)] = &[
    ("", "nothing to tell it by"),
    ("Resource update cancelled", "an echo"),
    (
        "Embedded stack arn:aws:cloudformation:xx:stack/amplify-xxxxx was not successfully updated. Currently in UPDATE_ROLLBACK_IN_PROGRESS with reason: The following resource(s) failed to update: [UploadPolicy].",
        "an echo: https://github.com/awslabs/amplify-video/issues/216",
    ),
    (
        "The following resource(s) failed to update: [AccessDeniedAlarm, StorageQuotaExceededTopic].",
        "resources that are called so",
    ),
    (
        "turbot-AccessDenied-count already exists in stack arn:aws:cloudformation:us-east-1:1:stack/x",
        "a name, and somebody else's resource",
    ),
    (
        "Resource of type 'AWS::IAM::Role' with identifier 'LambdaStartDeployRole' already exists. (RequestToken: fb43, HandlerErrorCode: AlreadyExists)",
        "the same: https://github.com/awslabs/stable-diffusion-aws-extension/issues/233",
    ),
    (
        "Internal Failure",
        "it need not pass: https://github.com/aws/aws-cdk/issues/6542, and for the same database https://github.com/aws-cloudformation/cloudformation-coverage-roadmap/issues/373",
    ),
    (
        "Internal error reported by downstream service during operation 'modify_cache'.",
        "Turbot's own step, whatever it was",
    ),
    (
        "Cannot change the engine from valkey to redis",
        "only together with a cache that runs Valkey",
    ),
    (
        "Custom Resource failed to stabilize in expected time. If you are using the Python cfn-response module, you may need to update your Lambda function code",
        "stabilisation says nothing of why: https://github.com/netscaler/citrix-adc-aws-cloudformation/issues/24",
    ),
    (
        "Resource of type 'AWS::RDS::DBInstance' with identifier 'x' did not stabilize. (HandlerErrorCode: NotStabilized)",
        "the same: https://github.com/aws-cloudformation/cloudformation-cli-java-plugin/pull/363",
    ),
    (
        "Failed to scale down to cache node type Replication Group [myreplicationgroup] because the node has insufficient memory. Please select a different node type or reduce current memory usage and retry",
        "ElastiCache's own event; a person has to choose: https://github.com/aws-cloudformation/cloudformation-coverage-roadmap/issues/2273",
    ),
    (
        "InvalidCacheParameterGroupState: One or more cache clusters are still members of this parameter group pfdev, so the group cannot be deleted.",
        "no state that passes: https://github.com/umotif-public/terraform-aws-elasticache-redis/issues/49",
    ),
    (
        "The specified DB Instance is a member of a cluster. Modify the DB engine version for the DB Cluster using the ModifyDbCluster API (HandlerErrorCode: InvalidRequest)",
        "InvalidRequest alone names no parameter: https://github.com/aws/aws-cdk/issues/22180",
    ),
    (
        "Requires capabilities : [CAPABILITY_NAMED_IAM]",
        "no right of IAM's: https://github.com/boozallen/devsecops-example-helloworld/issues/1",
    ),
    (
        "Resource handler returned message: \"DB instance is storage-full\" (HandlerErrorCode: GeneralServiceException)",
        "a full disk is not a size out of step",
    ),
    ("The available state of this quota page", "words alone"),
    ("Hook accessdenied: see the (accessdenied2) page", "no code that there is"),
];

#[test]
fn messages_of_aws_are_classed_by_what_they_mean() {
    for (message, cause, source) in MEANT {
        assert_eq!(classify(message), *cause, "{source}: {message}");
    }
    for cause in Cause::ALL {
        let by_text = !matches!(cause, Unknown | PastTheDoor | Cancelled);
        let met = MEANT.iter().any(|(_, meant, _)| *meant == cause);
        assert_eq!(met, by_text, "{cause}");
    }
}

#[test]
fn messages_that_only_look_like_a_cause_are_not_classed() {
    for (message, why) in NOT_MEANT {
        assert_eq!(classify(message), Unknown, "{why}: {message}");
    }
}
