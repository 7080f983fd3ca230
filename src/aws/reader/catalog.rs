//! Service Catalog.

use super::Reader;
use crate::aws::call::{all_pages, pages_until};
use crate::aws::convert::{default_value, prose, time, word};
use crate::aws::errors::{Error, absent_if_not_found};
use crate::aws::table::{Op, Service};
use crate::aws::types::{
    Artifact, ArtifactDescription, Constraint, FoundProduct, LaunchPath, Output, Product,
    ProvisionedProduct, ProvisioningParameters, Record, RecordDetail, RecordError,
    TemplateParameter,
};
use aws_sdk_servicecatalog::types::{
    AccessLevelFilter, AccessLevelFilterKey, ConstraintSummary, ListRecordHistorySearchFilter,
    ProvisionedProductAttribute, ProvisionedProductDetail, ProvisionedProductViewFilterBy,
    ProvisioningArtifactDetail, ProvisioningArtifactParameter, RecordOutput,
};

/// Page size of the search (botocore model: at most 100).
const SEARCH_PAGE: i32 = 100;

/// Page size of the other listings (botocore model: at most 20).
const PAGE: i32 = 20;

/// How a provisioned product is named. AWS wants exactly one of the two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProductRef {
    /// `pp-…`.
    Id(String),
    /// Its name.
    Name(String),
}

/// Which provisioned products to look for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProductSearch {
    /// All that the account has.
    All,
    /// The one with this id or this name, exactly.
    One(ProductRef),
    /// Those of one product (`prod-…`).
    OfProduct(String),
}

impl ProductSearch {
    fn query(&self) -> Option<String> {
        match self {
            Self::All => None,
            Self::One(ProductRef::Id(id)) => Some(format!("id:{id}")),
            Self::One(ProductRef::Name(name)) => Some(format!("name:{name}")),
            Self::OfProduct(id) => Some(format!("productId:{id}")),
        }
    }

    /// Whether AWS's search matches whole values or parts of them is not documented, so we look ourselves.
    pub fn matches(&self, found: &FoundProduct) -> bool {
        match self {
            Self::All => true,
            Self::One(ProductRef::Id(id)) => found.id == *id,
            Self::One(ProductRef::Name(name)) => found.name == *name,
            Self::OfProduct(id) => found.product_id.as_deref() == Some(id),
        }
    }
}

impl Reader {
    /// Provisioned products of the whole account, whoever launched them; in AWS's order.
    ///
    /// # Errors
    /// The request failed.
    pub async fn search_provisioned_products(
        &self,
        search: &ProductSearch,
    ) -> Result<Vec<FoundProduct>, Error> {
        let filters =
            search.query().map(|q| [(ProvisionedProductViewFilterBy::SearchQuery, vec![q])].into());
        let found = all_pages(Op::SearchProvisionedProducts, |token| {
            let filters = filters.clone();
            async move {
                let send = || {
                    let call = self
                        .clients
                        .catalog
                        .search_provisioned_products()
                        .access_level_filter(whole_account());
                    call.set_filters(filters.clone())
                        .page_size(SEARCH_PAGE)
                        .set_page_token(token.clone())
                        .send()
                };
                let page = self.caller.read(Op::SearchProvisionedProducts, send).await?;
                Ok((page.provisioned_products.unwrap_or_default(), page.next_page_token))
            }
        })
        .await?;
        let mut products: Vec<FoundProduct> = found.into_iter().map(found_product).collect();
        products.retain(|product| search.matches(product));
        Ok(products)
    }

    /// One provisioned product.
    ///
    /// # Errors
    /// The request failed; [`NotFoundOrDenied`](crate::aws::Kind::NotFoundOrDenied) if there is none, or it is not ours to see.
    pub async fn provisioned_product(
        &self,
        product: &ProductRef,
    ) -> Result<ProvisionedProduct, Error> {
        let (id, name) = either(product);
        let answer = self
            .caller
            .read(Op::DescribeProvisionedProduct, || {
                self.clients
                    .catalog
                    .describe_provisioned_product()
                    .set_id(id.clone())
                    .set_name(name.clone())
                    .send()
            })
            .await?;
        let detail = answer.provisioned_product_detail;
        detail
            .map(provisioned_product)
            .ok_or_else(|| lacks("DescribeProvisionedProduct", "ProvisionedProductDetail"))
    }

