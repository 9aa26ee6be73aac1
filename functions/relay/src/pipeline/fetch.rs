//! Media that a caller only points to → their bytes, for providers that do not fetch them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use shared::failure::{Failure, Kind};

use crate::app::App;
use crate::dialects::neutral::request::{Content, Kind as BlockKind, Medium, Request, Source};
use crate::upstream::fetch::{Fetched, NotFetched};

/// How many media one request may point to.
const MOST: usize = 20;
/// How large they may be together, in bytes: more, and no provider would take the request.
const LARGEST: usize = 24 * 1024 * 1024;

/// Fetches what a provider wants as bytes, and puts it in its place.
pub(super) async fn fetch_media(
    app: &App,
    request: &mut Request,
    wanted: impl Fn(&str) -> bool,
) -> Result<(), Failure> {
    let mut media = Vec::new();
    collect(&mut request.instructions, &mut media);
    for turn in &mut request.turns {
        collect(&mut turn.content, &mut media);
    }
    media.retain(|medium| matches!(&medium.source, Source::Url(url) if wanted(url)));
    if media.len() > MOST {
        let text = format!("A request may point to {MOST} images and documents at most.");
        return Err(Failure::new(Kind::BadRequest, "too_many_media", text));
    }
    let mut left = LARGEST;
    for medium in media {
        let Source::Url(url) = &medium.source else {
            continue;
        };
        let fetched = app.upstream.fetch(url, left).await;
        let Fetched { mime, bytes } = fetched.map_err(|error| refusal(url, error))?;
        left -= bytes.len();
        medium.mime = mime.or(medium.mime.take());
        medium.source = Source::Base64(STANDARD.encode(&bytes));
    }
    Ok(())
}

/// The media in some blocks, and in what tools have answered.
fn collect<'a>(content: &'a mut Content, media: &mut Vec<&'a mut Medium>) {
    for block in &mut content.blocks {
        match &mut block.kind {
            BlockKind::Image(medium)
            | BlockKind::Document(medium)
            | BlockKind::Audio(medium)
            | BlockKind::Video(medium) => media.push(medium),
            BlockKind::ToolResult(result) => collect(&mut result.content, media),
            _ => {}
        }
    }
}

fn refusal(url: &str, error: NotFetched) -> Failure {
    let shown: String = url.chars().take(200).collect();
    let text = format!("{shown} could not be fetched: {error}.");
    Failure::new(Kind::BadRequest, "media_not_fetched", text).because(error)
}
