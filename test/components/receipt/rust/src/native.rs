//! The same as a program: native PERCENT SKU:CENTS:COUNT...

mod receipt;

use receipt::{Line, ring_up};

fn main() {
    let mut arguments = std::env::args().skip(1);
    let percent = number(arguments.next().as_deref());
    let lines: Vec<_> = arguments
        .map(|argument| {
            let mut fields = argument.split(':');
            let sku = fields.next().unwrap_or_default().to_string();
            Line { sku, cents: number(fields.next()), count: number(fields.next()) }
        })
        .collect();
    let receipt = ring_up(&lines, percent);
    println!("{} {}\n{}", receipt.total, receipt.tax, receipt.text);
}

fn number(text: Option<&str>) -> u32 {
    text.and_then(|text| text.parse().ok()).expect("usage: native PERCENT SKU:CENTS:COUNT...")
}
