//! The input members of every operation, with the limits of the API reference (botocore model `servicecatalog`, 2015-12-10).

use crate::spec::{Member, Shape, TEXT, list, opt, pattern, req, text};

const ID: Shape = pattern(1, 100, r"^[a-zA-Z0-9_\-]*");
const PRODUCT_NAME: Shape = text(0, 8191);
const ARTIFACT_NAME: Shape = text(0, 8192);
const PATH_NAME: Shape = text(1, 100);
const PROVISIONED_NAME: Shape = pattern(1, 128, "[a-zA-Z0-9][a-zA-Z0-9._-]*");
const PROVISIONED_NAME_OR_ARN: Shape = pattern(
    1,
    1224,
    r"[a-zA-Z0-9][a-zA-Z0-9._-]{0,127}|arn:[a-z0-9-\.]{1,63}:[a-z0-9-\.]{0,63}:[a-z0-9-\.]{0,63}:[a-z0-9-\.]{0,63}:[^/].{0,1023}",
);
const UPDATE_TOKEN: Shape = pattern(1, 128, "[a-zA-Z0-9][a-zA-Z0-9_-]*");
const TAG_KEY: Shape = pattern(1, 128, r"^([\p{L}\p{Z}\p{N}_.:/=+\-@]*)$");
const TAG_VALUE: Shape = pattern(1, 256, r"^([\p{L}\p{Z}\p{N}_.:/=+\-@]*)$");
const COUNT: Shape = Shape::Int { min: 0, max: i64::MAX };

const LANGUAGE: Member = opt("AcceptLanguage", text(0, 100));
const PAGE_TOKEN: Member =
    opt("PageToken", pattern(0, 2024, r"[\u0009\u000a\u000d\u0020-\uD7FF\uE000-\uFFFD]*"));
const PAGE_OF_20: Member = opt("PageSize", Shape::Int { min: 0, max: 20 });
const PAGE_OF_100: Member = opt("PageSize", Shape::Int { min: 0, max: 100 });
const SORT_ORDER: Member = opt("SortOrder", Shape::Enum(&["ASCENDING", "DESCENDING"]));
const ACCESS_LEVEL: Member = opt(
    "AccessLevelFilter",
    Shape::Struct(&[opt("Key", Shape::Enum(&["Account", "Role", "User"])), opt("Value", TEXT)]),
);
const FILTERS: Member = opt("Filters", Shape::Map(&list(&TEXT)));

pub(super) const SEARCH_PROVISIONED_PRODUCTS: &[Member] =
    &[LANGUAGE, ACCESS_LEVEL, FILTERS, opt("SortBy", TEXT), SORT_ORDER, PAGE_OF_100, PAGE_TOKEN];

pub(super) const SCAN_PROVISIONED_PRODUCTS: &[Member] =
    &[LANGUAGE, ACCESS_LEVEL, PAGE_OF_20, PAGE_TOKEN];

pub(super) const DESCRIBE_PROVISIONED_PRODUCT: &[Member] =
    &[LANGUAGE, opt("Id", ID), opt("Name", PROVISIONED_NAME)];

pub(super) const SEARCH_PRODUCTS: &[Member] = &[
    LANGUAGE,
    FILTERS,
    PAGE_OF_100,
    opt("SortBy", Shape::Enum(&["Title", "VersionCount", "CreationDate"])),
    SORT_ORDER,
    PAGE_TOKEN,
];

pub(super) const DESCRIBE_PRODUCT: &[Member] =
    &[LANGUAGE, opt("Id", ID), opt("Name", PRODUCT_NAME)];

pub(super) const DESCRIBE_PRODUCT_AS_ADMIN: &[Member] =
    &[LANGUAGE, opt("Id", ID), opt("Name", PRODUCT_NAME), opt("SourcePortfolioId", ID)];

pub(super) const LIST_LAUNCH_PATHS: &[Member] =
    &[LANGUAGE, req("ProductId", ID), PAGE_OF_20, PAGE_TOKEN];

pub(super) const LIST_PROVISIONING_ARTIFACTS: &[Member] = &[LANGUAGE, req("ProductId", ID)];

pub(super) const DESCRIBE_PROVISIONING_ARTIFACT: &[Member] = &[
    LANGUAGE,
    opt("ProvisioningArtifactId", ID),
    opt("ProductId", ID),
    opt("ProvisioningArtifactName", ARTIFACT_NAME),
    opt("ProductName", PRODUCT_NAME),
    opt("Verbose", Shape::Bool),
    opt("IncludeProvisioningArtifactParameters", Shape::Bool),
];

pub(super) const DESCRIBE_PROVISIONING_PARAMETERS: &[Member] = &[
    LANGUAGE,
    opt("ProductId", ID),
    opt("ProductName", PRODUCT_NAME),
    opt("ProvisioningArtifactId", ID),
    opt("ProvisioningArtifactName", ARTIFACT_NAME),
    opt("PathId", ID),
    opt("PathName", PATH_NAME),
];

pub(super) const GET_PROVISIONED_PRODUCT_OUTPUTS: &[Member] = &[
    LANGUAGE,
    opt("ProvisionedProductId", ID),
    opt("ProvisionedProductName", PROVISIONED_NAME),
    opt("OutputKeys", Shape::List { item: &TEXT, name: "member", max: 60 }),
    PAGE_OF_20,
    PAGE_TOKEN,
];

pub(super) const UPDATE_PROVISIONED_PRODUCT: &[Member] = &[
    LANGUAGE,
    opt("ProvisionedProductName", PROVISIONED_NAME_OR_ARN),
    opt("ProvisionedProductId", ID),
    opt("ProductId", ID),
    opt("ProductName", PRODUCT_NAME),
    opt("ProvisioningArtifactId", ID),
    opt("ProvisioningArtifactName", ARTIFACT_NAME),
    opt("PathId", ID),
    opt("PathName", PATH_NAME),
    opt(
        "ProvisioningParameters",
        list(&Shape::Struct(&[
            opt("Key", text(1, 1000)),
            opt("Value", text(0, 4096)),
            opt("UsePreviousValue", Shape::Bool),
        ])),
    ),
    opt(
        "ProvisioningPreferences",
        Shape::Struct(&[
            opt("StackSetAccounts", list(&pattern(0, usize::MAX, "^[0-9]{12}$"))),
            opt("StackSetRegions", list(&TEXT)),
            opt("StackSetFailureToleranceCount", COUNT),
            opt("StackSetFailureTolerancePercentage", Shape::Int { min: 0, max: 100 }),
            opt("StackSetMaxConcurrencyCount", Shape::Int { min: 1, max: i64::MAX }),
            opt("StackSetMaxConcurrencyPercentage", Shape::Int { min: 1, max: 100 }),
            opt("StackSetOperationType", Shape::Enum(&["CREATE", "UPDATE", "DELETE"])),
        ]),
    ),
    opt(
        "Tags",
        Shape::List {
            item: &Shape::Struct(&[req("Key", TAG_KEY), req("Value", TAG_VALUE)]),
            name: "member",
            max: 50,
        },
    ),
    req("UpdateToken", UPDATE_TOKEN),
];

pub(super) const DESCRIBE_RECORD: &[Member] = &[LANGUAGE, req("Id", ID), PAGE_TOKEN, PAGE_OF_20];

pub(super) const LIST_RECORD_HISTORY: &[Member] = &[
    LANGUAGE,
    ACCESS_LEVEL,
    opt("SearchFilter", Shape::Struct(&[opt("Key", TEXT), opt("Value", TEXT)])),
    PAGE_OF_20,
    PAGE_TOKEN,
];
