//! Failed sign-ins, counted: by name and address, by name, and by address. Those that succeed never count.

use std::net::IpAddr;

use shared::domain::limit::Minute;
use shared::failure::{Failure, Kind};

use crate::app::App;

/// Failures a minute of one name from one address.
const FROM_ONE_ADDRESS: u64 = 10;
/// Failures a minute of one name from anywhere.
const FROM_ANYWHERE: u64 = 100;
/// Failures a minute of any names from one address.
const OF_ANY_NAME: u64 = 60;

/// The counters of one sign-in.
#[derive(Debug)]
pub(super) struct Throttle {
    counters: [(String, u64); 3],
}

impl Throttle {
    /// The counters of a name that signs in from an address. Names that nobody can have share theirs.
    pub(super) fn of(username: Option<&str>, address: Option<IpAddr>) -> Self {
        let name = username.unwrap_or("?");
        let address = address.map_or_else(|| "?".to_owned(), |address| address.to_string());
        Self {
            counters: [
                (format!("sign-in:{name}:{address}"), FROM_ONE_ADDRESS),
                (format!("sign-in:{name}"), FROM_ANYWHERE),
                (format!("sign-in:address:{address}"), OF_ANY_NAME),
            ],
        }
    }

    /// Refuses when there were too many failures in this minute.
    pub(super) async fn check(&self, app: &App) -> Result<(), Failure> {
        let now_ms = app.clock.now_ms();
        let minute = Minute::of_ms(now_ms);
        for (what, most) in &self.counters {
            if app.store.windows().counted(what, minute).await? >= *most {
                let text = "Too many sign-ins failed. Wait a minute.";
                let failure = Failure::new(Kind::RateLimited, "too_many_failures", text);
                return Err(failure.retry_after(minute.seconds_left(now_ms)));
            }
        }
        Ok(())
    }

    /// Counts a failure.
    pub(super) async fn count(&self, app: &App) -> Result<(), Failure> {
        let minute = Minute::of_ms(app.clock.now_ms());
        for (what, _) in &self.counters {
            app.store.windows().count(what, minute).await?;
        }
        Ok(())
    }
}
