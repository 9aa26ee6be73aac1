//! Stories of maintenance: what must be done once.

mod release_holds;
mod reset_budgets;
