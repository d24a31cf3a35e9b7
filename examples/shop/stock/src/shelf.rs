//! What is on the shelf, ordered by SKU.

use crate::exports::demo::stock::stock::{Article, Category};

type Row = (&'static str, &'static str, Category, u32, u32);

const SHELF: [Row; 7] = [
    ("book-loom", "The Loom: A History", Category::Book, 2450, 12),
    ("heddle-wire", "Wire heddle, 300 mm", Category::Tool, 95, 4000),
    ("shuttle-oak", "Boat shuttle, oak", Category::Tool, 3900, 9),
    ("warp-cotton", "Cotton warp, 500 g", Category::Yarn, 1690, 60),
    ("yarn-indigo", "Wool yarn, indigo", Category::Yarn, 890, 240),
    ("yarn-madder", "Wool yarn, madder", Category::Yarn, 890, 0),
    ("yarn-weld", "Wool yarn, weld", Category::Yarn, 890, 75),
];

pub fn all() -> impl Iterator<Item = Article> {
    SHELF.iter().map(article)
}

pub fn find(sku: &str) -> Option<Article> {
    let place = SHELF.binary_search_by_key(&sku, |row| row.0).ok()?;
    Some(article(&SHELF[place]))
}

fn article(&(sku, name, category, price, available): &Row) -> Article {
    Article { sku: sku.into(), name: name.into(), category, price, available }
}
