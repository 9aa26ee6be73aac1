//! The embedded DynamoDB engine, on a thread of its own, so that a slow disk never stops a stream.

use std::path::Path;
use std::sync::mpsc;
use std::thread;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region, SharedHttpClient};
use dynoxide::Database;

/// The table's name, locally.
pub const TABLE_NAME: &str = "tollhouse";

/// A running engine. It serves on a loopback port for as long as the process lives.
#[derive(Clone)]
pub struct Engine {
    database: Database,
    endpoint: String,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine")
            .field("endpoint", &self.endpoint)
            .finish_non_exhaustive()
    }
}

/// Why there is no engine.
#[derive(Debug, thiserror::Error)]
pub enum NoEngine {
    /// The file is no database, or cannot be opened.
    #[error("the database cannot be opened")]
    Unopened(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The thread or its port could not be had.
    #[error("the database engine cannot be started")]
    Unstarted(#[source] std::io::Error),
}

impl Engine {
    /// Everything in memory.
    ///
    /// # Errors
    /// When the engine cannot be started.
    pub fn in_memory() -> Result<Self, NoEngine> {
        Self::serve(Database::memory())
    }

    /// Everything in a file, durably: each write is on the disk before it is answered.
    ///
    /// # Errors
    /// When the file cannot be opened, or the engine not started.
    pub fn on_file(path: &Path) -> Result<Self, NoEngine> {
        Self::serve(Database::new(&path.to_string_lossy()))
    }

    fn serve<E>(opened: Result<Database, E>) -> Result<Self, NoEngine>
    where
        E: std::error::Error + Send + Sync + 'static,
    {
        let database = opened.map_err(|error| NoEngine::Unopened(Box::new(error)))?;
        let (started, address) = mpsc::channel();
        let served = database.clone();
        thread::Builder::new()
            .name("dynamodb".to_owned())
            .spawn(move || run(served, &started))
            .map_err(NoEngine::Unstarted)?;
        let address = address
            .recv()
            .unwrap_or_else(|_| Err(std::io::ErrorKind::Other.into()));
        let endpoint = format!("http://{}", address.map_err(NoEngine::Unstarted)?);
        Ok(Self { database, endpoint })
    }

    /// Where it serves.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// A client of it.
    #[must_use]
    pub fn client(&self) -> Client {
        client(
            &self.endpoint,
            aws_smithy_http_client::Builder::new().build_http(),
        )
    }

    /// Deletes what has expired; nothing does so by itself.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn delete_expired(&self) -> Result<usize, NoEngine> {
        self.database
            .sweep_ttl()
            .map_err(|error| NoEngine::Unopened(Box::new(error)))
    }
}

/// The HTTP client for loopback: no TLS.
#[must_use]
pub fn plain_http() -> SharedHttpClient {
    aws_smithy_http_client::Builder::new().build_http()
}

/// A client of an engine that asks for no real credentials, over some HTTP client.
#[must_use]
pub fn client(endpoint: &str, http: SharedHttpClient) -> Client {
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static("local"))
        .credentials_provider(Credentials::new("local", "local", None, None, "local"))
        .endpoint_url(endpoint)
        .http_client(http)
        .build();
    Client::from_conf(config)
}

fn run(database: Database, started: &mpsc::Sender<std::io::Result<std::net::SocketAddr>>) {
    let serve = async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let _ = started.send(listener.local_addr());
        dynoxide::server::serve_with_shutdown(listener, database, std::future::pending())
            .await
            .map_err(std::io::Error::other)
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    if let Err(error) = runtime.and_then(|runtime| runtime.block_on(serve)) {
        tracing::error!(%error, "the database engine stopped");
        let _ = started.send(Err(error));
    }
}
