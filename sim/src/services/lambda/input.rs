//! The input members of the operations, as botocore's model of the API version 2015-03-31 has them.

use crate::spec::{Member, Shape, TEXT, list, opt, pattern, req, text};

const FUNCTION_NAME: Shape = pattern(
    1,
    256,
    r"(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:)?(\d{12}:)?(function:)?([a-zA-Z0-9-_\.]+)(:(\$LATEST(\.PUBLISHED)?|[a-zA-Z0-9-_]+))?",
);
const ARN: Shape = pattern(
    0,
    10_000,
    r"arn:(aws[a-zA-Z0-9-]*):([a-zA-Z0-9\-])+:((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1})?:(\d{12})?:(.*)",
);
const TAGGABLE: Shape = pattern(
    1,
    10_000,
    r"arn:(aws[a-zA-Z-]*):lambda:(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:\d{12}:(function:[a-zA-Z0-9-_]+(:(\$LATEST|[a-zA-Z0-9-_]+))?|code-signing-config:csc-[a-z0-9]{17}|event-source-mapping:[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}|(capacity-provider|network-connector):[a-zA-Z0-9-_]{1,64})",
);
const DESTINATION: Shape = pattern(
    0,
    350,
    r"$|kafka://([^.]([a-zA-Z0-9\-_.]{0,248}))|arn:(aws[a-zA-Z0-9-]*):([a-zA-Z0-9\-])+:((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1})?:(\d{12})?:(.*)",
);
const URI: Shape = pattern(1, 200, r"[ a-zA-Z0-9-\/*:_+=.@-]*");

static FILTER: [Member; 1] = [opt("Pattern", pattern(0, 4096, r"[\s\S]*"))];

static FILTER_CRITERIA: [Member; 1] = [opt("Filters", list(&Shape::Struct(&FILTER)))];

static EVENT_SOURCE_MAPPING_METRICS_CONFIG: [Member; 1] = [opt(
    "Metrics",
    Shape::List {
        item: &Shape::Enum(&["EventCount", "ErrorCount", "KafkaMetrics"]),
        name: "member",
        max: 3,
    },
)];

static EVENT_SOURCE_MAPPING_LOGGING_CONFIG: [Member; 1] =
    [opt("SystemLogLevel", Shape::Enum(&["DEBUG", "INFO", "WARN"]))];

static SCALING_CONFIG: [Member; 1] = [opt("MaximumConcurrency", Shape::Int { min: 2, max: 1000 })];

static TARGET: [Member; 1] = [opt("Destination", DESTINATION)];

static DESTINATION_CONFIG: [Member; 2] =
    [opt("OnSuccess", Shape::Struct(&TARGET)), opt("OnFailure", Shape::Struct(&TARGET))];

static SOURCE_ACCESS_CONFIGURATION: [Member; 2] = [
    opt(
        "Type",
        Shape::Enum(&[
            "BASIC_AUTH",
            "VPC_SUBNET",
            "VPC_SECURITY_GROUP",
            "SASL_SCRAM_512_AUTH",
            "SASL_SCRAM_256_AUTH",
            "VIRTUAL_HOST",
            "CLIENT_CERTIFICATE_TLS_AUTH",
            "SERVER_ROOT_CA_CERTIFICATE",
            "OAUTHBEARER_AUTH",
            "OAUTHBEARER_SCOPE",
            "OAUTHBEARER_AUDIENCE",
            "OAUTHBEARER_LOGICAL_CLUSTER",
            "OAUTHBEARER_IDENTITY_POOL",
            "IAM_AUTH",
            "IAM_OAUTHBEARER_AUTH",
        ]),
    ),
    opt("URI", URI),
];

static KAFKA_SCHEMA_REGISTRY_ACCESS_CONFIG: [Member; 2] = [
    opt(
        "Type",
        Shape::Enum(&[
            "BASIC_AUTH",
            "CLIENT_CERTIFICATE_TLS_AUTH",
            "SERVER_ROOT_CA_CERTIFICATE",
            "OAUTHBEARER_AUTH",
        ]),
    ),
    opt("URI", ARN),
];

static KAFKA_SCHEMA_VALIDATION_CONFIG: [Member; 1] =
    [opt("Attribute", Shape::Enum(&["KEY", "VALUE"]))];

static KAFKA_SCHEMA_REGISTRY_CONFIG: [Member; 4] = [
    opt("SchemaRegistryURI", pattern(1, 10_000, r"[a-zA-Z0-9-\/*:_+=.@-]*")),
    opt("EventRecordFormat", Shape::Enum(&["JSON", "SOURCE"])),
    opt("AccessConfigs", list(&Shape::Struct(&KAFKA_SCHEMA_REGISTRY_ACCESS_CONFIG))),
    opt("SchemaValidationConfigs", list(&Shape::Struct(&KAFKA_SCHEMA_VALIDATION_CONFIG))),
];

static AMAZON_MANAGED_KAFKA_EVENT_SOURCE_CONFIG: [Member; 2] = [
    opt("ConsumerGroupId", URI),
    opt("SchemaRegistryConfig", Shape::Struct(&KAFKA_SCHEMA_REGISTRY_CONFIG)),
];

