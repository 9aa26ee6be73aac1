//! Media: which addresses Google reads itself, and what bytes are that come without a type.

use crate::dialects::neutral::Kind;

/// How base64 begins, for the types that can be told by that.
const BEGINNINGS: [(&str, &str); 7] = [
    ("iVBORw0KGgo", "image/png"),
    ("/9j/", "image/jpeg"),
    ("R0lGOD", "image/gif"),
    ("UklGR", "image/webp"),
    ("JVBERi", "application/pdf"),
    ("SUQz", "audio/mp3"),
    ("AAAA", "video/mp4"),
];

/// A likely type of bytes whose type nobody says.
pub(super) fn guess(kind: &Kind, data: &str) -> &'static str {
    let (class, usual) = match kind {
        Kind::Image(_) => ("image/", "image/png"),
        Kind::Audio(_) => ("audio/", "audio/wav"),
        Kind::Video(_) => ("video/", "video/mp4"),
        _ => ("application/", "application/pdf"),
    };
    let mut known = BEGINNINGS.into_iter();
    let found =
        known.find(|(beginning, mime)| mime.starts_with(class) && data.starts_with(beginning));
    found.map_or(usual, |(_, mime)| mime)
}

/// Whether Google does not read the address itself: it reads its own storage and files, and `YouTube`.
pub(super) fn wants_bytes(url: &str) -> bool {
    let Some((scheme, rest)) = url.split_once("://") else {
        return false;
    };
    if !["http", "https"].contains(&scheme.to_ascii_lowercase().as_str()) {
        return false;
    }
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = host.to_ascii_lowercase();
    let host = host.strip_prefix("www.").unwrap_or(&host);
    let own = [
        "youtube.com",
        "m.youtube.com",
        "youtu.be",
        "generativelanguage.googleapis.com",
    ];
    !own.contains(&host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn google_reads_its_own_addresses_only() {
        for url in [
            "https://example.com/a.png",
            "HTTP://youtube.com.evil/",
            "http://x",
        ] {
            assert!(wants_bytes(url), "{url}");
        }
        for url in [
            "gs://bucket/a",
            "https://www.youtube.com/watch?v=x",
            "https://youtu.be/x",
            "https://generativelanguage.googleapis.com/v1beta/files/x",
        ] {
            assert!(!wants_bytes(url), "{url}");
        }
    }
}
