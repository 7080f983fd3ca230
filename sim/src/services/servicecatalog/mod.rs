//! AWS Service Catalog: products, their versions, and provisioned products that CloudFormation carries out.
//!
//! Reads answer what Service Catalog believes, which after somebody's work in CloudFormation or after a failed update is not what the
//! stack is. An update is checked at once (`update`) and followed to its end by timers (`progress`); the stack itself is
//! CloudFormation's. `setup` builds the first state of a world and makes the changes that scenarios ask for. No product, parameter or
//! path is known by name here: all of that is data of the world.

mod access;
mod input;
mod parameters;
mod products;
mod progress;
mod records;
mod search;
mod setup;
mod state;
#[cfg(test)]
mod tests;
mod update;
mod view;

pub(crate) use progress::{Timer, fire, stack_changed};
pub(crate) use setup::{
    Existing, NewArtifact, NewPath, NewPortfolio, NewProduct, NoSuch, Outcome, Past, add_artifact,
    add_path, add_portfolio, add_product, delete_provisioned, deprecate_artifact,
    forget_record_ids, move_product_to_new_path, provision_existing, retire_artifact,
    set_artifact_status, set_status,
};
pub(crate) use state::{Artifact, ArtifactStatus, Guidance, Principals, State, Status};
pub(crate) use view::view;

use crate::spec::Operation;

pub(crate) const OPERATIONS: &[Operation] = &[
    Operation::read(
        "SearchProvisionedProducts",
        input::SEARCH_PROVISIONED_PRODUCTS,
        search::search_provisioned_products,
    ),
    Operation::read(
        "ScanProvisionedProducts",
        input::SCAN_PROVISIONED_PRODUCTS,
        search::scan_provisioned_products,
    ),
    Operation::read(
        "DescribeProvisionedProduct",
        input::DESCRIBE_PROVISIONED_PRODUCT,
        search::describe_provisioned_product,
    ),
    Operation::read("SearchProducts", input::SEARCH_PRODUCTS, products::search_products),
    Operation::read("DescribeProduct", input::DESCRIBE_PRODUCT, products::describe_product),
    Operation::read(
        "DescribeProductAsAdmin",
        input::DESCRIBE_PRODUCT_AS_ADMIN,
        products::describe_product_as_admin,
    ),
    Operation::read("ListLaunchPaths", input::LIST_LAUNCH_PATHS, products::list_launch_paths),
    Operation::read(
        "ListProvisioningArtifacts",
        input::LIST_PROVISIONING_ARTIFACTS,
        products::list_provisioning_artifacts,
    ),
    Operation::read(
        "DescribeProvisioningArtifact",
        input::DESCRIBE_PROVISIONING_ARTIFACT,
        products::describe_provisioning_artifact,
    ),
    Operation::read(
        "DescribeProvisioningParameters",
        input::DESCRIBE_PROVISIONING_PARAMETERS,
        parameters::describe_provisioning_parameters,
    ),
    Operation::read(
        "GetProvisionedProductOutputs",
        input::GET_PROVISIONED_PRODUCT_OUTPUTS,
        records::get_provisioned_product_outputs,
    ),
    Operation::read("DescribeRecord", input::DESCRIBE_RECORD, records::describe_record),
    Operation::read("ListRecordHistory", input::LIST_RECORD_HISTORY, records::list_record_history),
    Operation::write(
        "UpdateProvisionedProduct",
        input::UPDATE_PROVISIONED_PRODUCT,
        update::update_provisioned_product,
    ),
];
