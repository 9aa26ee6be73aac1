//! Failures, counted by the minute: whoever guesses is refused after some. What succeeds never counts.

use shared::domain::limit::Minute;
use shared::failure::{Failure, Kind};

use crate::app::App;

/// The counters of one attempt.
#[derive(Debug)]
pub(crate) struct Throttle {
    /// What is counted, and how many failures a minute are borne.
    counters: Vec<(String, u64)>,
    /// What is said after too many.
    text: &'static str,
}

impl Throttle {
    /// Counters, each with the failures a minute that it bears, and what is said after too many.
    pub(crate) const fn new(counters: Vec<(String, u64)>, text: &'static str) -> Self {
        Self { counters, text }
    }

    /// Refuses when there were too many failures in this minute.
    pub(crate) async fn check(&self, app: &App) -> Result<(), Failure> {
        let now_ms = app.clock.now_ms();
        let minute = Minute::of_ms(now_ms);
        for (what, most) in &self.counters {
            if app.store.windows().counted(what, minute).await? >= *most {
                let failure = Failure::new(Kind::RateLimited, "too_many_failures", self.text);
                return Err(failure.retry_after(minute.seconds_left(now_ms)));
            }
        }
        Ok(())
    }

    /// Counts a failure.
    pub(crate) async fn count(&self, app: &App) -> Result<(), Failure> {
        let minute = Minute::of_ms(app.clock.now_ms());
        for (what, _) in &self.counters {
            app.store.windows().count(what, minute).await?;
        }
        Ok(())
    }
}
