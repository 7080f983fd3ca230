//! A placeholder for the HTTP server: it accepts nothing.

use crate::report::Store;
use crate::report::commands::Commands;
use crate::settings::Secret;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// What is served.
#[derive(Debug)]
pub struct Site {
    /// The shared state.
    pub store: Arc<Store>,
    /// Where to ask.
    pub commands: Commands,
    /// The token.
    pub token: Option<Secret>,
    /// Names.
    pub hosts: Vec<String>,
    /// The version.
    pub version: &'static str,
}

/// Serves nothing until `stop`.
///
/// # Errors
/// Never.
pub async fn serve(
    listener: tokio::net::TcpListener,
    site: Site,
    stop: CancellationToken,
) -> std::io::Result<()> {
    stop.cancelled().await;
    drop((listener, site));
    Ok(())
}
