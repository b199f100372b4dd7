//! The SDKs' clients: built once, without a network call, every call bounded in time and retried at one layer only.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::config::{AppName, BehaviorVersion, Region as SdkRegion, SharedHttpClient};
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use responder_engine::port::Region;

use crate::config::{FunctionConfig, ServiceEndpoints};

/// One client a service; for ECS and Secrets Manager, one a Region.
#[derive(Debug)]
pub(crate) struct SdkClients {
    /// For the ledger.
    pub(crate) dynamodb: aws_sdk_dynamodb::Client,
    /// For pages.
    pub(crate) sns: aws_sdk_sns::Client,
    config: FunctionConfig,
    http: SharedHttpClient,
    ecs: Mutex<BTreeMap<Region, aws_sdk_ecs::Client>>,
    secrets: Mutex<BTreeMap<Region, aws_sdk_secretsmanager::Client>>,
}

impl SdkClients {
    /// Builds the clients.
    pub(crate) fn new(config: &FunctionConfig) -> Self {
        let http = http(&config.endpoints);
        let mut dynamodb = aws_sdk_dynamodb::Config::builder()
            .behavior_version(version())
            .http_client(http.clone())
            .region(SdkRegion::new(config.region.clone()))
            .credentials_provider(config.credentials.clone())
            .timeout_config(timeouts())
            .retry_config(retries());
        dynamodb.set_endpoint_url(config.endpoints.dynamodb.clone());
        let mut sns = aws_sdk_sns::Config::builder()
            .behavior_version(version())
            .http_client(http.clone())
            .region(SdkRegion::new(config.topic_region.clone()))
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
            secrets: Mutex::default(),
        }
    }

    /// The ECS client of a Region.
    pub(crate) fn ecs(&self, region: &Region) -> aws_sdk_ecs::Client {
        let mut clients = self.ecs.lock().unwrap_or_else(PoisonError::into_inner);
        let client = clients.entry(region.clone()).or_insert_with(|| {
            let mut ecs = aws_sdk_ecs::Config::builder()
                .behavior_version(version())
                .http_client(self.http.clone())
                .region(SdkRegion::new(region.name().to_owned()))
                .credentials_provider(self.config.credentials.clone())
                .timeout_config(timeouts())
                .retry_config(retries());
            // In the user agent: by this our deployments can be told from others in CloudTrail.
            ecs.set_app_name(AppName::new(APP_NAME).ok());
            ecs.set_endpoint_url(self.config.endpoints.ecs.clone());
            aws_sdk_ecs::Client::from_conf(ecs.build())
        });
        client.clone()
    }

    /// The Secrets Manager client of a Region.
    pub(crate) fn secrets(&self, region: &Region) -> aws_sdk_secretsmanager::Client {
        let mut clients = self.secrets.lock().unwrap_or_else(PoisonError::into_inner);
        let client = clients.entry(region.clone()).or_insert_with(|| {
            let mut secrets = aws_sdk_secretsmanager::Config::builder()
                .behavior_version(version())
                .http_client(self.http.clone())
                .region(SdkRegion::new(region.name().to_owned()))
                .credentials_provider(self.config.credentials.clone())
                .timeout_config(timeouts())
                .retry_config(retries());
            secrets.set_endpoint_url(self.config.endpoints.secrets_manager.clone());
            aws_sdk_secretsmanager::Client::from_conf(secrets.build())
        });
        client.clone()
    }
}

/// What our calls of ECS call themselves.
const APP_NAME: &str = "secrets-responder";

fn version() -> BehaviorVersion {
    BehaviorVersion::v2026_01_12()
}

/// One HTTP client for all: one TLS configuration. Reading this system's trusted certificates is most of a cold start, and
/// is left out where no endpoint speaks TLS.
fn http(endpoints: &ServiceEndpoints) -> SharedHttpClient {
    let provider = Provider::Rustls(CryptoMode::AwsLc);
    let all = [&endpoints.dynamodb, &endpoints.ecs, &endpoints.secrets_manager, &endpoints.sns];
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
