//! Chance, for choosing among channels of one priority: the machine's, or a test's sequence.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A source of chance.
#[derive(Debug, Clone, Default)]
pub struct Dice(Option<Arc<AtomicU64>>);

impl Dice {
    /// The machine's randomness.
    #[must_use]
    pub const fn random() -> Self {
        Self(None)
    }

    /// A sequence that always falls the same.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        Self(Some(Arc::new(AtomicU64::new(seed))))
    }

    /// A number below `bound`; 0 when the bound is 0.
    #[must_use]
    pub fn below(&self, bound: u64) -> u64 {
        match &self.0 {
            None => shared::random::below(bound),
            Some(state) => {
                // Steele, Lea, Flood: SplitMix64. <https://doi.org/10.1145/2714064.2660195>
                const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
                let mut z = state.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP);
                z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
                z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
                (z ^ (z >> 31)).checked_rem(bound).unwrap_or(0)
            }
        }
    }
}
