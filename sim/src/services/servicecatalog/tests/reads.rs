//! Reads: what they show, to whom, and page by page.

use super::*;
use crate::options::{EmptyDefault, SearchMatch};

fn names(catalog: &mut Catalog, operation: &str, input: Value) -> Vec<String> {
    let found = catalog.call(operation, input).unwrap();
    each(&found["ProvisionedProducts"], "Name").into_iter().map(str::to_owned).collect()
}

#[test]
fn a_search_filters_sorts_and_shows_every_attribute() {
    let mut catalog = Catalog::new();
    catalog.provision("db-two", "you");
    let id = catalog.provisioned.clone();
    for (queries, found, why) in [
        (json!([]), vec!["db-one", "db-two"], "no query"),
        (json!(["name:db-one"]), vec!["db-one"], "by name"),
        (json!(["name:db-o"]), vec![], "not by a part of it"),
        (json!([format!("id:{id}")]), vec!["db-one"], "by id"),
        (json!([format!("Id:\"{id}\"")]), vec!["db-one"], "quoted, in other case"),
        (json!([id]), vec!["db-one"], "in any field"),
        (
            json!(["productName:A Database", "status:AVAILABLE"]),
            vec!["db-one", "db-two"],
            "both hold",
        ),
        (json!(["name:db-one", "status:TAINTED"]), vec![], "only one holds"),
        (json!(["tags:team"]), vec!["db-one", "db-two"], "by tag key"),
        (json!(["tags:team=data"]), vec!["db-one", "db-two"], "by tag"),
        (json!(["provisioningArtifactName:v1"]), vec!["db-one", "db-two"], "by version name"),
        (
            json!(["userArn:arn:aws:iam::111122223333:role/ops"]),
            vec!["db-one", "db-two"],
            "values contain colons",
        ),
        (
            json!(["userArnSession:arn:aws:sts::111122223333:assumed-role/ops/you"]),
            vec!["db-two"],
            "by session",
        ),
    ] {
        let input = json!({"Filters": {"SearchQuery": queries}, "SortBy": "name"});
        assert_eq!(names(&mut catalog, "SearchProvisionedProducts", input), found, "{why}");
    }
    let backwards = json!({"SortBy": "name", "SortOrder": "DESCENDING"});
    assert_eq!(names(&mut catalog, "SearchProvisionedProducts", backwards), ["db-two", "db-one"]);
    for bad in
        [json!({"SortBy": "status"}), json!({"Filters": {"Other": []}}), json!({"PageToken": "zz"})]
    {
        assert!(
            catalog
                .call("SearchProvisionedProducts", bad)
                .unwrap_err()
                .starts_with("InvalidParametersException: ")
        );
    }

    let found = catalog
        .call("SearchProvisionedProducts", json!({"Filters": {"SearchQuery": ["name:db-one"]}}))
        .unwrap();
    let one = &found["ProvisionedProducts"][0];
    assert_eq!(one["Type"], "CFN_STACK");
    assert_eq!(
        one["Arn"],
        format!("arn:aws:servicecatalog:us-east-2:111122223333:stack/db-one/{id}")
    );
    assert!(one["PhysicalId"].as_str().unwrap().contains(&format!(":stack/SC-111122223333-{id}/")));
    assert_eq!(
        (&one["ProductName"], &one["ProvisioningArtifactName"]),
        (&json!("A Database"), &json!("v1"))
    );
    assert_eq!((one.get("LaunchRoleArn"), one.get("StatusMessage")), (None, None));
}

#[test]
fn a_search_matches_as_the_world_says() {
    for (matching, found) in [
        (SearchMatch::Exact, vec!["db"]),
        (SearchMatch::Prefix, vec!["db", "db-one"]),
        (SearchMatch::Token, vec!["db", "db-one"]),
    ] {
        let mut catalog = Catalog::with(|options| options.search_match = matching);
        catalog.provision("db", "me");
        let input = json!({"Filters": {"SearchQuery": ["name:db"]}, "SortBy": "name"});
        assert_eq!(names(&mut catalog, "SearchProvisionedProducts", input), found, "{matching:?}");
    }
}

