//! Stories of chaos: whatever happens, and however much of it at once, the books are true.

mod books;
mod cuts;
mod invoice;
mod storm;
