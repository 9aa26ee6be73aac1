//! Pages of lists: how long, from where, and lists that are small enough to be cut here.

use serde::Deserialize;
use utoipa::IntoParams;

use crate::answer::List;
use crate::query::filled;

const USUAL: usize = 50;
const MOST: usize = 200;

/// Which page of a list.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct PageQuery {
    /// How many things: 1 to 200, 50 unless given.
    #[serde(default, deserialize_with = "filled")]
    #[param(value_type = Option<u32>)]
    pub(crate) limit: Option<usize>,
    /// The `next_cursor` of the page before.
    #[serde(default, deserialize_with = "filled")]
    pub(crate) cursor: Option<String>,
}

impl PageQuery {
    /// How many things to answer with.
    pub(crate) fn size(&self) -> usize {
        size(self.limit)
    }
}

/// How many things to answer with when `limit` was asked for.
pub(crate) fn size(limit: Option<usize>) -> usize {
    limit.unwrap_or(USUAL).clamp(1, MOST)
}

/// One page of things that are all in hand, in the order of their names.
pub(crate) fn cut<T, J>(
    mut things: Vec<T>,
    page: &PageQuery,
    name: impl Fn(&T) -> String,
    json: impl Fn(&T) -> J,
) -> List<J> {
    things.sort_by_key(&name);
    if let Some(cursor) = &page.cursor {
        things.retain(|thing| name(thing) > *cursor);
    }
    let more = things.len() > page.size();
    things.truncate(page.size());
    List {
        data: things.iter().map(json).collect(),
        next_cursor: things.last().map(name).filter(|_| more),
    }
}
