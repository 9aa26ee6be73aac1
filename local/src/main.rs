//! `tollhouse`: everything on one machine.

use std::process::ExitCode;

use clap::Parser;
use local::flags::Flags;
use local::start;

#[tokio::main]
async fn main() -> ExitCode {
    let flags = Flags::parse();
    shared::trace::start(shared::env::optional("LOG_LEVEL").as_deref());
    match start::run(&flags, std::io::stdout(), interrupted()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let error = shared::trace::chain(error.as_ref());
            tracing::error!(error, "Tollhouse cannot start");
            ExitCode::FAILURE
        }
    }
}

/// Somebody wants the process to end: by Ctrl-C, or as service managers do.
async fn interrupted() {
    let mut terminated =
        tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()).ok();
    let terminate = async {
        match &mut terminated {
            Some(signal) => signal.recv().await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate => {}
    }
    tracing::info!("finishing what is under way");
}