#[test]
fn lists_show_the_account_or_the_callers_own() {
    let mut catalog = Catalog::new();
    catalog.provision("db-two", "you");
    let level = |key: &str, value: &str| json!({"AccessLevelFilter": {"Key": key, "Value": value}, "PageSize": 20});
    for (operation, input, found, why) in [
        ("SearchProvisionedProducts", json!({}), 2, "a search is of the account by default"),
        ("ScanProvisionedProducts", json!({}), 1, "a scan is of the user by default"),
        ("ScanProvisionedProducts", level("Account", "self"), 2, "a scan of the account"),
        ("SearchProvisionedProducts", level("User", "self"), 1, "the caller's session"),
        ("SearchProvisionedProducts", level("Role", "self"), 2, "both are sessions of one role"),
        ("SearchProvisionedProducts", level("User", "nobody"), 0, "somebody else"),
    ] {
        assert_eq!(names(&mut catalog, operation, input).len(), found, "{why}");
    }
    for (input, found, why) in [
        (json!({}), 1, "history is of the user by default"),
        (level("Account", "self"), 2, "the account's"),
        (
            json!({"AccessLevelFilter": {"Key": "Account", "Value": "self"}, "SearchFilter": {"Key": "provisionedproduct", "Value": catalog.provisioned}}),
            1,
            "of one",
        ),
        (
            json!({"AccessLevelFilter": {"Key": "Account"}, "SearchFilter": {"Key": "product", "Value": catalog.product}}),
            2,
            "of the product",
        ),
    ] {
        let found_records = catalog.call("ListRecordHistory", input).unwrap();
        assert_eq!(found_records["RecordDetails"].as_array().unwrap().len(), found, "{why}");
    }
    let bad = json!({"SearchFilter": {"Key": "status", "Value": "x"}});
    assert!(
        catalog
            .call("ListRecordHistory", bad)
            .unwrap_err()
            .starts_with("InvalidParametersException: ")
    );
}

#[test]
fn history_has_the_newest_first() {
    let mut catalog = Catalog::new();
    let launch = catalog.product()["LastRecordId"].as_str().unwrap().to_owned();
    let mut expected = vec![launch];
    for value in ["one", "two"] {
        expected.insert(0, catalog.update("v2", &given(&[("Must", Some(value))])).unwrap());
        catalog.settle();
    }
    let found = catalog.call("ListRecordHistory", json!({})).unwrap();
    assert_eq!(each(&found["RecordDetails"], "RecordId"), expected);
    assert_eq!(
        each(&found["RecordDetails"], "RecordType"),
        ["UPDATE_PROVISIONED_PRODUCT", "UPDATE_PROVISIONED_PRODUCT", "PROVISION_PRODUCT"]
    );
}

