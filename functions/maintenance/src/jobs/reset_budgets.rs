//! Begins the budgets' periods that are due. Admission does the same, exactly; this keeps what people
//! look at true for keys that nobody uses.

use serde_json::{Map, Value, json};
use shared::domain::hold::WalletId;
use shared::failure::Failure;

use super::{Job, Report};
use crate::app::App;

/// How many keys are looked at at once.
const PAGE: usize = 200;

/// The job.
#[derive(Debug)]
pub(super) struct ResetBudgets;

impl Job for ResetBudgets {
    fn name(&self) -> &'static str {
        "reset_budgets"
    }

    fn every_s(&self) -> Option<u64> {
        Some(3_600)
    }

    fn run<'a>(&'a self, app: &'a App, _: &'a Map<String, Value>) -> Report<'a> {
        Box::pin(reset(app))
    }
}

async fn reset(app: &App) -> Result<Value, Failure> {
    let (mut reset, mut cursor) = (0_u64, None);
    loop {
        let page = app.store.keys().list(None, PAGE, cursor).await?;
        for key in page.items {
            if let Some(budget) = &key.budget
                && app
                    .store
                    .wallets()
                    .reset_budget(WalletId::Key(key.id), budget, app.clock.now())
                    .await?
            {
                reset += 1;
            }
        }
        cursor = page.next;
        if cursor.is_none() {
            return Ok(json!({ "reset": reset }));
        }
    }
}
