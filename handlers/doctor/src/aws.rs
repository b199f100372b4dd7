//! The account and its Regions: clients, and calls whose errors say which call failed and why, but hold no data.

use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_sts::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};

/// How to reach AWS: the credentials and Regions of the environment or of a profile, as with the AWS CLI.
#[derive(Clone, Debug)]
pub(crate) struct Aws {
    config: SdkConfig,
    /// The account's id.
    pub(crate) account: String,
    /// `aws`, `aws-cn` or `aws-us-gov`.
    pub(crate) partition: String,
    /// The Region of the responder.
    pub(crate) home: String,
}

/// Why AWS could not be asked at all.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AwsError {
    /// No Region is set.
    #[error("no Region is set: give --region, or set AWS_REGION")]
    NoRegion,
    /// Who we are cannot be learned.
    #[error(
        "AWS cannot be asked who we are: {0}\nAre there credentials? `aws sts get-caller-identity` must work"
    )]
    Nobody(String),
}

impl Aws {
    /// Finds credentials and Region, and learns whose they are.
    pub(crate) async fn load(profile: Option<&str>, region: Option<&str>) -> Result<Self, AwsError> {
        let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12())
            .timeout_config(
                TimeoutConfig::builder()
                    .connect_timeout(Duration::from_secs(5))
                    .operation_attempt_timeout(Duration::from_secs(20))
                    .operation_timeout(Duration::from_secs(90))
                    .build(),
            )
            .retry_config(RetryConfig::standard().with_max_attempts(6));
        if let Some(profile) = profile {
            loader = loader.profile_name(profile);
        }
        if let Some(region) = region {
            loader = loader.region(Region::new(region.to_owned()));
        }
        let config = loader.load().await;
        let home = config.region().ok_or(AwsError::NoRegion)?.to_string();
        let identity = aws_sdk_sts::Client::new(&config).get_caller_identity().send().await;
        let identity = identity.map_err(|error| AwsError::Nobody(DisplayErrorContext(&error).to_string()))?;
        let partition = identity.arn().and_then(|arn| arn.split(':').nth(1)).unwrap_or("aws").to_owned();
        let account = identity.account().unwrap_or_default().to_owned();
        Ok(Self { config, account, partition, home })
    }

    /// The configuration for clients of a Region.
    pub(crate) fn of(&self, region: &str) -> SdkConfig {
        self.config.to_builder().region(Region::new(region.to_owned())).build()
    }

    /// The Regions that are enabled for the account.
    pub(crate) async fn regions(&self) -> Result<Vec<String>, String> {
        use aws_sdk_account::types::RegionOptStatus::{Enabled, EnabledByDefault};
        let client = aws_sdk_account::Client::new(&self.config);
        let (mut regions, mut token) = (Vec::new(), None);
        loop {
            let page = client.list_regions().region_opt_status_contains(Enabled);
            let page = page.region_opt_status_contains(EnabledByDefault).set_next_token(token).send().await;
            let page = page.map_err(|error| why("account:ListRegions", &error))?;
            regions
                .extend(page.regions().iter().filter_map(|region| region.region_name()).map(str::to_owned));
            token = page.next_token().map(str::to_owned);
            if token.is_none() {
                regions.sort();
                return Ok(regions);
            }
        }
    }
}

/// Which call failed, and its error code.
pub(crate) fn why<E: ProvideErrorMetadata>(call: &str, error: &SdkError<E>) -> String {
    let code = match error {
        SdkError::ServiceError(_) => error.code().unwrap_or("refused without a code"),
        SdkError::TimeoutError(_) => "no answer in time",
        SdkError::DispatchFailure(_) => "no connection",
        _ => "no answer that could be read",
    };
    format!("{call}: {code}")
}

/// Whether an error means that there is no such thing.
pub(crate) fn is_missing<E: ProvideErrorMetadata>(error: &SdkError<E>) -> bool {
    const CODES: [&str; 8] = [
        "ResourceNotFoundException",
        "NotFound",
        "NotFoundException",
        "NoSuchEntity",
        "AWS.SimpleQueueService.NonExistentQueue",
        "QueueDoesNotExist",
        "TrailNotFoundException",
        "TableNotFoundException",
    ];
    error.code().is_some_and(|code| CODES.contains(&code))
}
