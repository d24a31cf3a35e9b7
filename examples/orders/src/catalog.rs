//! What the shop sells.

use crate::exports::demo::orders::orders::{Product, TaxClass};

struct Entry {
    sku: &'static str,
    name: &'static str,
    price: u64,
    tax: TaxClass,
    stock: u32,
    weight: Option<u32>,
}

/// Ordered by SKU.
const ENTRIES: &[Entry] = &[
    Entry {
        sku: "book-loom",
        name: "The Loom: A History",
        price: 2_450,
        tax: TaxClass::Reduced,
        stock: 40,
        weight: Some(780),
    },
    Entry {
        sku: "card-25",
        name: "Gift card 25.00",
        price: 2_500,
        tax: TaxClass::Exempt,
        stock: 1_000,
        weight: None,
    },
    Entry {
        sku: "pattern-herringbone",
        name: "Herringbone pattern, PDF",
        price: 600,
        tax: TaxClass::Standard,
        stock: 1_000_000,
        weight: None,
    },
    Entry {
        sku: "shuttle-oak",
        name: "Oak boat shuttle",
        price: 3_990,
        tax: TaxClass::Standard,
        stock: 12,
        weight: Some(160),
    },
    Entry {
        sku: "yarn-indigo",
        name: "Wool yarn, indigo, 100 g",
        price: 890,
        tax: TaxClass::Standard,
        stock: 300,
        weight: Some(100),
    },
    Entry {
        sku: "yarn-madder",
        name: "Wool yarn, madder red, 100 g",
        price: 890,
        tax: TaxClass::Standard,
        stock: 0,
        weight: Some(100),
    },
];

impl Entry {
    fn product(&self) -> Product {
        Product {
            sku: self.sku.to_string(),
            name: self.name.to_string(),
            price: self.price,
            tax: self.tax,
            stock: self.stock,
            weight: self.weight,
        }
    }
}

/// All products, ordered by SKU.
pub fn all() -> impl Iterator<Item = Product> {
    ENTRIES.iter().map(Entry::product)
}

/// The product with a SKU.
pub fn find(sku: &str) -> Option<Product> {
    let at = ENTRIES.binary_search_by_key(&sku, |entry| entry.sku).ok()?;
    Some(ENTRIES[at].product())
}
