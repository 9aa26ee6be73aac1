//! Begins the budgets' periods that are due. Admission does the same, exactly; this keeps what people
//! look at true for keys and users that do not call.

use serde_json::{Map, Value, json};
use shared::domain::budget::Budget;
use shared::domain::hold::WalletId;
use shared::failure::Failure;

use super::{Job, Report};
use crate::app::App;

/// How many keys or users are looked at at once.
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
    let keys = reset_keys(app).await?;
    let allowances = reset_allowances(app).await?;
    Ok(json!({ "reset": keys + allowances }))
}

async fn reset_keys(app: &App) -> Result<u64, Failure> {
    let (mut reset, mut cursor) = (0, None);
    loop {
        let page = app.store.keys().list(None, PAGE, cursor).await?;
        for key in &page.items {
            if let Some(budget) = &key.budget {
                reset += begin(app, WalletId::Key(key.id), budget).await?;
            }
        }
        cursor = page.next;
        if cursor.is_none() {
            return Ok(reset);
        }
    }
}

/// What groups let their users spend. Nobody's allowance is made who never called.
async fn reset_allowances(app: &App) -> Result<u64, Failure> {
    let groups = app.store.configuration().groups().await?;
    if groups.iter().all(|group| group.budget.is_none()) {
        return Ok(0);
    }
    let (mut reset, mut cursor) = (0, None);
    loop {
        let page = app.store.users().list(PAGE, cursor).await?;
        for user in &page.items {
            let group = groups.iter().find(|group| group.name == user.group);
            let id = WalletId::Allowance(user.id);
            if let Some(budget) = group.and_then(|group| group.budget.as_ref())
                && app.store.wallets().find(id).await?.is_some()
            {
                reset += begin(app, id, budget).await?;
            }
        }
        cursor = page.next;
        if cursor.is_none() {
            return Ok(reset);
        }
    }
}

/// 1 when a period has begun.
async fn begin(app: &App, id: WalletId, budget: &Budget) -> Result<u64, Failure> {
    let wallets = app.store.wallets();
    let begun = wallets.reset_budget(id, budget, app.clock.now()).await?;
    Ok(u64::from(begun))
}
