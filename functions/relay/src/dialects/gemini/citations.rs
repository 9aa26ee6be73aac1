//! Where a text comes from: Google's byte offsets ↔ characters.
//! <https://ai.google.dev/api/generate-content#GroundingMetadata>

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use crate::dialects::json::{Fields, Json, Object};
use crate::dialects::neutral::reply::Citation;

/// The citations that a candidate tells for a text.
pub(super) fn read(candidate: &mut Fields<'_>, text: &str) -> Vec<Citation> {
    let mut found = Vec::new();
    if let Some(grounding) = candidate.object("groundingMetadata") {
        read_grounding(grounding, text, &mut found);
    }
    if let Some(mut metadata) = candidate.object("citationMetadata") {
        let mut sources = metadata.array("citations");
        sources.append(&mut metadata.array("citationSources"));
        for source in sources {
            found.extend(read_source(source, text));
        }
    }
    found
}

fn read_grounding(mut grounding: Fields<'_>, text: &str, found: &mut Vec<Citation>) {
    let chunks: Vec<Citation> = grounding
        .array("groundingChunks")
        .into_iter()
        .map(read_chunk)
        .collect();
    let supports = grounding.array("groundingSupports");
    if supports.is_empty() {
        found.extend(chunks.into_iter().filter(|chunk| chunk.url.is_some()));
        return;
    }
    for support in supports {
        let Some(mut support) = Fields::of(support) else {
            continue;
        };
        let mut segment = support.object("segment").unwrap_or_default();
        let quote = segment.text("text").filter(|quote| !quote.is_empty());
        let range = (
            segment.count("startIndex").unwrap_or(0),
            segment.count("endIndex"),
        );
        let span = span(text, range, quote.as_deref());
        let indices = support.array("groundingChunkIndices");
        for index in indices.into_iter().filter_map(super::wire::whole) {
            let chunk = usize::try_from(index).ok().and_then(|at| chunks.get(at));
            found.extend(chunk.map(|chunk| Citation {
                quote: quote.clone(),
                span,
                ..chunk.clone()
            }));
        }
    }
}

/// A source, of whatever kind: the web, a document, a place.
fn read_chunk(chunk: &RawValue) -> Citation {
    let mut kinds = Fields::of(chunk).into_iter().flat_map(Fields::rest);
    let source = kinds.find_map(|(_, source)| Fields::of(source));
    let mut source = source.unwrap_or_default();
    Citation {
        url: source.text("uri"),
        title: source.text("title"),
        ..Citation::default()
    }
}

fn read_source(source: &RawValue, text: &str) -> Option<Citation> {
    let mut source = Fields::of(source)?;
    let url = source.text("uri")?;
    let range = (
        source.count("startIndex").unwrap_or(0),
        source.count("endIndex"),
    );
    Some(Citation {
        url: Some(url),
        title: source.text("title"),
        span: span(text, range, None),
        ..Citation::default()
    })
}

/// The characters of a range of bytes. Where other words stand there than should, they are looked for:
/// the range may be that of a longer text.
fn span(text: &str, range: (u64, Option<u64>), quote: Option<&str>) -> Option<(u64, u64)> {
    let (from, to) = (
        usize::try_from(range.0).ok()?,
        usize::try_from(range.1?).ok()?,
    );
    let there = text.get(from..to).filter(|there| !there.is_empty());
    let (from, to) = match (there, quote) {
        (Some(there), Some(quote)) if there == quote => (from, to),
        (Some(_), None) => (from, to),
        (_, Some(quote)) => {
            let from = text.find(quote)?;
            (from, from + quote.len())
        }
        (None, None) => return None,
    };
    let characters = |to: usize| text.get(..to).map(|text| text.chars().count() as u64);
    Some((characters(from)?, characters(to)?))
}

/// `groundingMetadata` of citations, each with its text and the number of bytes before that text.
pub(super) fn write(citations: &[(Citation, &str, usize)]) -> Option<Object> {
    let mut chunks: Vec<Json> = Vec::new();
    let mut known: BTreeMap<(Option<&str>, Option<&str>), u64> = BTreeMap::new();
    let mut supports: Vec<Json> = Vec::new();
    for (citation, text, before) in citations {
        let source = (citation.url.as_deref(), citation.title.as_deref());
        let index = *known.entry(source).or_insert_with(|| {
            let web = Object::new()
                .maybe("uri", citation.url.as_ref())
                .maybe("title", citation.title.as_ref());
            chunks.push(Object::new().with("web", web).into());
            chunks.len() as u64 - 1
        });
        supports.extend(write_support(citation, text, *before, index));
    }
    if chunks.is_empty() {
        return None;
    }
    let mut metadata = Object::new().with("groundingChunks", Json::Array(chunks));
    if !supports.is_empty() {
        metadata.put("groundingSupports", Json::Array(supports));
    }
    Some(metadata)
}

fn write_support(citation: &Citation, text: &str, before: usize, index: u64) -> Option<Json> {
    let (from, to) = citation.span?;
    let byte = |character: u64| {
        let at = usize::try_from(character).ok()?;
        let mut starts = text.char_indices().map(|(at, _)| at);
        starts
            .nth(at)
            .or((text.chars().count() == at).then_some(text.len()))
    };
    let (from, to) = (byte(from)?, byte(to)?);
    let segment = Object::new()
        .with("startIndex", (before + from) as u64)
        .with("endIndex", (before + to) as u64)
        .with("text", text.get(from..to)?.to_owned());
    let support = Object::new()
        .with("segment", segment)
        .with("groundingChunkIndices", Json::Array(vec![index.into()]));
    Some(support.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_become_characters_and_bytes_again() {
        let text = "Ünï said: yes.";
        let candidate = r#"{"groundingMetadata":{"groundingChunks":[
            {"web":{"uri":"https://a","title":"A"}},{"retrievedContext":{"uri":"gs://b"}}],
            "groundingSupports":[{"segment":{"startIndex":12,"endIndex":15,"text":"yes"},
            "groundingChunkIndices":[0,1]}]}}"#;
        let found = read(&mut Fields::parse(candidate).unwrap(), text);
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].span, Some((10, 13)));
        assert_eq!(found[1].url.as_deref(), Some("gs://b"));
        let told: Vec<_> = found.into_iter().map(|one| (one, text, 0)).collect();
        let written = Object::new()
            .with("groundingMetadata", write(&told).unwrap())
            .to_raw();
        let again = read(&mut Fields::of(&written).unwrap(), text);
        assert_eq!(again[0].span, Some((10, 13)));
        assert_eq!(again[0].quote.as_deref(), Some("yes"));
    }

    #[test]
    fn a_range_of_another_text_is_found_by_its_words() {
        assert_eq!(span("é: yes", (90, Some(93)), Some("yes")), Some((3, 6)));
        assert_eq!(span("é: yes", (1, Some(3)), None), None);
        assert_eq!(span("é: yes", (0, Some(99)), Some("no")), None);
    }
}