    /// Outputs of the last successful provisioning; none if there never was one.
    ///
    /// # Errors
    /// The request failed.
    pub async fn provisioned_product_outputs(
        &self,
        product: &ProductRef,
    ) -> Result<Option<Vec<Output>>, Error> {
        let (id, name) = either(product);
        let outputs = all_pages(Op::GetProvisionedProductOutputs, |token| {
            let (id, name) = (id.clone(), name.clone());
            async move {
                let send = || {
                    let call =
                        self.clients.catalog.get_provisioned_product_outputs().page_size(PAGE);
                    let call = call
                        .set_provisioned_product_id(id.clone())
                        .set_provisioned_product_name(name.clone());
                    call.set_page_token(token.clone()).send()
                };
                let page = self.caller.read(Op::GetProvisionedProductOutputs, send).await?;
                Ok((page.outputs.unwrap_or_default(), page.next_page_token))
            }
        });
        let outputs = absent_if_not_found(outputs.await)?;
        Ok(outputs.map(|outputs| outputs.into_iter().map(output).collect()))
    }

    /// A record with all its outputs; they come 20 at a time.
    ///
    /// # Errors
    /// The request failed; [`NotFoundOrDenied`](crate::aws::Kind::NotFoundOrDenied) if there is none, or it is not ours to see.
    pub async fn record(&self, id: &str) -> Result<RecordDetail, Error> {
        let pages = all_pages(Op::DescribeRecord, |token| async move {
            let send = || {
                self.clients
                    .catalog
                    .describe_record()
                    .id(id)
                    .page_size(PAGE)
                    .set_page_token(token.clone())
                    .send()
            };
            let page = self.caller.read(Op::DescribeRecord, send).await?;
            Ok((
                vec![(page.record_detail, page.record_outputs.unwrap_or_default())],
                page.next_page_token,
            ))
        })
        .await?;
        let mut record = None;
        let mut outputs = Vec::new();
        for (detail, page) in pages {
            // The last page is the freshest look at the record itself.
            record = detail.or(record);
            outputs.extend(page.into_iter().map(output));
        }
        let record = record.ok_or_else(|| lacks("DescribeRecord", "RecordDetail"))?;
        Ok(RecordDetail { record: record_of(record), outputs })
    }

    /// The newest records of a provisioned product, newest first, at least `at_least` of them if there are so many.
    ///
    /// # Errors
    /// The request failed.
    pub async fn record_history(
        &self,
        provisioned_product_id: &str,
        at_least: usize,
    ) -> Result<Vec<Record>, Error> {
        let filter = || {
            ListRecordHistorySearchFilter::builder()
                .key("provisionedproduct")
                .value(provisioned_product_id)
                .build()
        };
        let pages = pages_until(
            Op::ListRecordHistory,
            |token| async move {
                let send = || {
                    let call = self
                        .clients
                        .catalog
                        .list_record_history()
                        .access_level_filter(whole_account());
                    call.search_filter(filter())
                        .page_size(PAGE)
                        .set_page_token(token.clone())
                        .send()
                };
                let page = self.caller.read(Op::ListRecordHistory, send).await?;
                Ok((page.record_details.unwrap_or_default(), page.next_page_token))
            },
            |records| records.len() >= at_least,
        );
        Ok(pages.await?.0.into_iter().map(record_of).collect())
    }

    /// All versions of a product, inactive ones too, in no order. AWS gives them at once.
    ///
    /// # Errors
    /// The request failed; [`NotFoundOrDenied`](crate::aws::Kind::NotFoundOrDenied) if there is no such product, or it is not ours to see.
    pub async fn artifacts(&self, product_id: &str) -> Result<Vec<Artifact>, Error> {
        let answer = self
            .caller
            .read(Op::ListProvisioningArtifacts, || {
                self.clients.catalog.list_provisioning_artifacts().product_id(product_id).send()
            })
            .await?;
        Ok(answer
            .provisioning_artifact_details
            .unwrap_or_default()
            .into_iter()
            .map(artifact)
            .collect())
    }

    /// A product as an end user sees it: active versions only. For where [`Reader::artifacts`] is denied.
    ///
    /// # Errors
    /// The request failed. AWS refuses it to some administrators.
    pub async fn product(&self, product_id: &str) -> Result<Product, Error> {
        let answer = self
            .caller
            .read(Op::DescribeProduct, || {
                self.clients.catalog.describe_product().id(product_id).send()
            })
            .await?;
        let (id, name, has_default_path) = answer
            .product_view_summary
            .map(|view| (view.product_id, view.name, view.has_default_path))
            .unwrap_or_default();
        let artifacts =
            answer.provisioning_artifacts.unwrap_or_default().into_iter().map(|artifact| {
                Artifact {
                    id: artifact.id.unwrap_or_default(),
                    name: artifact.name,
                    description: prose(artifact.description),
                    kind: None,
                    created_at: time(artifact.created_time),
                    active: None,
                    guidance: word(artifact.guidance),
                }
            });
        let paths = answer.launch_paths.unwrap_or_default().into_iter().map(|path| LaunchPath {
            id: path.id.unwrap_or_default(),
            name: path.name,
            constraints: Vec::new(),
        });
        Ok(Product {
            id,
            name,
            has_default_path,
            artifacts: artifacts.collect(),
            launch_paths: paths.collect(),
        })
    }

