//! The component: what demo:stock/stock exports, on top of the [shelf].

mod shelf;

use std::collections::BTreeMap;

use exports::demo::stock::stock::{Article, Guest, Item, Refusal, Shortage};

wit_bindgen::generate!({ path: "wit" });

struct Stock;

impl Guest for Stock {
    fn articles() -> Vec<Article> {
        shelf::all().collect()
    }

    fn pick(items: Vec<Item>) -> Result<Vec<Article>, Refusal> {
        let mut wanted = BTreeMap::<&str, u32>::new();
        let mut picked = Vec::with_capacity(items.len());
        for item in &items {
            picked.push(shelf::find(&item.sku).ok_or_else(|| Refusal::NotFound(item.sku.clone()))?);
            let sum = wanted.entry(&item.sku).or_default();
            *sum = sum.saturating_add(item.quantity);
        }
        let shortages: Vec<_> = wanted.into_iter().filter_map(|(sku, wanted)| shortage(sku, wanted)).collect();
        if shortages.is_empty() { Ok(picked) } else { Err(Refusal::OutOfStock(shortages)) }
    }
}

/// What is missing of an article, if anything is.
fn shortage(sku: &str, wanted: u32) -> Option<Shortage> {
    let available = shelf::find(sku)?.available;
    (wanted > available).then(|| Shortage { sku: sku.into(), wanted, available })
}

export!(Stock);
