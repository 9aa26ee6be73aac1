//! What one types to start it, and the variables that say the same.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Parser;
use clap::builder::FalseyValueParser;
use secrecy::SecretString;

/// A gateway in front of every model provider, on one machine.
#[derive(Debug, Clone, Parser)]
#[command(name = "tollhouse", version)]
pub struct Flags {
    /// Where to listen.
    #[arg(
        long,
        value_name = "ADDR",
        env = "TOLLHOUSE_LISTEN",
        default_value = "127.0.0.1:8787"
    )]
    pub listen: SocketAddr,

    /// Where to keep the database and the secret.
    #[arg(
        long,
        value_name = "DIR",
        env = "TOLLHOUSE_DATA_DIR",
        default_value = ".tollhouse"
    )]
    pub data_dir: PathBuf,

    /// Keep everything in memory: it is gone when the process ends.
    #[arg(long, env = "TOLLHOUSE_IN_MEMORY", value_parser = FalseyValueParser::new())]
    pub in_memory: bool,

    /// Use this DynamoDB in place of the embedded engine.
    #[arg(long, value_name = "URL", env = "TOLLHOUSE_DYNAMODB_ENDPOINT")]
    pub dynamodb_endpoint: Option<String>,

    /// Make no demo user, key and channel. (Environment: `TOLLHOUSE_DEMO=0`)
    #[arg(long)]
    pub no_demo: bool,

    /// Whether to make them.
    #[arg(skip = demo_wanted())]
    pub demo: bool,

    /// The first administrator's password; without it a one-time password is printed.
    #[arg(skip = admin_password())]
    pub admin_password: Option<SecretString>,
}

impl Flags {
    /// Whether there shall be a demo user, key and channel.
    #[must_use]
    pub const fn wants_demo(&self) -> bool {
        self.demo && !self.no_demo
    }
}

/// `TOLLHOUSE_DEMO`: anything but 0, false, no or off.
fn demo_wanted() -> bool {
    let value = shared::env::optional("TOLLHOUSE_DEMO")
        .unwrap_or_default()
        .to_ascii_lowercase();
    !matches!(value.as_str(), "0" | "false" | "no" | "off" | "n" | "f")
}

/// `TOLLHOUSE_ADMIN_PASSWORD`: no flag, because other processes can see flags.
fn admin_password() -> Option<SecretString> {
    shared::env::optional("TOLLHOUSE_ADMIN_PASSWORD").map(SecretString::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_those_of_the_documentation() {
        let flags = Flags::parse_from(["tollhouse"]);
        assert_eq!(flags.listen.to_string(), "127.0.0.1:8787");
        assert_eq!(flags.data_dir, PathBuf::from(".tollhouse"));
        assert!(!flags.in_memory && flags.wants_demo());
        assert!(!Flags::parse_from(["tollhouse", "--no-demo"]).wants_demo());
    }
}
