//! What must hold of an order before it is priced.

use std::collections::BTreeMap;

use crate::catalog;
use crate::exports::demo::orders::orders::{Delivery, Discount, Order, Refusal, Shortage, Violation};
use crate::pricing;

const MAX_ITEMS: usize = 500;
const MAX_NOTE: usize = 280;

/// Everything that is wrong with an order, in the order of its fields.
pub fn refusals(order: &Order) -> Vec<Refusal> {
    let mut found = Vec::new();
    if order.customer.trim().is_empty() {
        found.push(invalid("customer", "must not be empty"));
    }
    items(order, &mut found);
    delivery(order, &mut found);
    for (at, discount) in order.discounts.iter().enumerate() {
        if let Some(reason) = discount_problem(discount) {
            found.push(invalid(&format!("discounts[{at}]"), reason));
        }
    }
    if order.note.as_ref().is_some_and(|note| note.chars().count() > MAX_NOTE) {
        found.push(invalid("note", &format!("must be at most {MAX_NOTE} characters")));
    }
    found
}

fn items(order: &Order, found: &mut Vec<Refusal>) {
    if order.items.is_empty() {
        found.push(invalid("items", "must have at least one item"));
    }
    if order.items.len() > MAX_ITEMS {
        found.push(invalid("items", &format!("must be at most {MAX_ITEMS} items")));
        return;
    }
    let mut wanted: BTreeMap<&str, u32> = BTreeMap::new();
    for (at, item) in order.items.iter().enumerate() {
        if item.quantity == 0 {
            found.push(invalid(&format!("items[{at}].quantity"), "must be at least 1"));
        }
        let sum = wanted.entry(&item.sku).or_default();
        *sum = sum.saturating_add(item.quantity);
    }
    for (sku, wanted) in wanted {
        match catalog::find(sku) {
            None => found.push(Refusal::NotFound(sku.to_string())),
            Some(product) if product.stock < wanted => found.push(Refusal::OutOfStock(Shortage {
                sku: product.sku,
                wanted,
                available: product.stock,
            })),
            Some(_) => {}
        }
    }
}

fn delivery(order: &Order, found: &mut Vec<Refusal>) {
    match &order.delivery {
        Delivery::Pickup => {}
        Delivery::Parcel(to) => {
            for (field, value) in [("name", &to.name), ("street", &to.street), ("city", &to.city)] {
                if value.trim().is_empty() {
                    found.push(invalid(&format!("delivery.parcel.{field}"), "must not be empty"));
                }
            }
            if to.country.len() != 2 || !to.country.bytes().all(|byte| byte.is_ascii_uppercase()) {
                found.push(invalid("delivery.parcel.country", "must be two capital letters"));
            }
        }
        Delivery::Email(to) => {
            if !to.contains('@') {
                found.push(invalid("delivery.email", "must be an address"));
            }
            for (at, item) in order.items.iter().enumerate() {
                if catalog::find(&item.sku).is_some_and(|product| product.weight.is_some()) {
                    found.push(invalid(
                        &format!("items[{at}].sku"),
                        "can not be sent by mail: it has weight",
                    ));
                }
            }
        }
    }
}

fn discount_problem(discount: &Discount) -> Option<&'static str> {
    match discount {
        Discount::Percent(percent) if !(1..=100).contains(percent) => Some("must be 1 to 100 percent"),
        Discount::Amount(0) => Some("must be at least 1 cent"),
        Discount::Coupon(code) if pricing::coupon(code).is_none() => Some("no such coupon"),
        _ => None,
    }
}

fn invalid(field: &str, reason: &str) -> Refusal {
    Refusal::InvalidArgument(Violation {
        field: field.to_string(),
        reason: reason.to_string(),
    })
}
