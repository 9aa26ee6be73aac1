//! The database counts its units as AWS documents them; else the page would be worth nothing.
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html>

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem};
use local::engine::{self, TABLE_NAME};
use tests::database::{self, Database};
use tests::meter::{Charge, Meter, Units, item_bytes};

type Item = HashMap<String, AttributeValue>;

struct Bench {
    _database: Database,
    client: Client,
    meter: Meter,
}

fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

fn key(pk: &str) -> Item {
    HashMap::from([("pk".to_owned(), text(pk)), ("sk".to_owned(), text("x"))])
}

/// An item of exactly so many bytes, names included.
fn item(pk: &str, bytes: usize) -> Item {
    let mut item = key(pk);
    let fixed = "pk".len() + pk.len() + "sk".len() + "x".len() + "text".len();
    item.insert("text".to_owned(), text("t".repeat(bytes - fixed)));
    item
}

/// The same, and in the index.
fn listed(pk: &str, bytes: usize) -> Item {
    let mut item = item(pk, bytes - "gpkALLgskx".len());
    item.insert("gpk".to_owned(), text("ALL"));
    item.insert("gsk".to_owned(), text("x"));
    item
}

impl Bench {
    async fn new() -> Self {
        let (database, meter) = (Database::new(), Meter::default());
        database.store().await;
        let client = database.client_over(meter.over(engine::plain_http()));
        Self {
            _database: database,
            client,
            meter,
        }
    }

    /// What the only operation since the last look took.
    #[track_caller]
    fn charge(&self) -> Charge {
        let mut charges = self.meter.take();
        assert_eq!(charges.len(), 1, "{charges:#?}");
        charges.remove(0)
    }

    async fn put(&self, item: Item) -> Charge {
        let put = self.client.put_item().table_name(TABLE_NAME);
        put.set_item(Some(item)).send().await.unwrap();
        self.charge()
    }

    async fn get(&self, pk: &str, consistent: bool) -> Charge {
        let get = self.client.get_item().table_name(TABLE_NAME);
        let get = get.set_key(Some(key(pk))).consistent_read(consistent);
        get.send().await.unwrap();
        self.charge()
    }

    async fn set_on_condition(&self, pk: &str, condition: &str) -> Charge {
        let update = self.client.update_item().table_name(TABLE_NAME);
        let update = update
            .set_key(Some(key(pk)))
            .update_expression("SET n = :n");
        let update = update.condition_expression(condition);
        let number = AttributeValue::N("1".to_owned());
        let _ = update
            .expression_attribute_values(":n", number)
            .send()
            .await;
        self.charge()
    }
}

#[tokio::test]
async fn a_write_takes_a_unit_for_each_kilobyte_of_the_larger_image() {
    let bench = Bench::new().await;
    for (bytes, units) in [
        (100, 1),
        (1_024, 1),
        (1_025, 2),
        (3_000, 3),
        (100, 3),
        (100, 1),
    ] {
        let charge = bench.put(item("A#1", bytes)).await;
        assert_eq!(charge.written, Units::whole(units), "{bytes}");
        assert_eq!(charge.item_bytes, bytes as u64);
        assert_eq!(
            (charge.kind.as_str(), charge.index),
            ("A", Units::default())
        );
    }
}

#[tokio::test]
async fn the_index_takes_as_much_again_unless_nothing_in_it_changes() {
    let bench = Bench::new().await;
    for (bytes, all, index) in [(1_000, 2, 1), (1_000, 1, 0), (1_500, 4, 2)] {
        let charge = bench.put(listed("A#1", bytes)).await;
        let units = (charge.written, charge.index);
        assert_eq!(units, (Units::whole(all), Units::whole(index)), "{bytes}");
    }
}

#[tokio::test]
async fn a_read_takes_a_unit_for_four_kilobytes_and_half_of_it_when_it_may_be_old() {
    let bench = Bench::new().await;
    bench.put(item("A#1", 4_096)).await;
    bench.put(item("A#2", 4_097)).await;
    for (pk, consistent, halves) in [
        ("A#1", true, 2),
        ("A#1", false, 1),
        ("A#2", true, 4),
        ("A#2", false, 2),
        ("A#3", true, 2),
    ] {
        let charge = bench.get(pk, consistent).await;
        assert_eq!(charge.read, Units::of_halves(halves), "{pk} {consistent}");
        assert_eq!(charge.written, Units::default());
    }
}

#[tokio::test]
async fn a_write_in_a_transaction_takes_twice_as_much() {
    let bench = Bench::new().await;
    let put = Put::builder()
        .table_name(TABLE_NAME)
        .set_item(Some(item("A#1", 1_500)));
    let action = TransactWriteItem::builder().put(put.build().unwrap());
    let transaction = bench.client.transact_write_items();
    let transaction = transaction.transact_items(action.build());
    transaction.send().await.unwrap();
    let charge = bench.charge();
    assert_eq!(charge.kind, "A");
    // DynamoDB Local doubles twice when it is asked for the indexes, too.
    let told = if database::elsewhere().is_some() {
        8
    } else {
        4
    };
    assert_eq!(charge.written, Units::whole(told));
}

#[tokio::test]
async fn a_refused_write_is_paid_for() {
    let bench = Bench::new().await;
    bench.put(item("A#1", 100)).await;
    let done = bench.set_on_condition("A#1", "attribute_exists(pk)").await;
    let refused = bench
        .set_on_condition("A#1", "attribute_not_exists(pk)")
        .await;
    assert_eq!((done.refused, refused.refused), (false, true));
    assert_eq!(
        (done.written, refused.written),
        (Units::whole(1), Units::whole(1))
    );
}

#[test]
fn an_items_size_is_that_of_its_names_and_values() {
    // Names 2 + 4 + 1 + 5; "abc" 3; 12345 is 1 + 3; a map 3 + 1 + (1 + 1); true 1.
    let item = serde_json::json!({
        "pk": { "S": "abc" }, "many": { "N": "12345" },
        "m": { "M": { "x": { "BOOL": true } } }, "truth": { "BOOL": true },
    });
    assert_eq!(item_bytes(item.as_object().unwrap()), 12 + 3 + 4 + 6 + 1);
}
