//! From flags to a running server.

use std::fs;
use std::future::Future;
use std::io::Write;
use std::net::SocketAddr;
use std::os::unix::fs::DirBuilderExt;

use aws_sdk_dynamodb::config::Credentials;
use secrecy::SecretString;
use shared::clock::Clock;
use shared::secrets::{MasterKey, SecretSource, Secrets};
use shared::store::Store;
use shared::{env, random};
use tokio::net::TcpListener;
use tokio_util::task::TaskTracker;

use crate::engine::{Engine, TABLE_NAME};
use crate::flags::Flags;
use crate::seed::Seed;
use crate::server::{Server, reachable};
use crate::welcome::{self, News};
use crate::{schedule, secret_file};

/// Whatever keeps the server from starting, for whoever reads the terminal.
pub type StartError = Box<dyn std::error::Error + Send + Sync>;

/// Starts everything, writes the welcome, and serves until `stop`; then finishes what is under way.
///
/// # Errors
/// When the address is taken, or the data cannot be read or written.
pub async fn run(
    flags: &Flags,
    mut terminal: impl Write,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), StartError> {
    let listener = TcpListener::bind(flags.listen).await?;
    let address = listener.local_addr()?;
    if !flags.in_memory {
        // What lies in it is nobody else's business.
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&flags.data_dir)?;
    }
    let (store, engine) = open(flags).await?;
    store.create_table().await?;
    let (clock, secrets) = (Clock::system(), secrets(flags)?);
    let server = Server::new(
        &store,
        &SecretSource::fixed(secrets.clone()),
        &clock,
        address,
    );
    if engine.is_some() {
        schedule::reconcile(&server.maintenance).await;
    }
    let news = begin(flags, &server, &secrets, reachable(address)).await?;
    let background = TaskTracker::new();
    schedule::start(&background, &server.maintenance, engine);
    terminal.write_all(welcome::text(reachable(address), &news).as_bytes())?;
    terminal.flush()?;
    server.serve(listener, stop).await?;
    Ok(())
}

async fn open(flags: &Flags) -> Result<(Store, Option<Engine>), StartError> {
    if let Some(endpoint) = &flags.dynamodb_endpoint {
        let config = shared::aws::configure().await;
        let region = config.region().cloned().unwrap_or_else(local_region);
        let config = config
            .into_builder()
            .region(region)
            .endpoint_url(endpoint)
            .build();
        // An engine on this machine asks for credentials without looking at them.
        let named = env::optional("AWS_ACCESS_KEY_ID").or_else(|| env::optional("AWS_PROFILE"));
        let mut client = aws_sdk_dynamodb::config::Builder::from(&config);
        if named.is_none() && endpoint.starts_with("http://") {
            client.set_credentials_provider(Some(
                aws_sdk_dynamodb::config::SharedCredentialsProvider::new(Credentials::new(
                    "local", "local", None, None, "local",
                )),
            ));
        }
        let client = aws_sdk_dynamodb::Client::from_conf(client.build());
        return Ok((Store::new(client, TABLE_NAME), None));
    }
    let engine = if flags.in_memory {
        Engine::in_memory()?
    } else {
        Engine::on_file(&flags.data_dir.join("tollhouse.db"))?
    };
    Ok((Store::new(engine.client(), TABLE_NAME), Some(engine)))
}

fn local_region() -> aws_sdk_dynamodb::config::Region {
    aws_sdk_dynamodb::config::Region::from_static("us-east-1")
}

/// The secret of this installation. Nobody is in front of it, so its origin token is never asked for.
fn secrets(flags: &Flags) -> Result<Secrets, StartError> {
    let master_key = if flags.in_memory {
        MasterKey::random()
    } else {
        secret_file::master_key(&flags.data_dir)?
    };
    let given = flags.admin_password.clone();
    Ok(Secrets {
        origin_token: SecretString::from(random::text(48)),
        master_key,
        admin_password: given.unwrap_or_else(|| SecretString::from(random::text(16))),
    })
}

/// Makes what is missing, and says what is new.
async fn begin(
    flags: &Flags,
    server: &Server,
    secrets: &Secrets,
    address: SocketAddr,
) -> Result<News, StartError> {
    let (store, clock) = (&server.admin.store, &server.admin.clock);
    let must_change = flags.admin_password.is_none();
    let root =
        admin::first_start::ensure_root(store, clock, &secrets.admin_password, must_change).await?;
    let seed = Seed {
        store,
        secrets,
        clock,
    };
    let key = if flags.wants_demo() {
        seed.demo(address).await?
    } else {
        None
    };
    Ok(News {
        password: root
            .filter(|_| must_change)
            .map(|_| secrets.admin_password.clone()),
        key,
        channels: seed.channels_of_environment().await?,
    })
}
