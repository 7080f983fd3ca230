//! The HTTP client, and a layer over it that reads AWS's time.

use aws_smithy_http_client::tls::{Provider, TlsContext, rustls_provider::CryptoMode};
use aws_smithy_http_client::{Connector, proxy::ProxyConfig};
use aws_smithy_runtime_api::client::connector_metadata::ConnectorMetadata;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use jiff::Timestamp;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

/// Idle connections kept a host. A pass asks one service at most this often at the same time.
const MAX_IDLE_PER_HOST: usize = 8;

/// Load balancers of AWS close idle connections after about a minute; we close first and never write into a closed one.
const IDLE_TIMEOUT: Duration = Duration::from_secs(50);

/// The one HTTP client of the process.
pub(super) fn https_client() -> SharedHttpClient {
    let tls = TlsContext::default();
    aws_smithy_http_client::Builder::new().build_with_connector_fn(move |settings, components| {
        let mut builder = Connector::builder()
            .proxy_config(ProxyConfig::from_env())
            .pool_max_idle_per_host(MAX_IDLE_PER_HOST)
            .pool_idle_timeout(IDLE_TIMEOUT)
            .tls_provider(Provider::Rustls(CryptoMode::Ring))
            .tls_context(tls.clone());
        builder.set_connector_settings(settings.cloned());
        builder.set_sleep_impl(components.and_then(RuntimeComponents::sleep_impl));
        builder.build()
    })
}

/// The newest `Date` header seen.
#[derive(Clone, Debug)]
pub(super) struct AwsTime(Arc<AtomicI64>);

/// "Not seen yet": no answer of AWS is from that year.
const NEVER: i64 = i64::MIN;

impl Default for AwsTime {
    fn default() -> Self {
        Self(Arc::new(AtomicI64::new(NEVER)))
    }
}

impl AwsTime {
    pub(super) fn newest(&self) -> Option<Timestamp> {
        match self.0.load(Ordering::Relaxed) {
            NEVER => None,
            seconds => Timestamp::from_second(seconds).ok(),
        }
    }

    /// Answers that overtake each other do not turn time back.
    fn saw(&self, header: &str) {
        if let Ok(date) = DateTime::from_str(header, Format::HttpDate) {
            self.0.fetch_max(date.secs(), Ordering::Relaxed);
        }
    }
}

/// An HTTP client that passes everything on and notes the `Date` of each answer.
#[derive(Debug)]
pub(super) struct Dated {
    inner: SharedHttpClient,
    time: AwsTime,
}

impl Dated {
    pub(super) fn new(inner: SharedHttpClient, time: AwsTime) -> Self {
        Self { inner, time }
    }
}

impl HttpClient for Dated {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let inner = self.inner.http_connector(settings, components);
        SharedHttpConnector::new(DatedConnector { inner, time: self.time.clone() })
    }

    fn connector_metadata(&self) -> Option<ConnectorMetadata> {
        self.inner.connector_metadata()
    }
}

#[derive(Debug)]
struct DatedConnector {
    inner: SharedHttpConnector,
    time: AwsTime,
}

impl HttpConnector for DatedConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (answer, time) = (self.inner.call(request), self.time.clone());
        HttpConnectorFuture::new(async move {
            let answer = answer.await?;
            if let Some(date) = answer.headers().get("date") {
                time.saw(date);
            }
            Ok(answer)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_date_counts_and_nonsense_does_not() {
        let time = AwsTime::default();
        assert_eq!(time.newest(), None);
        for header in ["Sat, 01 Aug 2026 10:00:00 GMT", "soon", "Sat, 01 Aug 2026 09:00:00 GMT"] {
            time.saw(header);
        }
        assert_eq!(time.newest().unwrap().to_string(), "2026-08-01T10:00:00Z");
    }
}
