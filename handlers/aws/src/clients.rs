//! The SDKs' clients: built once, without a network call, every call bounded in time and retried at one layer only.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::config::{BehaviorVersion, Region, SharedHttpClient};
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};

use crate::config::{Config, Endpoints};

/// One client a service, and for ECS one a Region.
#[derive(Debug)]
pub(crate) struct Clients {
    /// For the ledger.
    pub(crate) dynamodb: aws_sdk_dynamodb::Client,
    /// For pages.
    pub(crate) sns: aws_sdk_sns::Client,
    config: Config,
    http: SharedHttpClient,
    ecs: Mutex<BTreeMap<String, aws_sdk_ecs::Client>>,
}

impl Clients {
    /// Builds the clients.
    pub(crate) fn new(config: &Config) -> Self {
        let http = http(&config.endpoints);
        let mut dynamodb = aws_sdk_dynamodb::Config::builder()
            .behavior_version(version())
            .http_client(http.clone())
            .region(Region::new(config.region.clone()))
            .credentials_provider(config.credentials.clone())
            .timeout_config(timeouts())
            .retry_config(retries());
        dynamodb.set_endpoint_url(config.endpoints.dynamodb.clone());
        let mut sns = aws_sdk_sns::Config::builder()
            .behavior_version(version())
            .http_client(http.clone())
            .region(Region::new(config.topic_region.clone()))
            .credentials_provider(config.credentials.clone())
            .timeout_config(timeouts())
            .retry_config(retries());
        sns.set_endpoint_url(config.endpoints.sns.clone());
        Self {
            dynamodb: aws_sdk_dynamodb::Client::from_conf(dynamodb.build()),
            sns: aws_sdk_sns::Client::from_conf(sns.build()),
            config: config.clone(),
            http,
            ecs: Mutex::default(),
        }
    }

    /// The ECS client of a Region; `None` if that is no Region's name. The name comes from an event and becomes a part of
    /// a host's name: a signed request must not go anywhere else.
    pub(crate) fn ecs(&self, region: &str) -> Option<aws_sdk_ecs::Client> {
        if !is_region(region) {
            return None;
        }
        let mut clients = self.ecs.lock().unwrap_or_else(PoisonError::into_inner);
        let client = clients.entry(region.to_owned()).or_insert_with(|| {
            let mut ecs = aws_sdk_ecs::Config::builder()
                .behavior_version(version())
                .http_client(self.http.clone())
                .region(Region::new(region.to_owned()))
                .credentials_provider(self.config.credentials.clone())
                .timeout_config(timeouts())
                .retry_config(retries());
            ecs.set_endpoint_url(self.config.endpoints.ecs.clone());
            aws_sdk_ecs::Client::from_conf(ecs.build())
        });
        Some(client.clone())
    }
}

fn version() -> BehaviorVersion {
    BehaviorVersion::v2026_01_12()
}

/// One HTTP client for all: one TLS configuration. Reading this system's trusted certificates is most of a cold start, and
/// is left out where no endpoint speaks TLS.
fn http(endpoints: &Endpoints) -> SharedHttpClient {
    let provider = Provider::Rustls(CryptoMode::AwsLc);
    let all = [&endpoints.dynamodb, &endpoints.ecs, &endpoints.sns];
    let plain = |url: &&Option<String>| url.as_ref().is_some_and(|url| url.starts_with("http://"));
    if !all.iter().all(plain) {
        return Builder::new().tls_provider(provider).build_https();
    }
    match TlsContext::builder().with_trust_store(TrustStore::empty()).build() {
        Ok(nobody) => Builder::new().tls_provider(provider).tls_context(nobody).build_https(),
        Err(_) => Builder::new().tls_provider(provider).build_https(),
    }
}

/// There is no read, attempt or operation timeout by default. The invocation's deadline bounds all of them again.
fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(2))
        .read_timeout(Duration::from_secs(4))
        .operation_attempt_timeout(Duration::from_secs(5))
        .operation_timeout(Duration::from_secs(12))
        .build()
}

/// Few attempts close together: the queue is the patient one.
fn retries() -> RetryConfig {
    RetryConfig::standard()
        .with_max_attempts(3)
        .with_initial_backoff(Duration::from_millis(200))
        .with_max_backoff(Duration::from_secs(2))
}

/// Such as `us-west-2`, `us-gov-east-1` or `us-iso-east-1`.
fn is_region(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let Some((number, words)) = parts.split_last() else { return false };
    let word = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase());
    text.len() <= 32
        && words.len() >= 2
        && words.iter().all(word)
        && (1..=2).contains(&number.len())
        && number.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::is_region;

    #[test]
    fn only_a_regions_name_becomes_a_host() {
        for region in ["us-west-2", "us-gov-east-1", "ap-southeast-7", "us-isob-east-1", "eusc-de-east-1"] {
            assert!(is_region(region), "{region}");
        }
        for text in [
            "",
            "us-west",
            "us-west-2.evil.example",
            "us-west-2/",
            "US-WEST-2",
            "us--2",
            "a-b-c#-1",
            "us-west-",
        ] {
            assert!(!is_region(text), "{text}");
        }
    }
}
