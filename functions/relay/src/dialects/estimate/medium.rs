//! A medium in a request: what its members say of it, and how many tokens it counts.

use std::borrow::Cow;

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};

use super::document;
use super::image::{self, Rule};

/// Padding and what is left of the last character are as clients write them.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);
/// So many first bytes tell what a file is.
const MAGIC: usize = 48;
/// No provider reads more pages of a document. <https://ai.google.dev/gemini-api/docs/document-processing>
const MOST_PAGES: u64 = 1_000;
/// What a document that is not in the request counts at most, in tokens: the window of most models
/// that read documents. Its pages cannot be seen.
const UNSEEN_DOCUMENT: u64 = 200_000;
/// What a sound or a film that is not in the request counts at most: an hour of film at Google.
const UNSEEN_RECORDING: u64 = 1_100_000;
/// What either is taken to be where nothing says what it used.
const USUAL_UNSEEN: u64 = 5_000;

/// What kind of medium it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A picture.
    Image,
    /// A PDF.
    Pdf,
    /// A sound.
    Audio,
    /// A film.
    Video,
    /// Anything else: it counts as text.
    Other,
}

impl Kind {
    /// What a part is, by its type.
    pub(super) fn of_part(kind: &[u8]) -> Option<Self> {
        match kind {
            b"image" | b"image_url" | b"input_image" | b"computer_screenshot" => Some(Self::Image),
            b"input_audio" => Some(Self::Audio),
            b"video_url" => Some(Self::Video),
            _ => None,
        }
    }

    /// What a file is, by its declared type; `None` when that says nothing.
    fn of_mime(mime: &[u8]) -> Option<Self> {
        let mime = mime.to_ascii_lowercase();
        Some(match mime.as_slice() {
            b"" | b"application/octet-stream" => return None,
            mime if mime.starts_with(b"image/") => Self::Image,
            mime if mime.starts_with(b"audio/") => Self::Audio,
            mime if mime.starts_with(b"video/") => Self::Video,
            b"application/pdf" => Self::Pdf,
            _ => Self::Other,
        })
    }

    /// What a file is, by its first bytes.
    fn of_bytes(bytes: &[u8]) -> Option<Self> {
        let behind =
            |from: usize, word: &[u8]| bytes.get(from..).is_some_and(|rest| rest.starts_with(word));
        let begins = |word: &[u8]| behind(0, word);
        Some(match bytes {
            _ if begins(b"%PDF-") => Self::Pdf,
            _ if begins(b"\x89PNG") || begins(b"\xff\xd8\xff") || begins(b"GIF8") => Self::Image,
            _ if begins(b"RIFF") && behind(8, b"WEBP") => Self::Image,
            _ if begins(b"RIFF") && behind(8, b"WAVE") => Self::Audio,
            _ if behind(4, b"ftyp") && is_picture(bytes.get(8..12)) => Self::Image,
            _ if begins(b"ID3") || begins(b"OggS") || begins(b"fLaC") => Self::Audio,
            _ if behind(4, b"ftyp") || begins(b"\x1a\x45\xdf\xa3") => Self::Video,
            [0xff, second, ..] if second & 0xe0 == 0xe0 => Self::Audio,
            _ => return None,
        })
    }
}

/// Whether a brand of the ISO container is one of pictures.
fn is_picture(brand: Option<&[u8]>) -> bool {
    const BRANDS: [&[u8]; 6] = [b"heic", b"heix", b"hevc", b"mif1", b"avif", b"avis"];
    brand.is_some_and(|brand| BRANDS.contains(&brand))
}

/// Where a medium's bytes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Payload<'a> {
    /// In the request, in base64, as it is escaped.
    Base64(&'a [u8]),
    /// In the request, as text.
    Text(&'a [u8]),
    /// At an address, or with the provider.
    Elsewhere,
}

/// A medium, as its members describe it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Medium<'a> {
    /// Where its bytes are; `None` when nothing was said of them.
    pub(super) payload: Option<Payload<'a>>,
    mime: Option<&'a [u8]>,
    /// What the part is, by its type or by its member's name.
    kind: Option<Kind>,
    /// Where the dialect says whether it is base64 or text, and what was said.
    needs_type: bool,
    is_base64: bool,
    is_text: bool,
    /// Something was said twice: nobody knows which of them counts.
    doubtful: bool,
}

impl<'a> Medium<'a> {
    /// One that is the value of the member of that name.
    pub(super) fn named(name: &[u8]) -> Self {
        let kind = match name {
            b"image_url" => Some(Kind::Image),
            b"input_audio" => Some(Kind::Audio),
            b"video_url" => Some(Kind::Video),
            _ => None,
        };
        Self {
            kind,
            needs_type: name == b"source",
            ..Self::default()
        }
    }

