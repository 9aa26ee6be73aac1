//! Every function behind one address: the same routers that run on Lambda, in one process.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;

use admin::jobs::RunJob;
use admin::relay_probe::RelayProbe;
use axum::Router;
use axum::serve::ListenerExt;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use maintenance::jobs::{self, Order};
use relay::upstream::Upstream;
use serde_json::Value;
use shared::clock::Clock;
use shared::failure::Failure;
use shared::secrets::SecretSource;
use shared::store::Store;
use tokio::net::TcpListener;

use crate::demo;

/// The three functions in one process. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Server {
    /// It carries conversations.
    pub relay: relay::app::App,
    /// It keeps the books.
    pub admin: admin::app::App,
    /// It does what must be done once.
    pub maintenance: maintenance::app::App,
}

impl Server {
    /// The three functions over one store. `address` is where the relay will be reached.
    #[must_use]
    pub fn new(store: &Store, secrets: &SecretSource, clock: &Clock, address: SocketAddr) -> Self {
        let maintenance = maintenance::app::App {
            store: store.clone(),
            clock: clock.clone(),
        };
        let runner = Arc::new(InProcess(maintenance.clone()));
        let relay_url = format!("http://{}", reachable(address));
        let prober = Arc::new(RelayProbe::new(Some(relay_url), secrets.clone()));
        Self {
            relay: relay::app::App::new(
                store.clone(),
                secrets.clone(),
                Upstream::new().with_bedrock_url(relay::config::bedrock_url()),
                clock.clone(),
            ),
            admin: admin::app::App::new(
                store.clone(),
                secrets.clone(),
                clock.clone(),
                runner,
                prober,
            ),
            maintenance,
        }
    }

    /// Every path.
    pub fn router(&self) -> Router {
        relay::router::router(self.relay.clone())
            .merge(admin::router::router(self.admin.clone()))
            .merge(demo::router())
    }

    /// Serves until `stop`, then until every call has ended.
    ///
    /// # Errors
    /// When the listener fails.
    pub async fn serve(
        self,
        listener: TcpListener,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> std::io::Result<()> {
        // A first token must not wait for a second one.
        let listener = listener.tap_io(|connection| {
            let _ = connection.set_nodelay(true);
        });
        let service = self
            .router()
            .into_make_service_with_connect_info::<SocketAddr>();
        axum::serve(listener, service)
            .with_graceful_shutdown(stop)
            .await?;
        self.relay.calls.close();
        self.relay.calls.wait().await;
        Ok(())
    }
}

/// Where an address that listens everywhere can be reached from here.
#[must_use]
pub fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
    }
    address
}

/// Runs maintenance jobs in this process.
#[derive(Debug)]
struct InProcess(maintenance::app::App);

impl RunJob for InProcess {
    fn run(&self, name: &str, arguments: Value) -> BoxFuture<'_, Result<Value, Failure>> {
        let arguments = match arguments {
            Value::Object(arguments) => arguments,
            _ => serde_json::Map::new(),
        };
        let order = Order {
            job: name.to_owned(),
            arguments,
        };
        async move { jobs::run(&self.0, order).await }.boxed()
    }
}
