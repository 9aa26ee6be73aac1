//! Stories of chaos: whatever happens, and however much of it at once, the books are true.

mod books;
mod crowds;
mod cuts;
mod doubles;
mod invoice;
mod storm;
