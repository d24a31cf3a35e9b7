//! Receipts. Plain Rust, without WebAssembly.

use std::fmt::Write;

pub struct Line {
    pub sku: String,
    pub cents: u32,
    pub count: u32,
}

pub struct Receipt {
    pub total: u64,
    pub tax: u64,
    pub text: String,
}

pub fn ring_up(lines: &[Line], percent: u32) -> Receipt {
    let mut text = String::new();
    let mut net = 0;
    for line in lines {
        let price = u64::from(line.cents) * u64::from(line.count);
        net += price;
        print(&mut text, format_args!("{} {}", line.count, line.sku), price);
    }
    let tax = (net * u64::from(percent) + 50) / 100;
    print(&mut text, format_args!("tax {percent}%"), tax);
    print(&mut text, format_args!("total"), net + tax);
    Receipt { total: net + tax, tax, text }
}

fn print(text: &mut String, label: std::fmt::Arguments, cents: u64) {
    writeln!(text, "{label} {}.{:02}", cents / 100, cents % 100).expect("a string takes all that is written");
}
