//! Where a story's books are: in an embedded engine of its own, or in a corner of its own of the
//! DynamoDB that `TOLLHOUSE_TEST_DYNAMODB` names.
//!
//! DynamoDB Local keeps apart what comes with different access keys, so that each story has a server
//! to itself there as well.
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/DynamoDBLocal.UsageNotes.html>

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{Credentials, SharedHttpClient};
use local::engine::{self, Engine, TABLE_NAME};
use shared::store::Store;

/// The variable that names another DynamoDB than the embedded one.
const ENDPOINT: &str = "TOLLHOUSE_TEST_DYNAMODB";
/// The region that clients of [`engine::client`] say.
const REGION: &str = "local";

/// A database that nobody else uses.
#[derive(Debug)]
pub struct Database {
    place: Place,
}

#[derive(Debug)]
enum Place {
    Embedded(Engine),
    Elsewhere {
        endpoint: String,
        access_key: String,
    },
}

/// Whether the stories are told to another engine than the embedded one.
#[must_use]
pub fn elsewhere() -> Option<String> {
    shared::env::optional(ENDPOINT)
}

impl Default for Database {
    fn default() -> Self {
        Self::new()
    }
}

impl Database {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        let place = match elsewhere() {
            None => Place::Embedded(Engine::in_memory().unwrap()),
            Some(endpoint) => Place::Elsewhere {
                endpoint,
                access_key: shared::random::text(16),
            },
        };
        Self { place }
    }

    /// Where it serves.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        match &self.place {
            Place::Embedded(engine) => engine.endpoint(),
            Place::Elsewhere { endpoint, .. } => endpoint,
        }
    }

    /// A client of it.
    #[must_use]
    pub fn client(&self) -> Client {
        self.client_over(engine::plain_http())
    }

    /// A client of it over some HTTP client: one with faults, or one that counts.
    #[must_use]
    pub fn client_over(&self, http: SharedHttpClient) -> Client {
        let client = engine::client(self.endpoint(), http);
        let key = self.access_key();
        let credentials = Credentials::new(key, key, None, None, "test");
        let config = client.config().to_builder();
        Client::from_conf(config.credentials_provider(credentials).build())
    }

    /// The store on it, with its table made.
    pub async fn store(&self) -> Store {
        let store = Store::new(self.client(), TABLE_NAME);
        store.create_table().await.unwrap();
        store
    }

    /// What a process needs in its environment to see the same database.
    #[must_use]
    pub fn environment(&self) -> [(&'static str, &str); 3] {
        let key = self.access_key();
        [
            ("AWS_ACCESS_KEY_ID", key),
            ("AWS_SECRET_ACCESS_KEY", key),
            ("AWS_REGION", REGION),
        ]
    }

    /// Deletes what has expired, where that can be told to be done.
    pub fn delete_expired(&self) {
        if let Place::Embedded(engine) = &self.place {
            assert!(engine.delete_expired().is_ok());
        }
    }

    fn access_key(&self) -> &str {
        match &self.place {
            Place::Embedded(_) => "local",
            Place::Elsewhere { access_key, .. } => access_key,
        }
    }
}