static SELF_MANAGED_KAFKA_EVENT_SOURCE_CONFIG: [Member; 3] = [
    opt("ConsumerGroupId", URI),
    opt("SchemaRegistryConfig", Shape::Struct(&KAFKA_SCHEMA_REGISTRY_CONFIG)),
    opt("ConsumptionMode", Shape::Enum(&["Stream", "Queue"])),
];

static DOCUMENT_DB_EVENT_SOURCE_CONFIG: [Member; 3] = [
    opt("DatabaseName", pattern(1, 63, r"[^ /\.$\x22]*")),
    opt("CollectionName", pattern(1, 57, r"(^(?!(system\x2e)))(^[_a-zA-Z0-9])([^$]*)")),
    opt("FullDocument", Shape::Enum(&["UpdateLookup", "Default"])),
];

static PROVISIONED_POLLER_CONFIG: [Member; 3] = [
    opt("MinimumPollers", Shape::Int { min: 1, max: 200 }),
    opt("MaximumPollers", Shape::Int { min: 1, max: 10_000 }),
    opt("PollerGroupName", pattern(0, 128, r"[a-zA-Z0-9-_]*")),
];

pub(super) static UPDATE_EVENT_SOURCE_MAPPING: [Member; 22] = [
    req("UUID", text(36, 36)),
    opt("FunctionName", FUNCTION_NAME),
    opt("Enabled", Shape::Bool),
    opt("BatchSize", Shape::Int { min: 1, max: 10_000 }),
    opt("FilterCriteria", Shape::Struct(&FILTER_CRITERIA)),
    opt("KMSKeyArn", pattern(0, 10_000, r"(arn:(aws[a-zA-Z-]*)?:[a-z0-9-.]+:.*)|()")),
    opt("MetricsConfig", Shape::Struct(&EVENT_SOURCE_MAPPING_METRICS_CONFIG)),
    opt("LoggingConfig", Shape::Struct(&EVENT_SOURCE_MAPPING_LOGGING_CONFIG)),
    opt("ScalingConfig", Shape::Struct(&SCALING_CONFIG)),
    opt("MaximumBatchingWindowInSeconds", Shape::Int { min: 0, max: 300 }),
    opt("ParallelizationFactor", Shape::Int { min: 1, max: 10 }),
    opt("DestinationConfig", Shape::Struct(&DESTINATION_CONFIG)),
    opt("MaximumRecordAgeInSeconds", Shape::Int { min: -1, max: 604_800 }),
    opt("BisectBatchOnFunctionError", Shape::Bool),
    opt("MaximumRetryAttempts", Shape::Int { min: -1, max: 10_000 }),
    opt("TumblingWindowInSeconds", Shape::Int { min: 0, max: 900 }),
    opt(
        "SourceAccessConfigurations",
        Shape::List { item: &Shape::Struct(&SOURCE_ACCESS_CONFIGURATION), name: "member", max: 23 },
    ),
    opt(
        "FunctionResponseTypes",
        Shape::List { item: &Shape::Enum(&["ReportBatchItemFailures"]), name: "member", max: 1 },
    ),
    opt(
        "AmazonManagedKafkaEventSourceConfig",
        Shape::Struct(&AMAZON_MANAGED_KAFKA_EVENT_SOURCE_CONFIG),
    ),
    opt(
        "SelfManagedKafkaEventSourceConfig",
        Shape::Struct(&SELF_MANAGED_KAFKA_EVENT_SOURCE_CONFIG),
    ),
    opt("DocumentDBEventSourceConfig", Shape::Struct(&DOCUMENT_DB_EVENT_SOURCE_CONFIG)),
    opt("ProvisionedPollerConfig", Shape::Struct(&PROVISIONED_POLLER_CONFIG)),
];

pub(super) static LIST_FUNCTIONS: [Member; 4] = [
    opt(
        "MasterRegion",
        pattern(1, 50, r"ALL|(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}"),
    ),
    opt("FunctionVersion", Shape::Enum(&["ALL"])),
    opt("Marker", TEXT),
    opt("MaxItems", Shape::Int { min: 1, max: 10_000 }),
];

pub(super) static GET_FUNCTION_CONFIGURATION: [Member; 2] = [
    req("FunctionName", FUNCTION_NAME),
    opt("Qualifier", pattern(1, 128, r"\$(LATEST(\.PUBLISHED)?)|[a-zA-Z0-9-_$]+")),
];

pub(super) static LIST_EVENT_SOURCE_MAPPINGS: [Member; 4] = [
    opt("EventSourceArn", ARN),
    opt("FunctionName", FUNCTION_NAME),
    opt("Marker", TEXT),
    opt("MaxItems", Shape::Int { min: 1, max: 10_000 }),
];

pub(super) static GET_EVENT_SOURCE_MAPPING: [Member; 1] = [req("UUID", text(36, 36))];

pub(super) static LIST_TAGS: [Member; 1] = [req("Resource", TAGGABLE)];

pub(super) static TAG_RESOURCE: [Member; 2] = [
    req("Resource", TAGGABLE),
    req("Tags", Shape::Map(&pattern(0, 256, r"([\p{L}\p{Z}\p{N}_.:/=+\-@]*)"))),
];

pub(super) static UNTAG_RESOURCE: [Member; 2] = [
    req("Resource", TAGGABLE),
    req("TagKeys", list(&pattern(1, 128, r"([\p{L}\p{Z}\p{N}_.:/=+\-@]*)"))),
];
