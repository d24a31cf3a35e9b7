//! The component: what bench:receipt/till exports.

mod receipt;

wit_bindgen::generate!({ world: "shop", path: "wit" });

use exports::bench::receipt::till::{Guest, Line, Receipt};

struct Component;

impl Guest for Component {
    fn ring_up(lines: Vec<Line>, percent: u32) -> Receipt {
        let lines: Vec<_> = lines
            .into_iter()
            .map(|Line { sku, cents, count }| receipt::Line { sku, cents, count })
            .collect();
        let receipt::Receipt { total, tax, text } = receipt::ring_up(&lines, percent);
        Receipt { total, tax, text }
    }
}

export!(Component);
