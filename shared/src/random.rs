//! Randomness: the only file that draws it.

use ring::rand::{SecureRandom, SystemRandom};

/// Fills `N` bytes from the operating system's generator.
///
/// # Panics
/// When the operating system has no randomness to give: nothing safe can be done then.
#[must_use]
pub fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    SystemRandom::new()
        .fill(&mut bytes)
        .expect("the operating system gives randomness");
    bytes
}

/// 128 random bits.
#[must_use]
pub fn bits() -> u128 {
    u128::from_le_bytes(bytes())
}

/// A number below `bound`, or 0 when the bound is 0. The bias of a 64-bit draw is beyond notice.
#[must_use]
pub fn below(bound: u64) -> u64 {
    u64::from_le_bytes(bytes()).checked_rem(bound).unwrap_or(0)
}

/// Text of `length` letters and digits, for people to copy: about 5.9 bits a character.
#[must_use]
pub fn text(length: usize) -> String {
    const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let letter = |_| {
        let index = usize::try_from(below(ALPHABET.len() as u64)).unwrap_or(0);
        char::from(*ALPHABET.get(index).unwrap_or(&b'A'))
    };
    (0..length).map(letter).collect()
}
