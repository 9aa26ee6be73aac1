//! `thoughtSignature`: bytes in base64, as they come; the state of others in an envelope inside them.

use base64::Engine;
use base64::engine::DecodePaddingMode::Indifferent;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use base64::{alphabet, engine};

use crate::dialects::neutral::{Opaque, Origin};

/// What Gemini takes in place of a signature that is missing.
/// <https://ai.google.dev/gemini-api/docs/thought-signatures>
pub(super) const MISSING: &str = "skip_thought_signature_validator";

const LENIENT: engine::GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(Indifferent);
/// Google's Python client writes bytes in the alphabet for URLs.
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);
const USUAL: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);

/// The signature for a caller: Gemini's own as it is, the envelope of another's state as bytes.
pub(super) fn write(state: &Opaque) -> String {
    match state.of(Origin::Gemini) {
        Some(own) => own.to_owned(),
        None => STANDARD.encode(state.seal(Origin::Gemini)),
    }
}

/// What a caller brings back.
pub(super) fn read(signature: &str) -> Opaque {
    let bytes = USUAL
        .decode(signature)
        .or_else(|_| URL_SAFE.decode(signature));
    let envelope = bytes.ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let opened = envelope.map(|text| Opaque::unseal(&text, Origin::Gemini));
    match opened {
        Some(state) if state.origin != Origin::Gemini => state,
        _ => Opaque::unseal(signature, Origin::Gemini),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_of_others_travels_as_bytes_and_comes_back_in_any_alphabet() {
        let state = Opaque::new(Origin::Anthropic, "sig?>~ÿ");
        let written = write(&state);
        assert_eq!(read(&written), state);
        let url_safe = written.replace('+', "-").replace('/', "_");
        assert_eq!(read(url_safe.trim_end_matches('=')), state);
    }

    #[test]
    fn a_signature_of_geminis_own_is_not_touched() {
        for own in ["EpwICp+k/A==", "EpwICp-k_A==", MISSING] {
            let state = Opaque::new(Origin::Gemini, own);
            assert_eq!(read(own), state);
            assert_eq!(write(&state), own);
        }
    }
}
