//! Changes of the configuration by somebody who has looked at it: nobody undoes unknowingly what
//! somebody else does at the same time.

use shared::failure::{Failure, Kind};
use shared::store::StoreError;
use shared::store::configuration::{Change, Configuration};

use crate::app::App;

/// How often a change is decided anew because something has changed meanwhile.
const TRIES: usize = 16;

impl App {
    /// Reads the configuration, decides on a change, and makes it if nothing has changed since. If
    /// something has, it begins anew: so what was decided holds for what was changed.
    pub(crate) async fn change<T>(
        &self,
        decide: impl Fn(&Configuration) -> Result<(Change, T), Failure>,
    ) -> Result<T, Failure> {
        for _ in 0..TRIES {
            let configuration = self.store.configuration().load().await?;
            let (change, made) = decide(&configuration)?;
            let seen = self.store.configuration().at(configuration.version);
            match seen.write(&[change], self.now()).await {
                Err(StoreError::Conflict) => {}
                Err(error) => return Err(error.into()),
                Ok(_) => return Ok(made),
            }
        }
        let text = "Many changes are being made at once. Try again in a moment.";
        let failure = Failure::new(Kind::Unavailable, "store_unavailable", text);
        Err(failure.retry_after(1))
    }
}
