//! The session with AWS: credentials, account and Regions, and errors that say which call failed and why, but hold no data.

use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_sts::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};

/// The codes with which the services say that something does not exist.
const NOT_FOUND_CODES: [&str; 8] = [
    "ResourceNotFoundException",
    "NotFound",
    "NotFoundException",
    "NoSuchEntity",
    "AWS.SimpleQueueService.NonExistentQueue",
    "QueueDoesNotExist",
    "TrailNotFoundException",
    "TableNotFoundException",
];

/// How to reach AWS: with the credentials of the environment or of a profile, as the AWS CLI does.
#[derive(Clone, Debug)]
pub(crate) struct AwsSession {
    config: SdkConfig,
    /// The account's id.
    pub(crate) account: String,
    /// `aws`, `aws-cn` or `aws-us-gov`.
    pub(crate) partition: String,
    /// The Region of the responder.
    pub(crate) home_region: String,
}

/// Why there is no session.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AwsSessionError {
    /// No Region is set.
    #[error("no Region is set: give --region, or set AWS_REGION")]
    NoRegion,
    /// `GetCallerIdentity` failed.
    #[error(
        "the caller's identity is unknown: {0}\nAre there credentials? `aws sts get-caller-identity` must work"
    )]
    NoIdentity(String),
}

/// A call that failed: `sqs:ListQueues: AccessDenied`. It holds nothing of the answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{call}: {code}")]
pub(crate) struct CallError {
    call: &'static str,
    code: String,
}

/// The answer of a call, or the call that failed.
pub(crate) type CallResult<T> = Result<T, CallError>;

impl AwsSession {
    /// Finds the credentials and the Region, and asks whose they are.
    pub(crate) async fn open(profile: Option<&str>, region: Option<&str>) -> Result<Self, AwsSessionError> {
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(Duration::from_secs(5))
            .operation_attempt_timeout(Duration::from_secs(20))
            .operation_timeout(Duration::from_secs(90))
            .build();
        let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12())
            .timeout_config(timeouts)
            .retry_config(RetryConfig::standard().with_max_attempts(6));
        if let Some(profile) = profile {
            loader = loader.profile_name(profile);
        }
        if let Some(region) = region {
            loader = loader.region(Region::new(region.to_owned()));
        }
        let config = loader.load().await;
        let home_region = config.region().ok_or(AwsSessionError::NoRegion)?.to_string();
        let answer = aws_sdk_sts::Client::new(&config).get_caller_identity().send().await;
        let identity = match answer {
            Ok(identity) => identity,
            Err(error) => return Err(AwsSessionError::NoIdentity(DisplayErrorContext(&error).to_string())),
        };
        let arn = identity.arn().unwrap_or_default();
        let partition = arn.split(':').nth(1).unwrap_or("aws").to_owned();
        let account = identity.account().unwrap_or_default().to_owned();
        Ok(Self { config, account, partition, home_region })
    }

    /// The configuration for the clients of a Region.
    pub(crate) fn config_for(&self, region: &str) -> SdkConfig {
        self.config.to_builder().region(Region::new(region.to_owned())).build()
    }

    /// The ARN of a resource of the account in its home Region.
    pub(crate) fn home_arn(&self, service: &str, resource: &str) -> String {
        format!("arn:{}:{service}:{}:{}:{resource}", self.partition, self.home_region, self.account)
    }

    /// The Regions that are enabled for the account.
    pub(crate) async fn list_enabled_regions(&self) -> CallResult<Vec<String>> {
        use aws_sdk_account::types::RegionOptStatus::{Enabled, EnabledByDefault};
        let client = aws_sdk_account::Client::new(&self.config);
        let request = client.list_regions().region_opt_status_contains(Enabled);
        let request = request.region_opt_status_contains(EnabledByDefault);
        let mut pages = request.into_paginator().send();
        let mut regions = Vec::new();
        while let Some(page) = pages.next().await {
            for region in page.for_call("account:ListRegions")?.regions() {
                regions.extend(region.region_name().map(str::to_owned));
            }
        }
        regions.sort();
        Ok(regions)
    }
}

/// The answer of a call, whose error still has to say which call it was.
pub(crate) trait CallAnswer<T> {
    /// The answer, or an error that names the call, such as `sqs:ListQueues`.
    fn for_call(self, call: &'static str) -> CallResult<T>;

    /// The answer; nothing where the resource does not exist.
    fn if_exists(self, call: &'static str) -> CallResult<Option<T>>;
}

impl<T, E: ProvideErrorMetadata> CallAnswer<T> for Result<T, SdkError<E>> {
    fn for_call(self, call: &'static str) -> CallResult<T> {
        let error = match self {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        let code = match &error {
            SdkError::ServiceError(_) => error.code().unwrap_or("refused without a code"),
            SdkError::TimeoutError(_) => "no answer in time",
            SdkError::DispatchFailure(_) => "no connection",
            _ => "no answer that could be read",
        };
        Err(CallError { call, code: code.to_owned() })
    }

    fn if_exists(self, call: &'static str) -> CallResult<Option<T>> {
        if let Err(error) = &self
            && error.code().is_some_and(|code| NOT_FOUND_CODES.contains(&code))
        {
            return Ok(None);
        }
        self.for_call(call).map(Some)
    }
}
