//! Lists as CSV (RFC 4180), safe to open in a spreadsheet.

use axum::response::{IntoResponse, Response};
use http::header::{ACCEPT, CONTENT_DISPOSITION, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue};
use shared::failure::Failure;

/// A column of a table of `T`: its name, and its cell of one of them.
pub(crate) type Column<T> = (&'static str, fn(&T) -> Cell);

/// What stands in one line under one name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Cell {
    /// What somebody wrote, or that stands for itself.
    Text(String),
    /// A number or a flag: nothing that a spreadsheet could take for a formula.
    Plain(String),
    /// Nothing.
    Empty,
}

/// Whether whoever asks wants CSV.
pub(crate) fn is_wanted(headers: &HeaderMap) -> bool {
    let accepted = headers
        .get(ACCEPT)
        .and_then(|accepted| accepted.to_str().ok());
    accepted.is_some_and(|accepted| accepted.contains("text/csv"))
}

/// A table on its way out, as a file of that name. Where more follows, a header says what to give as
/// `cursor`.
pub(crate) fn answer(csv: String, file: &str, next: Option<&str>) -> Result<Response, Failure> {
    let mut answer = csv.into_response();
    let headers = answer.headers_mut();
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("text/csv; charset=utf-8"),
    );
    let name = format!("attachment; filename=\"{file}\"");
    let name = HeaderValue::from_str(&name).map_err(Failure::internal)?;
    headers.insert(CONTENT_DISPOSITION, name);
    if let Some(next) = next {
        let next = HeaderValue::from_str(next).map_err(Failure::internal)?;
        headers.insert("x-tollhouse-next-cursor", next);
    }
    Ok(answer)
}

/// The rows, a line each, under a line of names.
pub(crate) fn write<T>(columns: &[Column<T>], rows: &[T]) -> String {
    let mut csv = String::new();
    line(columns.iter().map(|(name, _)| text(name)), &mut csv);
    for row in rows {
        line(columns.iter().map(|(_, cell)| cell(row)), &mut csv);
    }
    csv
}

/// A line of cells, for tables that are written row by row.
pub(crate) fn line(cells: impl Iterator<Item = Cell>, csv: &mut String) {
    let cells: Vec<String> = cells.map(Cell::write).collect();
    csv.push_str(&cells.join(","));
    csv.push_str("\r\n");
}

impl Cell {
    /// A text that begins like a formula is led by a quote, which a spreadsheet does not show.
    /// <https://owasp.org/www-community/attacks/CSV_Injection>
    fn write(self) -> String {
        let text = match self {
            Self::Empty => return String::new(),
            Self::Plain(text) => return text,
            Self::Text(text) if text.starts_with(['=', '+', '-', '@', '\t', '\r']) => {
                format!("'{text}")
            }
            Self::Text(text) => text,
        };
        if text.contains(['"', ',', '\n', '\r']) {
            format!("\"{}\"", text.replace('"', "\"\""))
        } else {
            text
        }
    }
}

/// A cell of text.
#[expect(
    clippy::needless_pass_by_value,
    reason = "columns hand over ids and references"
)]
pub(crate) fn text(value: impl ToString) -> Cell {
    Cell::Text(value.to_string())
}

/// A cell of a number or a flag.
#[expect(clippy::needless_pass_by_value, reason = "columns hand over numbers")]
pub(crate) fn plain(value: impl ToString) -> Cell {
    Cell::Plain(value.to_string())
}

/// A cell of text, or an empty one.
pub(crate) fn maybe(value: Option<impl ToString>) -> Cell {
    value.map_or(Cell::Empty, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_becomes_a_formula_and_no_number_a_text() {
        for (cell, written) in [
            (text("gpt-4o"), "gpt-4o"),
            (text("=1+1"), "'=1+1"),
            (text("+1"), "'+1"),
            (text("-1"), "'-1"),
            (text("@a"), "'@a"),
            (text("a,b"), "\"a,b\""),
            (text("say \"a\""), "\"say \"\"a\"\"\""),
            (text("=a,b\n"), "\"'=a,b\n\""),
            (plain(-1), "-1"),
            (maybe(None::<u8>), ""),
        ] {
            assert_eq!(cell.clone().write(), written, "{cell:?}");
        }
    }
}
