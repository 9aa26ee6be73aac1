//! What the books cost: asks the database, where the SDK speaks HTTP, for the capacity that each
//! operation consumed, and keeps it by operation and by kind of item.
//!
//! A write whose condition fails consumes its units too, but the answer does not tell how many: they
//! are counted here, by the size of the item that the answer shows, or as one.
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html>

use std::collections::BTreeMap;
use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Sub};
use std::sync::{Arc, Mutex};

use aws_sdk_dynamodb::config::{HttpClient, RuntimeComponents, SharedHttpClient};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use serde_json::{Map, Value, json};

/// Request units, in halves: an eventually consistent read of 4 KB is half of one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Units(u64);

/// What one operation consumed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charge {
    /// The operation's name, as `PutItem`.
    pub operation: String,
    /// The kind of item: what its partition key begins with, as `WALLET`; `listing` for the index.
    pub kind: String,
    /// Units written, those of the index included.
    pub written: Units,
    /// Of which the index took so many.
    pub index: Units,
    /// Units read.
    pub read: Units,
    /// How many bytes the item has that was put, names included.
    pub item_bytes: u64,
    /// Whether a condition did not hold.
    pub refused: bool,
}

/// What a number of operations consumed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sums {
    pub operations: u64,
    pub written: Units,
    pub index: Units,
    pub read: Units,
}

/// Keeps the charges of every operation that went through it.
#[derive(Debug, Clone, Default)]
pub struct Meter(Arc<Mutex<Vec<Charge>>>);

impl Meter {
    /// An HTTP client whose operations are counted.
    #[must_use]
    pub fn over(&self, inner: SharedHttpClient) -> SharedHttpClient {
        SharedHttpClient::new(Metered {
            meter: self.clone(),
            inner,
        })
    }

    /// What was charged since the last time it was asked.
    #[must_use]
    pub fn take(&self) -> Vec<Charge> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

/// All of them.
#[must_use]
pub fn sum(charges: &[Charge]) -> Sums {
    let mut all = Sums::default();
    for charge in charges {
        all.add(charge);
    }
    all
}

/// By the kind of item.
#[must_use]
pub fn by_kind(charges: &[Charge]) -> BTreeMap<String, Sums> {
    let mut kinds: BTreeMap<String, Sums> = BTreeMap::new();
    for charge in charges {
        kinds.entry(charge.kind.clone()).or_default().add(charge);
    }
    kinds
}

impl Sums {
    fn add(&mut self, charge: &Charge) {
        self.operations += 1;
        self.written += charge.written;
        self.index += charge.index;
        self.read += charge.read;
    }
}

impl Units {
    #[must_use]
    pub const fn whole(units: u64) -> Self {
        Self(units * 2)
    }

    #[must_use]
    pub const fn of_halves(halves: u64) -> Self {
        Self(halves)
    }

    #[must_use]
    pub const fn halves(self) -> u64 {
        self.0
    }

    /// What a write of so many bytes consumes: a unit per KB, at least one.
    #[must_use]
    pub fn to_write(bytes: u64) -> Self {
        Self::whole(bytes.div_ceil(1_024).max(1))
    }

    /// A number of units, as an engine says it.
    fn said(number: Option<&Value>) -> Self {
        let Some(number) = number else {
            return Self::default();
        };
        let text = number.to_string();
        let (whole, part) = text.split_once('.').unwrap_or((&text, "0"));
        let half = match part {
            "0" => 0,
            "5" => 1,
            _ => panic!("{number} units are not halves"),
        };
        Self(whole.parse::<u64>().unwrap() * 2 + half)
    }
}

impl Add for Units {
    type Output = Self;

    fn add(self, more: Self) -> Self {
        Self(self.0 + more.0)
    }
}

impl AddAssign for Units {
    fn add_assign(&mut self, more: Self) {
        self.0 += more.0;
    }
}

impl Sub for Units {
    type Output = Self;

    fn sub(self, less: Self) -> Self {
        Self(self.0.saturating_sub(less.0))
    }
}

impl Sum for Units {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), Add::add)
    }
}

impl fmt::Display for Units {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = if self.0.is_multiple_of(2) { "" } else { ".5" };
        write!(f, "{}{part}", self.0 / 2)
    }
}

#[derive(Debug)]
struct Metered {
    meter: Meter,
    inner: SharedHttpClient,
}

#[derive(Debug)]
struct MeteredConnector {
    meter: Meter,
    inner: SharedHttpConnector,
}

impl HttpClient for Metered {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let inner = self.inner.http_connector(settings, components);
        SharedHttpConnector::new(MeteredConnector {
            meter: self.meter.clone(),
            inner,
        })
    }
}

impl HttpConnector for MeteredConnector {
    fn call(&self, mut request: HttpRequest) -> HttpConnectorFuture {
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        let operation = target.rsplit('.').next().unwrap_or_default().to_owned();
        if !OPERATIONS.contains(&operation.as_str()) {
            return self.inner.call(request);
        }
        let bytes = request.body().bytes().unwrap();
        let mut asked: Value = serde_json::from_slice(bytes).unwrap();
        asked["ReturnConsumedCapacity"] = json!("INDEXES");
        let text = asked.to_string();
        // No engine that tests speak to looks at the signature.
        request
            .headers_mut()
            .insert("content-length", text.len().to_string());
        *request.body_mut() = SdkBody::from(text);
        let meter = self.meter.clone();
        let sent = self.inner.call(request);
        HttpConnectorFuture::new(async move {
            let mut response: HttpResponse = sent.await?;
            let body = std::mem::replace(response.body_mut(), SdkBody::taken());
            let bytes = ByteStream::new(body).collect().await.unwrap().into_bytes();
            let told = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
            if let Some(charge) = charge(&operation, &asked, &told) {
                meter.0.lock().unwrap().push(charge);
            }
            *response.body_mut() = SdkBody::from(bytes);
            Ok(response)
        })
    }
}

