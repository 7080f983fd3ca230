//! Finding TED products that nobody named.

use super::convert::found_product;
use super::observation::Product;
use super::shared::Lists;
use crate::aws::{Error, Session};

/// The product's name in the catalog (Turbot's guides and the screenshots in them). Distributors may add words.
const NAME: &str = "turbot guardrails enterprise database";

/// A TED that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// As the search shows it: the index behind it may lag.
    pub product: Product,
    /// Where.
    pub region: String,
}

pub(super) async fn products(session: &Session, lists: Lists<'_>) -> Result<Vec<Found>, Error> {
    let (all, _) = lists.products().await?;
    let mut found: Vec<Found> = all
        .iter()
        .filter(|product| {
            let name = product.product_name.as_deref().unwrap_or_default().to_ascii_lowercase();
            name.contains(NAME)
        })
        .map(|product| Found {
            product: found_product(product.clone()),
            region: session.region().to_owned(),
        })
        .collect();
    found.sort_by(|a, b| a.product.name.cmp(&b.product.name));
    Ok(found)
}
