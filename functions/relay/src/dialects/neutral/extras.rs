//! Members that only one dialect understands.

use shared::domain::dialect::Dialect;

use crate::dialects::json::Raw;

/// Members that only one dialect understands, in their order.
#[derive(Debug, Clone, Default)]
pub struct Extras(pub Vec<Extra>);

/// One of them.
#[derive(Debug, Clone)]
pub struct Extra {
    /// Who understands it.
    pub dialect: Dialect,
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: Raw,
}

impl Extras {
    /// What a name begins with where the extra only tells how its dialect spelled what the neutral
    /// form says as well: it is written back to the same dialect, and no other one misses it.
    pub const SPELLING: char = '=';

    /// What is left of an object that a dialect has read.
    #[must_use]
    pub fn rest(dialect: Dialect, fields: crate::dialects::json::Fields<'_>) -> Self {
        let rest = fields.rest().map(|(name, value)| Extra {
            dialect,
            name,
            value: value.to_owned(),
        });
        Self(rest.collect())
    }

    /// Those of one dialect.
    pub fn of(&self, dialect: Dialect) -> impl Iterator<Item = &Extra> {
        self.0.iter().filter(move |extra| extra.dialect == dialect)
    }

    /// Those that `dialect` does not understand, and that say something which is lost with them.
    pub fn foreign(&self, dialect: Dialect) -> impl Iterator<Item = &Extra> {
        let foreign = self.0.iter().filter(move |extra| extra.dialect != dialect);
        foreign.filter(|extra| extra.says_something())
    }

    /// The value of one, by its dialect and name.
    #[must_use]
    pub fn get(&self, dialect: Dialect, name: &str) -> Option<&Raw> {
        self.of(dialect)
            .find_map(|extra| (extra.name == name).then_some(&extra.value))
    }
}

impl Extra {
    /// A member of one dialect.
    pub fn new(dialect: Dialect, name: impl Into<String>, value: Raw) -> Self {
        Self {
            dialect,
            name: name.into(),
            value,
        }
    }

    /// Whether anything is lost without it: what only names a thing, and what is empty, says nothing
    /// to anybody else.
    fn says_something(&self) -> bool {
        const NAMING: [&str; 4] = ["id", "object", "status", "type"];
        const EMPTY: [&str; 4] = ["null", "[]", "{}", "\"\""];
        !self.name.starts_with(Extras::SPELLING)
            && !NAMING.contains(&self.name.as_str())
            && !EMPTY.contains(&self.value.get())
    }
}
