//! Randomness from a seed that is a word. Each purpose draws from its own stream, so that a new one shifts no other.

/// A stream of random choices.
#[derive(Clone, Debug)]
pub struct Rng(fastrand::Rng);

impl Rng {
    /// The stream of (`seed`, `purpose`).
    pub fn new(seed: &str, purpose: &str) -> Self {
        // FNV-1a: stable across machines and versions, which std's hasher does not promise.
        let bytes = seed.bytes().chain([0]).chain(purpose.bytes());
        Self(fastrand::Rng::with_seed(bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        })))
    }

    /// `length` characters of `alphabet`.
    pub fn text(&mut self, alphabet: &[u8], length: usize) -> String {
        (0..length).map(|_| char::from(alphabet[self.0.usize(..alphabet.len())])).collect()
    }

    /// A version 4 UUID.
    pub fn uuid(&mut self) -> String {
        let mut bytes = [0u8; 16];
        self.0.fill(&mut bytes);
        bytes[6] = bytes[6] & 0x0f | 0x40;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        let hex = format!("{:032x}", u128::from_be_bytes(bytes));
        format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
    }

    /// Whether something with this probability (0 to 1) happens.
    pub fn happens(&mut self, probability: f64) -> bool {
        self.0.f64() < probability
    }

    /// A whole number from `low` to `high`, both included.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        self.0.u64(low..=high.max(low))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_repeat_and_do_not_depend_on_each_other() {
        let mut first = Rng::new("word", "ids");
        let mut again = Rng::new("word", "ids");
        assert_eq!(first.uuid(), again.uuid());
        assert_ne!(Rng::new("word", "ids").uuid(), Rng::new("word", "faults").uuid());
        assert_ne!(Rng::new("word", "ids").uuid(), Rng::new("other", "ids").uuid());
    }
}