#[test]
fn an_earlier_history_is_shown_with_its_failures() {
    let mut catalog = Catalog::new();
    let first = catalog.provisioned.clone();
    let stack = catalog.stack();
    let past = |version: &str, outcome: Outcome| Past {
        artifact_id: catalog.versions[version].clone(),
        at: SimTime::from_millis(0) + Duration::from_hours(if version == "v1" { 1 } else { 2 }),
        took: Duration::from_mins(9),
        outcome,
    };
    let existing = Existing {
        id: "pp-history".to_owned(),
        name: "db-old".to_owned(),
        product_id: catalog.product.clone(),
        artifact_id: catalog.versions["v1"].clone(),
        path_id: Some(catalog.path.clone()),
        stack,
        owner: catalog.caller.clone(),
        created: SimTime::from_millis(0),
        tags: Vec::new(),
        history: vec![
            past("v1", Outcome::Succeeded),
            past("v2", Outcome::Failed("out of storage".to_owned())),
        ],
    };
    provision_existing(&mut catalog.world, &catalog.scope, existing.clone()).unwrap();
    let input = json!({"SearchFilter": {"Key": "provisionedproduct", "Value": "pp-history"}});
    let found = catalog.call("ListRecordHistory", input).unwrap()["RecordDetails"].take();
    assert_eq!(each(&found, "Status"), ["SUCCEEDED", "FAILED", "SUCCEEDED"]);
    assert_eq!(
        each(&found, "RecordType"),
        ["UPDATE_PROVISIONED_PRODUCT", "UPDATE_PROVISIONED_PRODUCT", "PROVISION_PRODUCT"]
    );
    assert_eq!(found[1]["RecordErrors"][0]["Description"], "out of storage");
    for (wrong, what) in [
        (Existing { stack: "SC-none".to_owned(), ..existing.clone() }, "stack `SC-none`"),
        (Existing { artifact_id: "pa-none".to_owned(), ..existing.clone() }, "version `pa-none`"),
        (
            Existing { path_id: Some("lp-none".to_owned()), ..existing.clone() },
            "launch path `lp-none`",
        ),
        (Existing { product_id: "prod-none".to_owned(), ..existing }, "product `prod-none`"),
    ] {
        let error = provision_existing(&mut catalog.world, &catalog.scope, wrong).unwrap_err();
        assert_eq!(error.to_string(), format!("Service Catalog has no {what}"));
    }
    assert_ne!(first, "pp-history");
}

#[test]
fn pages_follow_each_other_and_end_without_a_token() {
    let mut catalog = Catalog::new();
    for index in 0..4 {
        catalog.provision(&format!("db-more-{index}"), "me");
    }
    let record = catalog.product()["LastRecordId"].as_str().unwrap().to_owned();
    let id = catalog.provisioned.clone();
    for (operation, input, list, sizes) in [
        ("SearchProvisionedProducts", json!({"PageSize": 2}), "ProvisionedProducts", vec![2, 2, 1]),
        ("ScanProvisionedProducts", json!({"PageSize": 3}), "ProvisionedProducts", vec![3, 2]),
        ("DescribeRecord", json!({"Id": record}), "RecordOutputs", vec![20, 6]),
        ("DescribeRecord", json!({"Id": record, "PageSize": 0}), "RecordOutputs", vec![20, 6]),
        (
            "GetProvisionedProductOutputs",
            json!({"ProvisionedProductId": id, "PageSize": 13}),
            "Outputs",
            vec![13, 13],
        ),
        ("ListRecordHistory", json!({"PageSize": 5}), "RecordDetails", vec![5]),
    ] {
        let mut input = input;
        let mut found = Vec::new();
        loop {
            let page = catalog.call(operation, input.clone()).unwrap();
            found.push(page[list].as_array().unwrap().len());
            let Some(token) = page.get("NextPageToken") else { break };
            input["PageToken"] = token.clone();
        }
        assert_eq!(found, sizes, "{operation}");
    }
    let first = catalog.call("SearchProvisionedProducts", json!({"PageSize": 2})).unwrap();
    assert_eq!(first["TotalResultsCount"], 5);
    let other = json!({"PageToken": first["NextPageToken"], "SortBy": "name"});
    assert!(
        catalog.call("SearchProvisionedProducts", other).is_err(),
        "a token is good for its own question"
    );
    for (operation, too_much) in [
        ("SearchProvisionedProducts", json!({"PageSize": 101})),
        ("ListRecordHistory", json!({"PageSize": 21})),
    ] {
        assert!(
            catalog.call(operation, too_much).unwrap_err().starts_with("ValidationException: ")
        );
    }
    catalog.world.options.page_size = Some(1);
    let limited = catalog.call("SearchProvisionedProducts", json!({"PageSize": 100})).unwrap();
    assert_eq!(
        limited["ProvisionedProducts"].as_array().unwrap().len(),
        1,
        "the world's own limit"
    );
}