    /// The paths by which the caller reaches a product; none: the caller is associated with no portfolio that has it.
    ///
    /// # Errors
    /// The request failed.
    pub async fn launch_paths(&self, product_id: &str) -> Result<Vec<LaunchPath>, Error> {
        let paths = all_pages(Op::ListLaunchPaths, |token| async move {
            let send = || {
                let call =
                    self.clients.catalog.list_launch_paths().product_id(product_id).page_size(PAGE);
                call.set_page_token(token.clone()).send()
            };
            let page = self.caller.read(Op::ListLaunchPaths, send).await?;
            Ok((page.launch_path_summaries.unwrap_or_default(), page.next_page_token))
        });
        let paths = paths.await?.into_iter().map(|path| LaunchPath {
            id: path.id.unwrap_or_default(),
            name: path.name,
            constraints: constraints(path.constraint_summaries),
        });
        Ok(paths.collect())
    }

    /// A version and its parameters, whatever the launch path.
    ///
    /// # Errors
    /// The request failed.
    pub async fn artifact(
        &self,
        product_id: &str,
        artifact_id: &str,
    ) -> Result<ArtifactDescription, Error> {
        let answer = self
            .caller
            .read(Op::DescribeProvisioningArtifact, || {
                let call =
                    self.clients.catalog.describe_provisioning_artifact().product_id(product_id);
                call.provisioning_artifact_id(artifact_id)
                    .include_provisioning_artifact_parameters(true)
                    .send()
            })
            .await?;
        let detail = answer.provisioning_artifact_detail;
        let detail = detail
            .ok_or_else(|| lacks("DescribeProvisioningArtifact", "ProvisioningArtifactDetail"))?;
        Ok(ArtifactDescription {
            artifact: artifact(detail),
            status: word(answer.status),
            parameters: parameters(answer.provisioning_artifact_parameters),
        })
    }

