//! Faults of the database, injected where the SDK speaks HTTP: throttled, timed out, lost.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::RetryConfig;

use aws_sdk_dynamodb::config::{HttpClient, RuntimeComponents, SharedHttpClient};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use relay::dice::Dice;
use tokio_util::task::TaskTracker;

/// What happens to one operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    None,
    /// The table says that it is overloaded; the write is not applied.
    Throttled,
    /// A transaction meets another one; it is not applied.
    Met,
    /// The table refuses the request as such.
    Refused,
    /// No answer comes; the write is not applied.
    Lost,
    /// No answer comes, but the write is applied.
    Applied,
    /// No answer comes, and the write is applied later, when others have been.
    Late,
}

/// How many of a thousand operations something happens to, each.
#[derive(Debug, Clone, Copy)]
pub struct Rates {
    pub throttled: u64,
    pub lost: u64,
    pub applied: u64,
    pub late: u64,
}

/// Faults by chance.
#[derive(Debug)]
struct Storm {
    dice: Dice,
    rates: Rates,
}

/// Writes on their way, each with the number of operations that come before it.
#[derive(Debug, Default)]
struct Afloat(Vec<(u64, SharedHttpConnector, HttpRequest)>);

/// What may befall one write, as one send of it after the other: it must be done once, and be said to
/// be done.
pub const BEFALLS: &[&[Fault]] = &[
    &[Fault::Throttled],
    &[Fault::Throttled; 4],
    &[Fault::Met],
    &[Fault::Met; 4],
    &[Fault::Lost],
    &[Fault::Lost; 4],
    &[Fault::Applied],
    // The SDK sends three times before it says that the outcome is unknown.
    &[Fault::Applied; 3],
    &[Fault::Lost, Fault::Lost, Fault::Applied],
    // It is done, though the last word is that it is not.
    &[Fault::Applied, Fault::Throttled, Fault::Throttled],
    &[Fault::Applied, Fault::Met],
];

/// What happens to the operations of one name, in order; afterwards nothing does.
#[derive(Debug, Clone, Default)]
pub struct Faults {
    planned: Arc<Mutex<VecDeque<(&'static str, Fault)>>>,
    seen: Arc<Mutex<Vec<String>>>,
    storm: Arc<Mutex<Option<Storm>>>,
    afloat: Arc<Mutex<Afloat>>,
    arriving: TaskTracker,
}

impl Faults {
    /// Plans a fault for the next operation of that name.
    pub fn plan(&self, operation: &'static str, fault: Fault) {
        self.planned.lock().unwrap().push_back((operation, fault));
    }

    /// Plans one fault after the other.
    pub fn plan_all(&self, operation: &'static str, faults: &[Fault]) {
        for fault in faults {
            self.plan(operation, *fault);
        }
    }

    /// How many planned faults have not happened yet.
    #[must_use]
    pub fn left(&self) -> usize {
        self.planned.lock().unwrap().len()
    }

    /// Forgets what is still planned.
    pub fn clear(&self) {
        self.planned.lock().unwrap().clear();
    }

    /// Every operation so far.
    #[must_use]
    pub fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }

    /// From now on things happen by chance, too.
    pub fn rage(&self, seed: u64, rates: Rates) {
        let dice = Dice::seeded(seed);
        *self.storm.lock().unwrap() = Some(Storm { dice, rates });
    }

    /// From now on nothing happens that is not planned, and whatever is on its way arrives.
    pub async fn calm(&self) {
        *self.storm.lock().unwrap() = None;
        let afloat = std::mem::take(&mut *self.afloat.lock().unwrap());
        for (_, connector, request) in afloat.0 {
            self.arrive(&connector, request);
        }
        self.arriving.close();
        self.arriving.wait().await;
        self.arriving.reopen();
    }

    fn arrive(&self, connector: &SharedHttpConnector, request: HttpRequest) {
        let sent = connector.call(request);
        self.arriving.spawn(async move {
            let _ = sent.await;
        });
    }

