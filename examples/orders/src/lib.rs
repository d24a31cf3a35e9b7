//! The component: the types that the WIT gives, and the exports on top of [pricing] and [validation].

mod catalog;
mod pricing;
mod validation;

wit_bindgen::generate!({
    world: "shop",
    path: "wit",
    additional_derives: [PartialEq],
});

use exports::demo::orders::orders::{Bill, Guest, Order, Product, Receipt, Refusal};

struct Shop;

impl Guest for Shop {
    fn products() -> Vec<Product> {
        catalog::all().collect()
    }

    fn find(sku: String) -> Result<Product, Refusal> {
        catalog::find(&sku).ok_or(Refusal::NotFound(sku))
    }

    fn check(order: Order) -> Vec<Refusal> {
        validation::refusals(&order)
    }

    fn quote(order: Order) -> Result<Bill, Refusal> {
        match validation::refusals(&order).into_iter().next() {
            Some(refusal) => Err(refusal),
            None => pricing::bill(&order),
        }
    }

    fn place(order: Order) -> Result<Receipt, Refusal> {
        let bill = Self::quote(order.clone())?;
        println!("order of {} for {} cents", order.customer, bill.total);
        Ok(Receipt {
            id: receipt_id(&order, &bill),
            customer: order.customer,
            bill,
            note: order.note,
        })
    }
}

/// An identity from the content, so that repeating an order does not make a second one: FNV-1a, 64 bits.
fn receipt_id(order: &Order, bill: &Bill) -> String {
    let text = format!("{order:?}{}", bill.total);
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    format!("R-{hash:016x}")
}

export!(Shop);
