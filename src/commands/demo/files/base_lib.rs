//! A small shop: some text work, some arithmetic over orders.

use std::collections::HashMap;

/// How often each word occurs.
pub fn word_counts(text: &str) -> HashMap<String, usize> {
    let mut counts: HashMap<String, usize> = HashMap::new();
    for word in text.split_whitespace() {
        // Look first: most words are there already, and a String is made for the new ones only.
        match counts.get_mut(word) {
            Some(count) => *count += 1,
            None => {
                counts.insert(word.to_owned(), 1);
            }
        }
    }
    counts
}

/// A title as it stands in a URL: `Blue Suede Shoes!` is `blue-suede-shoes`.
pub fn slug(title: &str) -> String {
    let mut slug = String::new();
    for word in title.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
        let dash = if slug.is_empty() { "" } else { "-" };
        slug = format!("{slug}{dash}{}", word.to_lowercase());
    }
    slug
}

/// A number that changes when any order does.
pub fn checksum(prices: &[u64]) -> u64 {
    prices.iter().fold(0xcbf2_9ce4_8422_2325, |hash, price| (hash ^ price).wrapping_mul(0x0100_0000_01b3))
}

/// The price in the middle.
pub fn median(mut prices: Vec<u64>) -> u64 {
    let middle = prices.len() / 2;
    *prices.select_nth_unstable(middle).1
}

/// How many prices fall into each of 32 equal bins below 10,000.
pub fn histogram(prices: &[u64]) -> [u32; 32] {
    let mut bins = [0; 32];
    for price in prices {
        bins[(price * 32 / 10_000).min(31) as usize] += 1;
    }
    bins
}

/// The mean of each window of `width` prices.
pub fn moving_average(prices: &[u64], width: usize) -> Vec<u64> {
    prices.windows(width).map(|window| window.iter().sum::<u64>() / width as u64).collect()
}
