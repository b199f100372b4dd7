//! Prices of us-east-1 in US dollars, without free tiers and discounts, each with the page on which it was read.

/// A price.
#[derive(Clone, Copy, Debug)]
pub(super) struct UnitPrice {
    /// The product.
    pub(super) product: &'static str,
    /// US dollars for `per` of it.
    pub(super) dollars: f64,
    pub(super) per: f64,
    /// `per` in words.
    pub(super) unit: &'static str,
    /// The page on which it was read; a price without one is believed.
    pub(super) source: Option<&'static str>,
}

/// The day on which all of them were read, in stored copies of 2025 and 2026.
pub(super) const READ_ON: &str = "2026-11-21";

impl UnitPrice {
    /// The price of so many, in US dollars.
    pub(super) fn times(&self, count: f64) -> f64 {
        count / self.per * self.dollars
    }
}

const MILLION: f64 = 1_000_000.0;
const GIGABYTE: f64 = 1_073_741_824.0;

const fn make_price(
    product: &'static str,
    (dollars, per, unit): (f64, f64, &'static str),
    source: Option<&'static str>,
) -> UnitPrice {
    UnitPrice { product, dollars, per, unit, source }
}

pub(super) const REQUEST: UnitPrice = make_price(
    "Lambda: requests",
    (0.20, MILLION, "million"),
    Some(
        "https://git.mcrn.ar/mariano/lambda_local_runner/src/commit/957e45b8adae23ce50b966346229585b5df18b4d/docs/lambdas-md/lambda-13-cost.md",
    ),
);
pub(super) const DURATION: UnitPrice = make_price(
    "Lambda: time, arm64",
    (0.000_013_333_4, 1.0, "GB-second"),
    Some("https://cloudchipr.com/blog/aws-lambda-pricing"),
);
pub(super) const WRITE: UnitPrice = make_price(
    "DynamoDB on demand: write request units",
    (0.625, MILLION, "million"),
    Some("https://airbyte.com/data-engineering-resources/dynamodb-pricing"),
);
pub(super) const READ_UNIT: UnitPrice = make_price(
    "DynamoDB on demand: read request units",
    (0.125, MILLION, "million"),
    Some("https://airbyte.com/data-engineering-resources/dynamodb-pricing"),
);
pub(super) const STORED: UnitPrice =
    make_price("DynamoDB: storage and its point-in-time recovery", (0.45, GIGABYTE, "GB-month"), None);
pub(super) const MESSAGE: UnitPrice = make_price(
    "SQS: requests of standard queues",
    (0.40, MILLION, "million"),
    Some("https://cloudburn.io/blog/amazon-sqs-pricing"),
);
pub(super) const MANAGED: UnitPrice = make_price(
    "EventBridge: AWS management events, ingested and delivered in their Region",
    (0.0, MILLION, "million"),
    Some("https://aws.amazon.com/eventbridge/pricing/"),
);
pub(super) const HOP: UnitPrice =
    make_price("EventBridge: delivery to a bus of another Region", (1.00, MILLION, "million of 64 KB"), None);
pub(super) const TRANSFER: UnitPrice = make_price("Data between Regions", (0.02, GIGABYTE, "GB"), None);
pub(super) const LOGS: UnitPrice = make_price(
    "CloudWatch: logs, ingested",
    (0.50, GIGABYTE, "GB"),
    Some("https://www.factualminds.com/blog/amazon-cloudwatch-pricing-metrics-logs-alarms-dashboards/"),
);
pub(super) const METRIC: UnitPrice = make_price(
    "CloudWatch: metrics of one's own",
    (0.30, 1.0, "metric-month"),
    Some("https://signoz.io/guides/cloudwatch-pricing"),
);
pub(super) const ALARM: UnitPrice = make_price(
    "CloudWatch: alarms of standard resolution",
    (0.10, 1.0, "alarm-month"),
    Some("https://c3x.dev/resources/aws/aws_cloudwatch_metric_alarm"),
);
pub(super) const DASHBOARD: UnitPrice = make_price(
    "CloudWatch: dashboards",
    (3.00, 1.0, "dashboard-month"),
    Some("https://www.factualminds.com/blog/amazon-cloudwatch-pricing-metrics-logs-alarms-dashboards/"),
);
pub(super) const PUBLISH: UnitPrice = make_price(
    "SNS: publishing to a standard topic",
    (0.50, MILLION, "million"),
    Some("https://www.factualminds.com/blog/amazon-sns-pricing-publishes-fanout-protocols/"),
);
pub(super) const MAIL: UnitPrice = make_price(
    "SNS: mails",
    (2.00, 100_000.0, "100,000"),
    Some("https://www.factualminds.com/blog/amazon-sns-pricing-publishes-fanout-protocols/"),
);
pub(super) const KEY: UnitPrice =
    make_price("KMS: keys", (1.00, 1.0, "key-month"), Some("https://aws.amazon.com/kms/pricing/"));
pub(super) const KMS: UnitPrice = make_price(
    "KMS: requests",
    (0.03, 10_000.0, "10,000"),
    Some("https://www.wring.co/blog/aws-kms-pricing-guide"),
);
pub(super) const SECRETS: UnitPrice = make_price(
    "Secrets Manager: calls",
    (0.05, 10_000.0, "10,000"),
    Some("https://hivebook.wiki/wiki/aws-secrets-manager-rotated-secrets-dynamic-db-credentials-kms"),
);
pub(super) const ECS: UnitPrice = make_price("ECS: calls", (0.0, MILLION, "million"), None);
pub(super) const TRAIL: UnitPrice = make_price(
    "CloudTrail: the first copy of management events",
    (0.0, 100_000.0, "100,000"),
    Some(
        "https://docs.aws.amazon.com/prescriptive-guidance/latest/secure-dx-telemetry-sharing-with-wan-service-providers/cost-model.html",
    ),
);

/// All of them, in the order of the document.
pub(super) const ALL_PRICES: [UnitPrice; 19] = [
    REQUEST, DURATION, WRITE, READ_UNIT, STORED, MESSAGE, MANAGED, HOP, TRANSFER, LOGS, METRIC, ALARM,
    DASHBOARD, PUBLISH, MAIL, KEY, KMS, SECRETS, TRAIL,
];