#[test]
fn what_is_missing_answers_as_what_is_denied() {
    let mut catalog = Catalog::new();
    let version = catalog.versions["v1"].clone();
    for (operation, input) in [
        ("DescribeProvisionedProduct", json!({"Id": "nix"})),
        ("DescribeProvisionedProduct", json!({"Name": "nix"})),
        ("DescribeRecord", json!({"Id": "nix"})),
        ("DescribeProduct", json!({"Id": "nix"})),
        ("DescribeProductAsAdmin", json!({"Name": "nix"})),
        ("ListLaunchPaths", json!({"ProductId": "nix"})),
        ("ListProvisioningArtifacts", json!({"ProductId": "nix"})),
        (
            "DescribeProvisioningArtifact",
            json!({"ProductId": catalog.product, "ProvisioningArtifactName": "nix"}),
        ),
        (
            "DescribeProvisioningArtifact",
            json!({"ProductId": "nix", "ProvisioningArtifactId": version}),
        ),
        (
            "DescribeProvisioningParameters",
            json!({"ProductId": "nix", "ProvisioningArtifactId": version}),
        ),
        ("GetProvisionedProductOutputs", json!({"ProvisionedProductId": "nix"})),
    ] {
        let refusal = catalog.call(operation, input).unwrap_err();
        assert_eq!(
            refusal, "ResourceNotFoundException: nix does not exist or access was denied",
            "{operation}"
        );
    }
    for (operation, input) in [
        ("DescribeProvisionedProduct", json!({})),
        ("DescribeProvisionedProduct", json!({"Id": "a", "Name": "b"})),
        ("DescribeProduct", json!({})),
        ("GetProvisionedProductOutputs", json!({})),
        ("DescribeProvisioningArtifact", json!({"ProductId": catalog.product})),
    ] {
        let refusal = catalog.call(operation, input).unwrap_err();
        assert!(refusal.starts_with("InvalidParametersException: "), "{operation}: {refusal}");
    }
}

#[test]
fn old_products_lack_record_ids_and_have_no_outputs() {
    let mut catalog = Catalog::new();
    forget_record_ids(&mut catalog.world, &catalog.scope, &catalog.provisioned).unwrap();
    let product = catalog.product();
    for member in ["LastRecordId", "LastProvisioningRecordId", "LastSuccessfulProvisioningRecordId"]
    {
        assert_eq!(product.get(member), None);
    }
    let refusal = catalog
        .call("GetProvisionedProductOutputs", json!({"ProvisionedProductName": "db-one"}))
        .unwrap_err();
    assert_eq!(
        refusal,
        "InvalidParametersException: Last Successful Provisioning Record doesn't exist."
    );
}

#[test]
fn the_end_users_view_hides_inactive_versions() {
    let mut catalog = Catalog::new();
    let v2 = catalog.versions["v2"].clone();
    retire_artifact(&mut catalog.world, &catalog.scope, &catalog.product, &v2).unwrap();
    let id = json!({"Id": catalog.product});
    let seen = catalog.call("DescribeProduct", id.clone()).unwrap();
    assert_eq!(each(&seen["ProvisioningArtifacts"], "Name"), ["v1"]);
    assert_eq!(seen["LaunchPaths"], json!([{"Id": catalog.path, "Name": "Foundation"}]));
    let admin = catalog.call("DescribeProductAsAdmin", id).unwrap();
    assert_eq!(each(&admin["ProvisioningArtifactSummaries"], "Name"), ["v2", "v1"]);
    assert_eq!(
        admin["ProductViewDetail"]["ProductARN"],
        format!("arn:aws:catalog:us-east-2:111122223333:product/{}", catalog.product)
    );
    let list =
        catalog.call("ListProvisioningArtifacts", json!({"ProductId": catalog.product})).unwrap();
    assert_eq!(each(&list["ProvisioningArtifactDetails"], "Name"), ["v2", "v1"]);
    assert_eq!(list["ProvisioningArtifactDetails"][0]["Active"], false);
    let input = json!({"ProductId": catalog.product, "ProvisioningArtifactId": v2, "IncludeProvisioningArtifactParameters": true, "Verbose": true});
    let version = catalog.call("DescribeProvisioningArtifact", input).unwrap();
    assert_eq!(
        (&version["Status"], &version["ProvisioningArtifactDetail"]["Guidance"]),
        (&json!("AVAILABLE"), &json!("DEFAULT"))
    );
    assert_eq!(version["ProvisioningArtifactParameters"].as_array().unwrap().len(), 4);
    assert!(version["Info"]["TemplateUrl"].as_str().unwrap().starts_with("https://"));
    let input =
        json!({"ProductId": catalog.product, "ProvisioningArtifactId": catalog.versions["v2"]});
    assert!(
        catalog.call("DescribeProvisioningParameters", input).is_err(),
        "an end user's view too"
    );
}

