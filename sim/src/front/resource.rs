//! The ARN an operation is authorized on, as the service authorization reference has it. What cannot be named is `*`.

use crate::services::{lambda, sqs};
use crate::spec::Service;
use crate::world::Scope;
use serde_json::Value;

/// The resource of a request.
pub(super) fn of(service: Service, operation: &str, input: &Value, scope: &Scope) -> String {
    let text = |name: &str| input.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let named = |prefix: &str, name: &str| {
        text(name).map(|id| {
            if id.starts_with("arn:") {
                id.to_owned()
            } else {
                scope.arn(service.name(), format!("{prefix}{id}"))
            }
        })
    };
    let found = match service {
        // Products are resources of `catalog`; provisioned products take no resource-level permissions.
        Service::ServiceCatalog
            if operation.contains("ProvisionedProduct")
                && operation != "UpdateProvisionedProduct" =>
        {
            None
        }
        Service::ServiceCatalog => {
            text("ProductId").map(|id| scope.arn("catalog", format!("product/{id}")))
        }
        Service::CloudFormation => text("StackName").map(|name| {
            if name.starts_with("arn:") {
                name.to_owned()
            } else {
                scope.arn("cloudformation", format!("stack/{name}/*"))
            }
        }),
        Service::ElastiCache => named("replicationgroup:", "ReplicationGroupId")
            .or_else(|| named("cluster:", "CacheClusterId")),
        Service::Rds => named("db:", "DBInstanceIdentifier"),
        Service::Lambda => Some(lambda::resource(scope, operation, input)),
        Service::Sqs => Some(sqs::resource(scope, input)),
        Service::Sts => text("RoleArn").map(str::to_owned),
        Service::Iam => text("PolicySourceArn").map(str::to_owned),
    };
    found.unwrap_or_else(|| "*".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_request_is_authorized_on_the_resource_it_names() {
        let scope = Scope::new("111122223333", "us-east-2");
        for (why, service, operation, input, expected) in [
            (
                "a product",
                Service::ServiceCatalog,
                "UpdateProvisionedProduct",
                json!({"ProductId": "prod-1"}),
                "arn:aws:catalog:us-east-2:111122223333:product/prod-1",
            ),
            (
                "no resource level",
                Service::ServiceCatalog,
                "DescribeProvisionedProduct",
                json!({"Id": "pp-1"}),
                "*",
            ),
            (
                "a stack by name",
                Service::CloudFormation,
                "DescribeStacks",
                json!({"StackName": "SC-1"}),
                "arn:aws:cloudformation:us-east-2:111122223333:stack/SC-1/*",
            ),
            (
                "a stack by ARN",
                Service::CloudFormation,
                "DescribeStacks",
                json!({"StackName": "arn:x"}),
                "arn:x",
            ),
            ("all databases", Service::Rds, "DescribeDBInstances", json!({}), "*"),
            (
                "a mapping",
                Service::Lambda,
                "UpdateEventSourceMapping",
                json!({"UUID": "u"}),
                "arn:aws:lambda:us-east-2:111122223333:event-source-mapping:u",
            ),
            (
                "a queue by URL",
                Service::Sqs,
                "GetQueueAttributes",
                json!({"QueueUrl": "http://127.0.0.1/111122223333/q"}),
                "arn:aws:sqs:us-east-2:111122223333:q",
            ),
        ] {
            assert_eq!(of(service, operation, &input, &scope), expected, "{why}");
        }
    }
}
