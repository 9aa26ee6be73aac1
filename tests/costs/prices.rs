//! What AWS asks, in us-east-1, in November 2026; in nano-USD unless a name says otherwise.

/// An amount of nano-USD. Prices of AWS's are no money of the books, so they have no type there.
pub(super) type Nano = u64;

/// One USD.
pub(super) const USD: Nano = 1_000_000_000;
/// Days of a month, here.
pub(super) const DAYS: u64 = 30;

/// Half of a write request unit, a million times: 0.625 USD a million since November 2024.
pub(super) const MILLION_HALF_WRITES: Nano = 312_500_000;
/// Half of a read request unit, a million times: 0.125 USD a million.
pub(super) const MILLION_HALF_READS: Nano = 62_500_000;
/// A GB in the table for a month, beyond the first 25.
pub(super) const STORED_GB: Nano = 250_000_000;
/// A GB of the table in point-in-time recovery, for a month.
pub(super) const RECOVERABLE_GB: Nano = 200_000_000;

/// A GB-second of an arm64 function, in pico-USD.
pub(super) const GB_SECOND_PICO: u64 = 13_333_400;
/// A million calls of functions.
pub(super) const MILLION_INVOCATIONS: Nano = 200_000_000;
/// A GB that a function streams, beyond the first 6 MB of each answer.
pub(super) const STREAMED_GB: Nano = 8_000_000;

/// A million HTTPS requests at CloudFront, in North America.
pub(super) const MILLION_REQUESTS: Nano = USD;
/// A million runs of a function at CloudFront.
pub(super) const MILLION_EDGE_RUNS: Nano = 100_000_000;
/// A GB from CloudFront, beyond the first TB of a month.
pub(super) const SENT_GB: Nano = 85_000_000;

/// A secret for a month.
pub(super) const SECRET: Nano = 400_000_000;
/// Ten thousand reads of secrets.
pub(super) const TEN_THOUSAND_READS_OF_SECRETS: Nano = 50_000_000;
/// A million runs of schedules, beyond the first 14 million of a month.
pub(super) const MILLION_SCHEDULED: Nano = USD;
/// A GB of logs.
pub(super) const LOGGED_GB: Nano = 500_000_000;
/// An alarm for a month, beyond the first ten of an account.
pub(super) const ALARM: Nano = 100_000_000;
/// A dashboard for a month, beyond the first three of an account.
pub(super) const DASHBOARD: Nano = 3 * USD;

/// Where they stand.
pub(super) const PAGES: &[&str] = &[
    "https://aws.amazon.com/dynamodb/pricing/on-demand/",
    "https://aws.amazon.com/lambda/pricing/",
    "https://aws.amazon.com/cloudfront/pricing/",
    "https://aws.amazon.com/secrets-manager/pricing/",
    "https://aws.amazon.com/eventbridge/pricing/",
    "https://aws.amazon.com/cloudwatch/pricing/",
];