#[test]
fn a_product_is_reached_by_the_portfolios_that_are_open_to_the_caller() {
    let mut catalog = Catalog::new();
    for (principals, reached, why) in [
        (vec!["arn:aws:iam::111122223333:role/ops"], true, "the role"),
        (vec!["arn:aws:iam::111122223333:role/*"], true, "any role"),
        (
            vec!["arn:aws:iam::111122223333:role/other", "arn:aws:iam::111122223333:user/ops"],
            false,
            "others",
        ),
    ] {
        let only = Principals::Only(principals.into_iter().map(str::to_owned).collect());
        let portfolio = add_portfolio(
            &mut catalog.world,
            &catalog.scope,
            NewPortfolio { name: "Guarded".to_owned(), principals: only },
        );
        let new = NewProduct {
            name: "Guarded".to_owned(),
            owner: "Somebody".to_owned(),
            ..NewProduct::default()
        };
        let product = add_product(&mut catalog.world, &catalog.scope, new);
        add_path(
            &mut catalog.world,
            &catalog.scope,
            &product,
            NewPath { portfolio_id: portfolio, ..NewPath::default() },
        )
        .unwrap();
        assert_eq!(
            catalog.call("DescribeProduct", json!({"Id": product})).is_ok(),
            reached,
            "{why}"
        );
        assert!(
            catalog.call("DescribeProductAsAdmin", json!({"Id": product})).is_ok(),
            "an administrator sees it: {why}"
        );
        match catalog.call("ListLaunchPaths", json!({"ProductId": product})) {
            Ok(paths) => {
                assert!(reached && paths["LaunchPathSummaries"][0]["Name"] == "Guarded", "{why}");
            }
            Err(text) => assert_eq!(
                (reached, text),
                (
                    false,
                    format!(
                        "ResourceNotFoundException: No launch paths found for resource: {product}"
                    )
                )
            ),
        }
        let found = catalog
            .call("SearchProducts", json!({"Filters": {"FullTextSearch": ["guarded"]}}))
            .unwrap();
        assert_eq!(
            each(&found["ProductViewSummaries"], "ProductId").contains(&product.as_str()),
            reached,
            "{why}"
        );
    }
}

#[test]
fn products_are_searched_by_text_owner_and_type() {
    let mut catalog = Catalog::with(|options| options.has_default_path = true);
    for (filters, found, why) in [
        (json!({}), 1, "all"),
        (json!({"FullTextSearch": ["database"]}), 1, "a word of the name"),
        (json!({"FullTextSearch": ["queue"]}), 0, "another word"),
        (json!({"Owner": ["Somebody"]}), 1, "the owner"),
        (json!({"Owner": ["Nobody", "Somebody"]}), 1, "one of the owners"),
        (
            json!({"ProductType": ["CLOUD_FORMATION_TEMPLATE"], "Owner": ["Nobody"]}),
            0,
            "only one filter holds",
        ),
        (json!({"SourceProductId": [catalog.product]}), 0, "no copies"),
    ] {
        let answer =
            catalog.call("SearchProducts", json!({"Filters": filters, "SortBy": "Title"})).unwrap();
        assert_eq!(answer["ProductViewSummaries"].as_array().unwrap().len(), found, "{why}");
    }
    let answer = catalog.call("SearchProducts", json!({})).unwrap();
    assert_eq!(
        answer["ProductViewAggregations"]["Owner"],
        json!([{"Value": "Somebody", "ApproximateCount": 1}])
    );
    assert_eq!(answer["ProductViewSummaries"][0]["HasDefaultPath"], true);
    catalog.world.options.has_default_path = false;
    assert_eq!(
        catalog.call("SearchProducts", json!({})).unwrap()["ProductViewSummaries"][0]["HasDefaultPath"],
        false
    );
    assert!(catalog.call("SearchProducts", json!({"Filters": {"Color": ["red"]}})).is_err());
}

