//! The embedded engine alone, with the table: for whoever needs a DynamoDB on loopback. It prints
//! where it serves, and serves until it is killed.

#![expect(clippy::print_stdout, reason = "its address is what it is for")]

use local::engine::{Engine, TABLE_NAME};
use shared::store::Store;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let engine = Engine::in_memory()?;
    Store::new(engine.client(), TABLE_NAME)
        .create_table()
        .await?;
    println!("{}", engine.endpoint());
    std::future::pending::<()>().await;
    Ok(())
}