    /// Sends what has waited long enough.
    fn tide(&self) {
        let mut afloat = self.afloat.lock().unwrap();
        for (before, ..) in &mut afloat.0 {
            *before = before.saturating_sub(1);
        }
        let (now, later) = std::mem::take(&mut afloat.0)
            .into_iter()
            .partition(|(before, ..)| *before == 0);
        afloat.0 = later;
        drop(afloat);
        let now: Vec<_> = now;
        for (_, connector, request) in now {
            self.arrive(&connector, request);
        }
    }

    /// How many operations come before a late write; without a storm it arrives when it is told to.
    fn distance(&self) -> u64 {
        let storm = self.storm.lock().unwrap();
        storm
            .as_ref()
            .map_or(u64::MAX, |storm| 1 + storm.dice.below(200))
    }

    fn by_chance(&self, operation: &str) -> Fault {
        let storm = self.storm.lock().unwrap();
        let Some(Storm { dice, rates }) = &*storm else {
            return Fault::None;
        };
        let mut drawn = dice.below(1_000);
        for (rate, fault) in [
            (rates.throttled, Fault::Throttled),
            (rates.lost, Fault::Lost),
            (rates.applied, Fault::Applied),
            (rates.late, Fault::Late),
        ] {
            if drawn < rate {
                let reads = ["GetItem", "BatchGetItem", "Query"].contains(&operation);
                return if reads && fault == Fault::Late {
                    Fault::Lost
                } else {
                    fault
                };
            }
            drawn -= rate;
        }
        Fault::None
    }

    /// An HTTP client on which they happen.
    #[must_use]
    pub fn over(&self, inner: SharedHttpClient) -> SharedHttpClient {
        SharedHttpClient::new(Faulty {
            faults: self.clone(),
            inner,
        })
    }

    fn next(&self, operation: &str) -> Fault {
        self.seen.lock().unwrap().push(operation.to_owned());
        let mut planned = self.planned.lock().unwrap();
        match planned.iter().position(|(name, _)| *name == operation) {
            Some(at) => planned.remove(at).unwrap().1,
            None => {
                drop(planned);
                self.by_chance(operation)
            }
        }
    }
}

/// The same client, that does not wait before it tries again: nobody else needs the time.
#[must_use]
pub fn hasty(client: &Client) -> Client {
    let retries = RetryConfig::standard().with_initial_backoff(Duration::from_millis(1));
    Client::from_conf(client.config().to_builder().retry_config(retries).build())
}

#[derive(Debug)]
struct Faulty {
    faults: Faults,
    inner: SharedHttpClient,
}

#[derive(Debug)]
struct FaultyConnector {
    faults: Faults,
    inner: SharedHttpConnector,
}

impl HttpClient for Faulty {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let inner = self.inner.http_connector(settings, components);
        SharedHttpConnector::new(FaultyConnector {
            faults: self.faults.clone(),
            inner,
        })
    }
}

impl HttpConnector for FaultyConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        let operation = target.rsplit('.').next().unwrap_or_default().to_owned();
        self.faults.tide();
        match self.faults.next(&operation) {
            Fault::None => self.inner.call(request),
            Fault::Throttled => HttpConnectorFuture::ready(Ok(no("ThrottlingException"))),
            Fault::Met => HttpConnectorFuture::ready(Ok(no("TransactionCanceledException"))),
            Fault::Refused => HttpConnectorFuture::ready(Ok(no("ValidationException"))),
            Fault::Lost => HttpConnectorFuture::ready(Err(lost())),
            Fault::Late => {
                let afloat = (self.faults.distance(), self.inner.clone(), request);
                self.faults.afloat.lock().unwrap().0.push(afloat);
                HttpConnectorFuture::ready(Err(lost()))
            }
            Fault::Applied => {
                let sent = self.inner.call(request);
                HttpConnectorFuture::new(async move {
                    let _ = sent.await;
                    Err(lost())
                })
            }
        }
    }
}

fn no(exception: &str) -> HttpResponse {
    let body = format!(
        r#"{{"__type":"com.amazonaws.dynamodb.v20120810#{exception}","message":"Injected: please refer to the reasons [None, TransactionConflict]"}}"#
    );
    HttpResponse::new(400.try_into().unwrap(), SdkBody::from(body))
}

fn lost() -> ConnectorError {
    ConnectorError::timeout("the connection went silent".into())
}