#[test]
fn a_versions_parameters_come_with_labels_rules_and_role() {
    for (empty, shown) in [(EmptyDefault::Shown, Some("")), (EmptyDefault::Absent, None)] {
        let mut catalog = Catalog::with(|options| options.empty_default = empty);
        let rules = json!({"Path": {"Assertions": []}});
        let path = NewPath {
            portfolio_id: catalog.portfolio.clone(),
            rules: Some(rules),
            tag_updates: true,
            ..NewPath::default()
        };
        let second = add_path(&mut catalog.world, &catalog.scope, &catalog.product, path).unwrap();
        let input = |path: &str| json!({"ProductId": catalog.product, "ProvisioningArtifactId": catalog.versions["v2"], "PathId": path});
        let (plain, other) = (input(&catalog.path), input(&second));
        let answer = catalog.call("DescribeProvisioningParameters", plain).unwrap();
        let parameters = answer["ProvisioningArtifactParameters"].as_array().unwrap().clone();
        let parameter = |key: &str| {
            parameters.iter().find(|parameter| parameter["ParameterKey"] == key).unwrap()
        };
        assert_eq!(parameter("New").get("DefaultValue").and_then(Value::as_str), shown);
        assert_eq!(parameter("Must").get("DefaultValue"), None);
        assert_eq!(
            parameter("Must")["ParameterConstraints"],
            json!({"AllowedValues": [], "MinLength": "2"})
        );
        assert_eq!(
            parameter("Text")["ParameterConstraints"]["AllowedValues"],
            json!(["a", "b", "c"])
        );
        assert_eq!(
            (&parameter("Secret")["IsNoEcho"], &parameter("Text")["IsNoEcho"]),
            (&json!(true), &json!(false))
        );
        assert_eq!(answer["ProvisioningArtifactOutputKeys"].as_array().unwrap().len(), 25);
        assert_eq!(each(&answer["ConstraintSummaries"], "Type"), ["LAUNCH"]);

        let instructions = |answer: &Value| -> BTreeMap<String, String> {
            let pairs = answer["UsageInstructions"].as_array().unwrap().iter();
            pairs
                .map(|one| {
                    (
                        one["Type"].as_str().unwrap().to_owned(),
                        one["Value"].as_str().unwrap().to_owned(),
                    )
                })
                .collect()
        };
        let told = instructions(&answer);
        assert_eq!(told["launchAsRole"], LAUNCH_ROLE);
        assert_eq!(
            (told["version"].as_str(), told["tagUpdateOnProvisionedProduct"].as_str()),
            ("2010-09-09", "NOT_ALLOWED")
        );
        assert!(told["metadata"].contains("A label") && told["description"].contains("v2"));
        assert_eq!(told["rules"], r#"{"Own":{"Assertions":[]}}"#);

        let answer = catalog.call("DescribeProvisioningParameters", other).unwrap();
        let told = instructions(&answer);
        assert_eq!(told["rules"], r#"{"Own":{"Assertions":[]},"Path":{"Assertions":[]}}"#);
        assert_eq!(
            (told.get("launchAsRole"), told["tagUpdateOnProvisionedProduct"].as_str()),
            (None, "ALLOWED")
        );
        assert_eq!(each(&answer["ConstraintSummaries"], "Type"), ["TEMPLATE", "RESOURCE_UPDATE"]);
    }
}
