//! What servers do with text: JSON by serde_json, and counting words in the standard library's hash map.

use std::collections::HashMap;
use std::fmt::Write;
use std::hash::{BuildHasherDefault, DefaultHasher};

use serde::{Deserialize, Serialize};

use super::{Random, digest};

#[derive(Serialize, Deserialize)]
struct Order {
    id: u64,
    customer: String,
    express: bool,
    total: f64,
    lines: Vec<Line>,
}

#[derive(Serialize, Deserialize)]
struct Line {
    sku: String,
    count: u32,
    note: Option<String>,
}

/// Writes that many orders as JSON, reads them, and writes what was read.
pub fn json(orders: usize) -> u64 {
    let mut random = Random::new();
    let orders: Vec<Order> = (0..orders as u64).map(|id| order(id, &mut random)).collect();
    let text = serde_json::to_string(&orders).expect("orders can be written");
    let mut read: Vec<Order> = serde_json::from_str(&text).expect("what was written can be read");
    read.reverse();
    let text = serde_json::to_string(&read).expect("orders can be written");
    digest(
        text.as_bytes()
            .as_chunks()
            .0
            .iter()
            .map(|bytes| u64::from_le_bytes(*bytes)),
    )
}

fn order(id: u64, random: &mut Random) -> Order {
    let lines = 1 + random.below(6);
    Order {
        id,
        customer: format!(
            "customer \"{}\" of the street with the number {}",
            word(random),
            random.below(200)
        ),
        express: random.below(2) == 0,
        total: random.below(1_000_000) as f64 / 100.0,
        lines: (0..lines)
            .map(|_| Line {
                sku: word(random),
                count: random.below(20) as u32,
                note: (random.below(4) == 0).then(|| "a gift,\nwrapped".to_string()),
            })
            .collect(),
    }
}

/// Counts how often each word is in a text of that many words.
pub fn words(count: usize) -> u64 {
    let mut random = Random::new();
    let mut text = String::new();
    for _ in 0..count {
        write!(text, "{} ", word(&mut random)).expect("a string takes all that is written");
    }
    let mut counts: HashMap<&str, u64, BuildHasherDefault<DefaultHasher>> = HashMap::default();
    for word in text.split_whitespace() {
        *counts.entry(word).or_default() += 1;
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_unstable();
    digest(counts.into_iter().flat_map(|(word, count)| [word.len() as u64, count]))
}

const SYLLABLES: [&str; 14] = [
    "ba", "di", "ku", "lo", "me", "na", "ro", "si", "te", "va", "wu", "xi", "yo", "za",
];

/// One of some thousand words.
fn word(random: &mut Random) -> String {
    let syllables = 2 + random.below(2);
    (0..syllables)
        .map(|_| SYLLABLES[random.below(SYLLABLES.len())])
        .collect()
}
