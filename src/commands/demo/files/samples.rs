
/// Made-up reviews of `words` words, the same on every machine.
pub fn sample_reviews(words: usize) -> String {
    let mut random = random_numbers();
    (0..words).map(|_| format!("word{}", random() % 100)).collect::<Vec<_>>().join(" ")
}

/// Made-up product titles.
pub fn sample_titles(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("Blue Suede Shoes, Size {n} (limited edition)")).collect()
}

/// Made-up prices below 10,000.
pub fn sample_prices(count: usize) -> Vec<u64> {
    let mut random = random_numbers();
    (0..count).map(|_| random() % 10_000).collect()
}

fn random_numbers() -> impl FnMut() -> u64 {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    }
}
