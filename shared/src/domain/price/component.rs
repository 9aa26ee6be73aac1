//! What a price names and a bill lists: tokens by kind, pieces, and the call itself.

use std::fmt;

/// One thing that is counted and paid for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Component {
    /// Input that no cache served.
    Input,
    /// Input read from a cache.
    CacheRead,
    /// Audio read from a cache.
    CacheReadAudio,
    /// Images read from a cache.
    CacheReadImage,
    /// Input written to a cache that lives five minutes.
    CacheWrite5m,
    /// Input written to a cache that lives one hour.
    CacheWrite1h,
    /// Output; without the reasoning where that is priced apart.
    Output,
    /// The reasoning in the output.
    Reasoning,
    /// Audio that was listened to.
    InputAudio,
    /// Audio that was spoken.
    OutputAudio,
    /// Images that were looked at.
    InputImage,
    /// Images that were made.
    OutputImage,
    /// Searches of the web.
    WebSearch,
    /// Searches of files.
    FileSearch,
    /// Containers of code.
    CodeRun,
    /// The call.
    PerCall,
}

use Component::{
    CacheRead, CacheReadAudio, CacheReadImage, CacheWrite1h, CacheWrite5m, CodeRun, FileSearch,
    Input, InputAudio, InputImage, Output, OutputAudio, OutputImage, PerCall, Reasoning, WebSearch,
};

/// Each component, its name, and the letters for it in a stored bill.
const COMPONENTS: [(Component, &str, &str); 16] = [
    (Input, "input", "i"),
    (CacheRead, "cache_read", "cr"),
    (CacheReadAudio, "cache_read_audio", "ca"),
    (CacheReadImage, "cache_read_image", "cg"),
    (CacheWrite5m, "cache_write_5m", "cw"),
    (CacheWrite1h, "cache_write_1h", "cl"),
    (Output, "output", "o"),
    (Reasoning, "reasoning", "r"),
    (InputAudio, "input_audio", "ia"),
    (OutputAudio, "output_audio", "oa"),
    (InputImage, "input_image", "ii"),
    (OutputImage, "output_image", "oi"),
    (WebSearch, "web_search", "ws"),
    (FileSearch, "file_search", "fs"),
    (CodeRun, "code_run", "x"),
    (PerCall, "per_call", "pc"),
];

impl Component {
    /// Those that are tokens, in the order of a bill.
    pub const TOKENS: [Self; 12] = [
        Input,
        CacheRead,
        CacheReadAudio,
        CacheReadImage,
        CacheWrite5m,
        CacheWrite1h,
        Output,
        Reasoning,
        InputAudio,
        OutputAudio,
        InputImage,
        OutputImage,
    ];

    /// Those that are counted by the piece.
    pub const PIECES: [Self; 3] = [WebSearch, FileSearch, CodeRun];

    /// Its name in prices and bills: `cache_write_5m`.
    #[must_use]
    pub fn name(self) -> &'static str {
        let mut all = COMPONENTS.iter();
        all.find(|(component, ..)| *component == self)
            .map_or("", |(_, name, _)| name)
    }

    /// The component of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let mut all = COMPONENTS.iter();
        all.find(|(_, other, _)| *other == name)
            .map(|(component, ..)| *component)
    }

    /// Its letters in a stored bill.
    pub(super) fn code(self) -> &'static str {
        let mut all = COMPONENTS.iter();
        all.find(|(component, ..)| *component == self)
            .map_or("", |(.., code)| code)
    }

    /// The component of those letters.
    pub(super) fn of_code(code: &str) -> Option<Self> {
        let mut all = COMPONENTS.iter();
        all.find(|(.., other)| *other == code)
            .map(|(component, ..)| *component)
    }

    /// The component whose rate it has where no rate names it.
    #[must_use]
    pub const fn fallback(self) -> Option<Self> {
        match self {
            CacheRead | CacheWrite5m | InputAudio | InputImage => Some(Input),
            CacheReadAudio | CacheReadImage => Some(CacheRead),
            CacheWrite1h => Some(CacheWrite5m),
            Reasoning | OutputAudio | OutputImage => Some(Output),
            Input | Output | WebSearch | FileSearch | CodeRun | PerCall => None,
        }
    }

    /// Whether it is a part of the output.
    #[must_use]
    pub const fn is_output(self) -> bool {
        matches!(self, Output | Reasoning | OutputAudio | OutputImage)
    }
}

impl fmt::Display for Component {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_and_letters_lead_back() {
        let codes: HashSet<&str> = COMPONENTS.iter().map(|(.., code)| *code).collect();
        assert_eq!(codes.len(), COMPONENTS.len());
        for (component, name, code) in COMPONENTS {
            assert_eq!((component.name(), component.code()), (name, code));
            assert_eq!(Component::named(name), Some(component));
            assert_eq!(Component::of_code(code), Some(component));
            assert!(code.bytes().all(|letter| letter.is_ascii_lowercase()));
        }
        assert_eq!(Component::named("thinking"), None);
    }
}