    /// What a version asks for by one path (`lp-…`). Without a path AWS takes the only one, or refuses.
    ///
    /// # Errors
    /// The request failed.
    pub async fn provisioning_parameters(
        &self,
        product_id: &str,
        artifact_id: &str,
        path_id: Option<&str>,
    ) -> Result<ProvisioningParameters, Error> {
        let answer = self
            .caller
            .read(Op::DescribeProvisioningParameters, || {
                let call =
                    self.clients.catalog.describe_provisioning_parameters().product_id(product_id);
                call.provisioning_artifact_id(artifact_id)
                    .set_path_id(path_id.map(str::to_owned))
                    .send()
            })
            .await?;
        // `ProvisioningArtifactOutputs` is the deprecated spelling of the keys.
        let keys = answer.provisioning_artifact_output_keys.filter(|keys| !keys.is_empty());
        #[expect(deprecated, reason = "older endpoints fill only this member")]
        let keys = keys.or(answer.provisioning_artifact_outputs).unwrap_or_default();
        let usage = answer.usage_instructions.unwrap_or_default();
        Ok(ProvisioningParameters {
            parameters: parameters(answer.provisioning_artifact_parameters),
            constraints: constraints(answer.constraint_summaries),
            usage: usage
                .into_iter()
                .filter_map(|usage| Some((usage.r#type?, usage.value?)))
                .collect(),
            output_keys: keys.into_iter().filter_map(|output| output.key).collect(),
        })
    }
}

/// Without it some calls show only what the caller launched itself.
fn whole_account() -> AccessLevelFilter {
    AccessLevelFilter::builder().key(AccessLevelFilterKey::Account).value("self").build()
}

fn lacks(operation: &str, member: &str) -> Error {
    Error::bad_answer(Service::ServiceCatalog, operation, &format!("the answer has no `{member}`"))
}

fn either(product: &ProductRef) -> (Option<String>, Option<String>) {
    match product {
        ProductRef::Id(id) => (Some(id.clone()), None),
        ProductRef::Name(name) => (None, Some(name.clone())),
    }
}

fn found_product(found: ProvisionedProductAttribute) -> FoundProduct {
    let tags = found.tags.unwrap_or_default();
    FoundProduct {
        id: found.id.unwrap_or_default(),
        name: found.name.unwrap_or_default(),
        arn: found.arn,
        kind: found.r#type,
        status: word(found.status),
        status_message: prose(found.status_message),
        created_at: time(found.created_time),
        last_record_id: found.last_record_id,
        last_provisioning_record_id: found.last_provisioning_record_id,
        last_successful_provisioning_record_id: found.last_successful_provisioning_record_id,
        physical_id: found.physical_id,
        product_id: found.product_id,
        product_name: found.product_name,
        artifact_id: found.provisioning_artifact_id,
        artifact_name: found.provisioning_artifact_name,
        tags: tags.into_iter().map(|tag| (tag.key, tag.value)).collect(),
    }
}

fn provisioned_product(detail: ProvisionedProductDetail) -> ProvisionedProduct {
    ProvisionedProduct {
        id: detail.id.unwrap_or_default(),
        name: detail.name.unwrap_or_default(),
        arn: detail.arn,
        kind: detail.r#type,
        status: word(detail.status),
        status_message: prose(detail.status_message),
        created_at: time(detail.created_time),
        last_record_id: detail.last_record_id,
        last_provisioning_record_id: detail.last_provisioning_record_id,
        last_successful_provisioning_record_id: detail.last_successful_provisioning_record_id,
        product_id: detail.product_id,
        artifact_id: detail.provisioning_artifact_id,
        launch_role_arn: detail.launch_role_arn,
    }
}

pub(in crate::aws) fn record_of(detail: aws_sdk_servicecatalog::types::RecordDetail) -> Record {
    let errors = detail.record_errors.unwrap_or_default().into_iter();
    let tags = detail.record_tags.unwrap_or_default().into_iter();
    Record {
        id: detail.record_id.unwrap_or_default(),
        status: word(detail.status),
        kind: detail.record_type,
        created_at: time(detail.created_time),
        updated_at: time(detail.updated_time),
        provisioned_product_id: detail.provisioned_product_id,
        provisioned_product_name: detail.provisioned_product_name,
        provisioned_product_kind: detail.provisioned_product_type,
        product_id: detail.product_id,
        artifact_id: detail.provisioning_artifact_id,
        path_id: detail.path_id,
        launch_role_arn: detail.launch_role_arn,
        errors: errors
            .map(|e| RecordError { code: e.code, description: prose(e.description) })
            .collect(),
        tags: tags.filter_map(|tag| Some((tag.key?, tag.value?))).collect(),
    }
}

fn output(output: RecordOutput) -> Output {
    Output {
        key: output.output_key.unwrap_or_default(),
        value: output.output_value,
        description: prose(output.description),
    }
}

fn artifact(detail: ProvisioningArtifactDetail) -> Artifact {
    Artifact {
        id: detail.id.unwrap_or_default(),
        name: detail.name,
        description: prose(detail.description),
        kind: word(detail.r#type),
        created_at: time(detail.created_time),
        active: detail.active,
        guidance: word(detail.guidance),
    }
}

fn constraints(summaries: Option<Vec<ConstraintSummary>>) -> Vec<Constraint> {
    let summaries = summaries.unwrap_or_default().into_iter();
    summaries
        .map(|summary| Constraint { kind: summary.r#type, description: prose(summary.description) })
        .collect()
}

fn parameters(parameters: Option<Vec<ProvisioningArtifactParameter>>) -> Vec<TemplateParameter> {
    parameters.unwrap_or_default().into_iter().map(parameter).collect()
}

fn parameter(parameter: ProvisioningArtifactParameter) -> TemplateParameter {
    let mut ours = TemplateParameter {
        key: parameter.parameter_key.unwrap_or_default(),
        default: default_value(parameter.default_value, parameter.is_no_echo),
        kind: parameter.parameter_type,
        no_echo: parameter.is_no_echo,
        description: prose(parameter.description),
        ..TemplateParameter::default()
    };
    if let Some(limits) = parameter.parameter_constraints {
        ours.allowed_values = limits.allowed_values.unwrap_or_default();
        ours.allowed_pattern = limits.allowed_pattern;
        ours.constraint_description = prose(limits.constraint_description);
        ours.min_length = limits.min_length;
        ours.max_length = limits.max_length;
        ours.min_value = limits.min_value;
        ours.max_value = limits.max_value;
    }
    ours
}