    /// Takes what a member says.
    pub(super) fn say(&mut self, name: &[u8], text: &'a [u8]) {
        match name {
            b"type" => {
                self.is_base64 |= text == b"base64";
                self.is_text |= text == b"text";
            }
            b"media_type" | b"mime_type" | b"mimeType" => {
                self.doubtful |= self.mime.is_some();
                self.mime = Some(text);
            }
            b"url" | b"image_url" | b"video_url" | b"data" | b"file_data" => self.carry(text),
            b"file_id" | b"file_url" | b"file_uri" | b"fileUri" => {
                self.doubtful |= self.payload.is_some();
                self.payload = Some(Payload::Elsewhere);
            }
            _ => {}
        }
    }

    /// Bytes, a `data:` URL, or an address.
    fn carry(&mut self, text: &'a [u8]) {
        self.doubtful |= self.payload.is_some();
        let Some(url) = text.strip_prefix(b"data:") else {
            let is_address = memchr::memmem::find(text.get(..16).unwrap_or(text), b":").is_some();
            self.payload = Some(if is_address {
                Payload::Elsewhere
            } else {
                Payload::Base64(text)
            });
            return;
        };
        let comma = memchr::memchr(b',', url).unwrap_or(url.len());
        let (head, data) = url.split_at(comma);
        let data = data.get(1..).unwrap_or_default();
        self.payload = Some(match head.strip_suffix(b";base64") {
            Some(head) => {
                let mime = head.split(|byte| *byte == b';').next();
                self.mime = mime.filter(|mime| !mime.is_empty()).or(self.mime);
                Payload::Base64(data)
            }
            None => Payload::Text(text),
        });
    }

    /// The same, in a part of that kind.
    #[must_use]
    pub(super) fn of_kind(mut self, kind: Option<Kind>) -> Self {
        self.kind = self.kind.or(kind);
        self
    }

    /// What is text and no medium, however it looks.
    #[must_use]
    pub(super) fn settled(mut self) -> Self {
        if let Some(Payload::Base64(data)) = self.payload
            && self.needs_type
        {
            self.doubtful |= self.is_text;
            if !self.is_base64 {
                self.payload = Some(Payload::Text(data));
            }
        }
        self
    }

    /// How many bytes of the request are this medium's and no text.
    #[must_use]
    pub(super) fn bytes(&self) -> u64 {
        match self.payload {
            Some(Payload::Base64(data)) if !self.doubtful => data.len() as u64,
            _ => 0,
        }
    }

    /// The most tokens that it counts by any of these rules.
    #[must_use]
    pub(super) fn most(&self, rules: &[Rule]) -> u64 {
        let of = |kind: Kind| self.of(kind, rules, &Rule::most, &MOST);
        let kinds = self.kinds();
        kinds
            .into_iter()
            .flatten()
            .map(of)
            .max()
            .unwrap_or_default()
    }

    /// How many tokens it is likely to count.
    #[must_use]
    pub(super) fn likely(&self, rules: &[Rule]) -> u64 {
        let of = |kind: Kind| self.of(kind, rules, &Rule::likely, &LIKELY);
        let [declared, seen] = self.kinds();
        seen.or(declared).map_or(0, of)
    }

    /// What it is said to be, and what its bytes look like: where both differ, nobody knows which of
    /// them a provider believes.
    fn kinds(&self) -> [Option<Kind>; 2] {
        let said = self.mime.and_then(Kind::of_mime).or(self.kind);
        let seen = match self.payload {
            Some(Payload::Base64(data)) => Kind::of_bytes(&decoded(data, MAGIC)),
            _ => None,
        };
        [said.or_else(|| seen.is_none().then_some(Kind::Other)), seen]
    }

    fn of(
        &self,
        kind: Kind,
        rules: &[Rule],
        count: &dyn Fn(Rule, Option<image::Size>) -> u64,
        figures: &Figures,
    ) -> u64 {
        let data = match self.payload {
            Some(Payload::Base64(data)) => Some(data),
            _ => None,
        };
        match (kind, data) {
            (Kind::Image, data) => {
                let size = data.filter(|_| !self.doubtful);
                let size = size.and_then(|data| image::measure(|most| decoded(data, most)));
                let counts = rules.iter().map(|rule| count(*rule, size));
                figures.of_images(counts)
            }
            (Kind::Pdf | Kind::Other, None) => figures.unseen_document,
            (Kind::Audio | Kind::Video, None) => figures.unseen_recording,
            (Kind::Pdf, Some(data)) => {
                let pages = document::pages(&decoded(data, usize::MAX));
                let pages = pages.unwrap_or_else(|| (figures.unseen_pages)(data.len() as u64));
                pages.min(MOST_PAGES).saturating_mul(figures.page)
            }
            (Kind::Audio, Some(data)) => {
                let seconds = data.len() as u64 / figures.audio_rate(data) + 1;
                seconds.saturating_mul(figures.audio_second)
            }
            (Kind::Video, Some(data)) => {
                let seconds = data.len() as u64 / figures.video_rate + 1;
                seconds.saturating_mul(figures.video_second)
            }
            (Kind::Other, Some(data)) => data.len() as u64 / figures.bytes_a_token,
        }
    }
}

