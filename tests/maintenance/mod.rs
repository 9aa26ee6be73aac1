//! Stories of maintenance: what must be done once.

mod corrections;
mod events;
mod re_rate;
mod release_holds;
mod reset_budgets;
mod roll_up;
