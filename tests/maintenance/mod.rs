//! Stories of maintenance: what must be done once.

mod events;
mod release_holds;
mod reset_budgets;
mod roll_up;