/// What is counted for documents, sounds and films.
struct Figures {
    is_most: bool,
    /// A page of a PDF, in tokens.
    page: u64,
    /// How many pages so much base64 holds.
    unseen_pages: fn(u64) -> u64,
    unseen_document: u64,
    unseen_recording: u64,
    /// How much base64 a second of sound or film takes, in bytes.
    audio_rate: u64,
    video_rate: u64,
    /// What a second counts, in tokens.
    audio_second: u64,
    video_second: u64,
    bytes_a_token: u64,
}

/// The most. A page is text of up to 3,000 tokens and a picture:
/// <https://docs.anthropic.com/en/docs/build-with-claude/pdf-support#estimate-your-costs>; Google
/// counts up to 1,120, <https://ai.google.dev/gemini-api/docs/media-resolution>. No page takes less than 1,000 bytes in
/// base64. Sound has some 6 kbit/s at least, and film some 50. Google counts 32 tokens for a second of
/// sound, <https://ai.google.dev/gemini-api/docs/audio>, and about 300 for one of film at one picture a
/// second, <https://ai.google.dev/gemini-api/docs/video-understanding>; OpenAI 10 for one of sound.
const MOST: Figures = Figures {
    is_most: true,
    page: 3_000 + 4_784,
    unseen_pages: |base64| (base64 / 1_000).clamp(1, MOST_PAGES),
    unseen_document: UNSEEN_DOCUMENT,
    unseen_recording: UNSEEN_RECORDING,
    audio_rate: 1_000,
    video_rate: 8_000,
    audio_second: 32,
    video_second: 300,
    bytes_a_token: 1,
};

/// What is likely: a page of some 2,300 tokens, sound of 64 kbit/s, film of a megabit.
const LIKELY: Figures = Figures {
    is_most: false,
    page: 2_300,
    unseen_pages: |base64| (base64 / 100_000).clamp(1, 100),
    unseen_document: USUAL_UNSEEN,
    unseen_recording: USUAL_UNSEEN,
    audio_rate: 10_600,
    video_rate: 166_000,
    audio_second: 25,
    video_second: 263,
    bytes_a_token: 6,
};

impl Figures {
    /// The dearest rule, or the cheapest: of a model that nobody knows the least is likely.
    fn of_images(&self, counts: impl Iterator<Item = u64>) -> u64 {
        let counted = if self.is_most {
            counts.max()
        } else {
            counts.min()
        };
        counted.unwrap_or_default()
    }

    /// How much base64 a second of this sound takes: a WAV file says it.
    fn audio_rate(&self, data: &[u8]) -> u64 {
        let head = decoded(data, MAGIC);
        let is_wav = head.starts_with(b"RIFF") && head.get(12..16) == Some(b"fmt ");
        let rate = head.get(28..32).filter(|_| is_wav);
        let rate = rate.and_then(|rate| <[u8; 4]>::try_from(rate).ok());
        let rate = rate.map(|rate| u64::from(u32::from_le_bytes(rate)) * 4 / 3);
        rate.map_or(self.audio_rate, |rate| rate.clamp(MOST.audio_rate, 1 << 20))
    }
}

/// Up to so many of the bytes that base64 stands for; none when it is no base64.
fn decoded(data: &[u8], most: usize) -> Vec<u8> {
    let digits = most.div_ceil(3).saturating_mul(4);
    let part = data.get(..digits).unwrap_or(data);
    let digits: Cow<'_, [u8]> = if memchr::memchr3(b'\\', b'-', b'_', part).is_some() {
        Cow::Owned(digits_of(data).take(digits).collect())
    } else {
        Cow::Borrowed(part)
    };
    BASE64.decode(digits).unwrap_or_default()
}

/// The digits of base64, however they are escaped and wrapped, and in which alphabet they are.
fn digits_of(data: &[u8]) -> impl Iterator<Item = u8> {
    let mut escaped = false;
    data.iter().filter_map(move |byte| {
        let after = std::mem::replace(&mut escaped, *byte == b'\\');
        match byte {
            b'n' | b'r' | b't' if after => None,
            b'\\' => None,
            b'-' => Some(b'+'),
            b'_' => Some(b'/'),
            byte => Some(*byte),
        }
    })
}
