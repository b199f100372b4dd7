//! The SDKs' clients: built once, without a network call; every call is bounded in time, and retried at one layer only.

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

/// One client for each service; for ECS and Secrets Manager, one for each Region.
#[derive(Debug)]
pub(crate) struct SdkClients {
    /// For the ledger.
    pub(crate) dynamodb: aws_sdk_dynamodb::Client,
    /// For pages.
    pub(crate) sns: aws_sdk_sns::Client,
    config: FunctionConfig,
    http_client: SharedHttpClient,
    ecs: Mutex<BTreeMap<Region, aws_sdk_ecs::Client>>,
    secrets: Mutex<BTreeMap<Region, aws_sdk_secretsmanager::Client>>,
}

impl SdkClients {
    /// Builds the clients.
    pub(crate) fn new(config: &FunctionConfig) -> Self {
        let http_client = build_http_client(&config.endpoints);
        let mut dynamodb = aws_sdk_dynamodb::Config::builder()
            .behavior_version(behavior_version())
            .http_client(http_client.clone())
            .region(SdkRegion::new(config.region.clone()))
            .credentials_provider(config.credentials.clone())
            .timeout_config(call_timeouts())
            .retry_config(call_retries());
        dynamodb.set_endpoint_url(config.endpoints.dynamodb.clone());
        let mut sns = aws_sdk_sns::Config::builder()
            .behavior_version(behavior_version())
            .http_client(http_client.clone())
            .region(SdkRegion::new(config.topic_region.clone()))
            .credentials_provider(config.credentials.clone())
            .timeout_config(call_timeouts())
            .retry_config(call_retries());
        sns.set_endpoint_url(config.endpoints.sns.clone());
        Self {
            dynamodb: aws_sdk_dynamodb::Client::from_conf(dynamodb.build()),
            sns: aws_sdk_sns::Client::from_conf(sns.build()),
            config: config.clone(),
            http_client,
            ecs: Mutex::default(),
            secrets: Mutex::default(),
        }
    }

    /// The ECS client of a Region.
    pub(crate) fn ecs(&self, region: &Region) -> aws_sdk_ecs::Client {
        let mut clients = self.ecs.lock().unwrap_or_else(PoisonError::into_inner);
        let client = clients.entry(region.clone()).or_insert_with(|| {
            let mut ecs = aws_sdk_ecs::Config::builder()
                .behavior_version(behavior_version())
                .http_client(self.http_client.clone())
                .region(SdkRegion::new(region.as_str().to_owned()))
                .credentials_provider(self.config.credentials.clone())
                .timeout_config(call_timeouts())
                .retry_config(call_retries());
            // In the user agent, by which CloudTrail tells our deployments from others.
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
                .behavior_version(behavior_version())
                .http_client(self.http_client.clone())
                .region(SdkRegion::new(region.as_str().to_owned()))
                .credentials_provider(self.config.credentials.clone())
                .timeout_config(call_timeouts())
                .retry_config(call_retries());
            secrets.set_endpoint_url(self.config.endpoints.secrets_manager.clone());
            aws_sdk_secretsmanager::Client::from_conf(secrets.build())
        });
        client.clone()
    }
}

/// The application's name in the user agent of calls of ECS.
const APP_NAME: &str = "secrets-responder";

fn behavior_version() -> BehaviorVersion {
    BehaviorVersion::v2026_01_12()
}

/// One HTTP client for all services: one TLS configuration. Most of a cold start is spent on reading this system's trusted
/// certificates, which is left out where no endpoint speaks TLS.
fn build_http_client(endpoints: &ServiceEndpoints) -> SharedHttpClient {
    let builder = Builder::new().tls_provider(Provider::Rustls(CryptoMode::AwsLc));
    let ServiceEndpoints { dynamodb, ecs, secrets_manager, sns } = endpoints;
    let needs_tls =
        [dynamodb, ecs, secrets_manager, sns].into_iter().any(|url| !is_plain_http(url.as_deref()));
    if needs_tls {
        return builder.build_https();
    }
    match TlsContext::builder().with_trust_store(TrustStore::empty()).build() {
        Ok(trusts_nobody) => builder.tls_context(trusts_nobody).build_https(),
        Err(_) => builder.build_https(),
    }
}

/// Without an endpoint of its own, a service is called over TLS.
fn is_plain_http(url: Option<&str>) -> bool {
    url.is_some_and(|url| url.starts_with("http://"))
}

/// The SDKs have no read, attempt or operation timeout by default. The invocation's deadline bounds each call as well.
fn call_timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(2))
        .read_timeout(Duration::from_secs(4))
        .operation_attempt_timeout(Duration::from_secs(5))
        .operation_timeout(Duration::from_secs(12))
        .build()
}

/// Few attempts close together: a call that fails for longer is repeated by the queue.
fn call_retries() -> RetryConfig {
    RetryConfig::standard()
        .with_max_attempts(3)
        .with_initial_backoff(Duration::from_millis(200))
        .with_max_backoff(Duration::from_secs(2))
}