const WRITES: [&str; 5] = [
    "PutItem",
    "UpdateItem",
    "DeleteItem",
    "BatchWriteItem",
    "TransactWriteItems",
];
const OPERATIONS: [&str; 9] = [
    "PutItem",
    "UpdateItem",
    "DeleteItem",
    "BatchWriteItem",
    "TransactWriteItems",
    "GetItem",
    "BatchGetItem",
    "Query",
    "TransactGetItems",
];

/// What an operation consumed, by its request and its answer; `None` when it was not carried out.
fn charge(operation: &str, asked: &Value, told: &Value) -> Option<Charge> {
    let consumed = &told["ConsumedCapacity"];
    let parts = match consumed {
        Value::Array(parts) => parts.as_slice(),
        Value::Object(_) => std::slice::from_ref(consumed),
        _ => &[],
    };
    let error = told["__type"].as_str().unwrap_or_default();
    let refused = error.ends_with("#ConditionalCheckFailedException")
        || error.ends_with("#TransactionCanceledException");
    if parts.is_empty() && !refused {
        return None;
    }
    let units = if refused {
        unsaid(asked, told)
    } else {
        parts
            .iter()
            .map(|part| Units::said(part.get("CapacityUnits")))
            .sum()
    };
    let index = parts.iter().flat_map(indexes).sum();
    let writes = WRITES.contains(&operation);
    let none = Units::default();
    Some(Charge {
        operation: operation.to_owned(),
        kind: kind(asked),
        written: if writes { units } else { none },
        index: if writes { index } else { none },
        read: if writes { none } else { units },
        item_bytes: asked["Item"].as_object().map_or(0, item_bytes),
        refused,
    })
}

/// The units of the indexes in one table's share.
fn indexes(part: &Value) -> impl Iterator<Item = Units> {
    let found = part["GlobalSecondaryIndexes"].as_object();
    found
        .into_iter()
        .flat_map(Map::values)
        .map(|index| Units::said(index.get("CapacityUnits")))
}

/// What a write consumed that was refused. Of a transaction each action is paid for, twice.
fn unsaid(asked: &Value, told: &Value) -> Units {
    let seen = told["Item"].as_object().map_or(0, item_bytes);
    match asked["TransactItems"].as_array() {
        Some(actions) => actions.iter().map(|_| Units::whole(2)).sum(),
        None => Units::to_write(seen),
    }
}

/// The kind of item that a request is about: that of the first, of several.
fn kind(asked: &Value) -> String {
    let first_action = |actions: &Value| {
        let action = actions[0].as_object()?.values().next()?;
        Some(partition(action))
    };
    let found = first_action(&asked["TransactItems"])
        .or_else(|| {
            let tables = asked["RequestItems"].as_object()?;
            let keys = &tables.values().next()?["Keys"][0];
            Some(keys["pk"]["S"].as_str().unwrap_or_default().to_owned())
        })
        .unwrap_or_else(|| partition(asked));
    let kind = found.split('#').next().unwrap_or_default();
    if asked["IndexName"].is_string() {
        return format!("{kind} (listing)");
    }
    kind.to_owned()
}

fn partition(action: &Value) -> String {
    let named = [
        &action["Key"]["pk"]["S"],
        &action["Item"]["pk"]["S"],
        &action["ExpressionAttributeValues"][":pk"]["S"],
    ];
    let text = named.iter().find_map(|name| name.as_str());
    text.unwrap_or_default().to_owned()
}

/// The size of an item as AWS counts it.
///
/// Names and values; three bytes and one an element for lists and maps; about a byte for each two
/// digits of a number.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html>
#[must_use]
pub fn item_bytes(item: &Map<String, Value>) -> u64 {
    item.iter()
        .map(|(name, value)| name.len() as u64 + value_bytes(value))
        .sum()
}

fn value_bytes(value: &Value) -> u64 {
    let Some((kind, value)) = value.as_object().and_then(|value| value.iter().next()) else {
        return 0;
    };
    match kind.as_str() {
        "S" => value.as_str().map_or(0, str::len) as u64,
        "N" => number_bytes(value.as_str().unwrap_or_default()),
        "M" => {
            let members = value.as_object().unwrap();
            3 + members.len() as u64 + item_bytes(members)
        }
        "L" => {
            let elements = value.as_array().unwrap();
            3 + elements
                .iter()
                .map(|element| 1 + value_bytes(element))
                .sum::<u64>()
        }
        "SS" => value
            .as_array()
            .unwrap()
            .iter()
            .map(|text| text.as_str().map_or(0, str::len) as u64)
            .sum(),
        "BOOL" | "NULL" => 1,
        // Base64: three bytes in four letters.
        "B" => value.as_str().map_or(0, |text| text.len() as u64 / 4 * 3),
        other => panic!("no item of ours holds a {other}"),
    }
}

/// One byte, one for each two significant digits, and one for a sign.
fn number_bytes(number: &str) -> u64 {
    let sign = u64::from(number.starts_with('-'));
    let digits: String = number.chars().filter(char::is_ascii_digit).collect();
    let significant = digits.trim_matches('0').len() as u64;
    1 + significant.div_ceil(2) + sign
}
