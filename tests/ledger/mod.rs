//! Stories of the ledger: money, in any order, repeated and lost.

mod property;
