//! The books as they are in the table, and what must be true of them.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::{SignedDuration, Timestamp};
use local::engine::TABLE_NAME;
use maintenance::app::App;
use maintenance::jobs::JOBS;
use serde_json::{Map, Value, json};
use shared::domain::hold::{Wallet, WalletId};
use shared::domain::id::UserId;
use shared::domain::money::NanoUsd;
use shared::domain::record::UsageRecord;
use shared::store::Store;
use shared::store::usage_log::{Span, UsageFilter};
use tests::{House, NOON};

/// An item of the table, its members in order.
type Item = BTreeMap<String, AttributeValue>;

/// A view of the books that no fault befalls.
#[derive(Debug)]
pub(super) struct Books {
    pub(super) store: Store,
    client: aws_sdk_dynamodb::Client,
    maintenance: App,
}

impl Books {
    pub(super) fn of(house: &House) -> Self {
        let client = house.database.client();
        let store = Store::new(client.clone(), TABLE_NAME);
        let maintenance = App {
            store: store.clone(),
            ..house.server.maintenance.clone()
        };
        Self {
            store,
            client,
            maintenance,
        }
    }

    pub(super) async fn wallets(&self, ids: &[WalletId]) -> BTreeMap<WalletId, Wallet> {
        let found = self.store.wallets().find_all(ids).await.unwrap();
        found.into_iter().collect()
    }

    /// Every usage record there is.
    pub(super) async fn records(&self) -> Vec<UsageRecord> {
        let noon: Timestamp = NOON.parse().unwrap();
        let span = Span {
            from: noon - SignedDuration::from_hours(24),
            to: noon + SignedDuration::from_hours(24 * 40),
        };
        let (mut records, mut cursor) = (Vec::new(), None);
        loop {
            let filter = UsageFilter::default();
            let log = self.store.usage_log();
            let page = log.list(&filter, span, 500, cursor).await.unwrap();
            records.extend(page.items);
            match page.next {
                Some(next) => cursor = Some(next.parse().unwrap()),
                None => return records,
            }
        }
    }

    /// Runs the reconciler over every hold, whoever else may be running it.
    pub(super) async fn reconcile(&self) {
        run(
            &self.maintenance,
            "release_holds",
            json!({ "older_than_seconds": 0 }),
        )
        .await
        .unwrap();
    }

    /// Every item of the table, but for what jobs remember, as text.
    pub(super) async fn dump(&self) -> Vec<String> {
        let mut items = self.items().await;
        items.retain(|item| !item["pk"].as_s().unwrap().starts_with("JOB#"));
        let mut texts: Vec<String> = items.iter().map(text).collect();
        texts.sort();
        texts
    }

    async fn items(&self) -> Vec<Item> {
        let (mut items, mut start) = (Vec::new(), None);
        loop {
            let scan = self.client.scan().table_name(TABLE_NAME);
            let page = scan.set_exclusive_start_key(start).send().await.unwrap();
            let found = page.items.unwrap_or_default().into_iter();
            items.extend(found.map(|item| item.into_iter().collect::<Item>()));
            start = page.last_evaluated_key;
            if start.is_none() {
                return items;
            }
        }
    }

    /// Every credit: whose it is, and how much.
    pub(super) async fn credits(&self) -> Vec<(UserId, NanoUsd)> {
        let items = self.items().await.into_iter();
        let credits = items.filter(|item| item["pk"].as_s().unwrap().starts_with("CREDITS#"));
        let credits = credits.map(|item| {
            let user = item["user_id"].as_s().unwrap().parse().unwrap();
            let amount = item["amount"].as_n().unwrap().parse().unwrap();
            (user, NanoUsd::new(amount))
        });
        credits.collect()
    }

    /// Runs the reconciler once, twice and ten times: all is as it should be after the first run, and
    /// the same after every other.
    pub(super) async fn are_true(&self, ids: &[WalletId], before: &BTreeMap<WalletId, NanoUsd>) {
        self.reconcile().await;
        let first = self.dump().await;
        self.add_up(ids, before).await;
        for run in 2..=10 {
            self.reconcile().await;
            if run == 2 || run == 10 {
                let now = self.dump().await;
                let changed: Vec<_> = now.iter().filter(|item| !first.contains(item)).collect();
                assert!(now == first, "after run {run}: {changed:#?}");
            }
        }
    }

    /// Nothing is held, every wallet adds up, and has spent what the records say that name it, less
    /// what it had spent in earlier periods.
    pub(super) async fn add_up(&self, ids: &[WalletId], before: &BTreeMap<WalletId, NanoUsd>) {
        let recorded = self.recorded().await;
        for (id, wallet) in self.wallets(ids).await {
            is_sound(id, &wallet);
            assert!(wallet.holds.is_empty(), "{id}: {wallet:?}");
            let of =
                |sums: &BTreeMap<WalletId, NanoUsd>| sums.get(&id).copied().unwrap_or_default();
            let due = of(&recorded).saturating_sub(of(before));
            assert_eq!(wallet.spent, due, "{id}: spent, and in its records");
        }
    }

    /// What the records say was charged, by wallet.
    pub(super) async fn recorded(&self) -> BTreeMap<WalletId, NanoUsd> {
        let mut sums: BTreeMap<WalletId, NanoUsd> = BTreeMap::new();
        for record in self.records().await {
            let mut wallets: Vec<_> = record.holds.iter().map(|name| name.wallet).collect();
            wallets.sort_unstable();
            let named = wallets.len();
            wallets.dedup();
            assert_eq!(
                wallets.len(),
                named,
                "a wallet is charged once: {record:#?}"
            );
            for wallet in wallets {
                let sum = sums.entry(wallet).or_default();
                *sum = sum.saturating_add(record.cost);
            }
        }
        sums
    }
}

/// What is true of a wallet at every moment.
#[track_caller]
pub(super) fn is_sound(id: WalletId, wallet: &Wallet) {
    assert!(wallet.balance >= NanoUsd::ZERO, "{id}: {wallet:?}");
    let all = wallet.balance.saturating_add(wallet.held());
    assert_eq!(
        all.saturating_add(wallet.spent),
        wallet.granted,
        "{id}: {wallet:?}"
    );
}

/// Runs a job without asking for its lease: as two runs that do not know of each other do.
pub(super) async fn run(
    app: &App,
    name: &str,
    arguments: Value,
) -> Result<Value, shared::failure::Failure> {
    let job = JOBS.iter().find(|job| job.name() == name).unwrap();
    let arguments: Map<String, Value> = serde_json::from_value(arguments).unwrap();
    job.run(app, &arguments).await
}

fn text(item: &Item) -> String {
    let members = item
        .iter()
        .map(|(name, value)| format!("{name}={}", value_text(value)));
    members.collect::<Vec<_>>().join(" ")
}

/// The members of a map in order, which it does not have by itself.
fn value_text(value: &AttributeValue) -> String {
    match value {
        AttributeValue::M(map) => {
            let map: Item = map.iter().map(|(k, v)| (k.clone(), v.clone())).collect();
            format!("{{{}}}", text(&map))
        }
        AttributeValue::L(list) => {
            let list: Vec<String> = list.iter().map(value_text).collect();
            format!("[{}]", list.join(", "))
        }
        value => format!("{value:?}"),
    }
}
