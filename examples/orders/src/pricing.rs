//! What an order costs.

use crate::catalog;
use crate::exports::demo::orders::orders::{Bill, Delivery, Discount, Line, Order, Product, Refusal, TaxClass};

/// Goods from this many cents on are shipped free.
const FREE_SHIPPING_FROM: u64 = 10_000;

/// Prices an order that passed validation.
pub fn bill(order: &Order) -> Result<Bill, Refusal> {
    let mut goods = 0;
    let mut weight = 0;
    let mut by_class: Vec<(TaxClass, u64)> = Vec::new();
    let mut lines = Vec::with_capacity(order.items.len());
    for item in &order.items {
        let product = catalog::find(&item.sku).ok_or_else(|| Refusal::NotFound(item.sku.clone()))?;
        let line = line(&product, item.quantity);
        goods += line.total;
        weight += u64::from(product.weight.unwrap_or(0)) * u64::from(item.quantity);
        match by_class.iter_mut().find(|(class, _)| *class == product.tax) {
            Some((_, sum)) => *sum += line.total,
            None => by_class.push((product.tax, line.total)),
        }
        lines.push(line);
    }
    let discount = discount(goods, &order.discounts);
    let shipping = shipping(&order.delivery, goods - discount, weight);
    let tax = tax(&order.delivery, &by_class, goods, discount, shipping);
    Ok(Bill {
        lines,
        goods,
        discount,
        shipping,
        tax,
        total: goods - discount + shipping + tax,
    })
}

/// What a coupon is worth.
pub fn coupon(code: &str) -> Option<Discount> {
    match code {
        "WELCOME10" => Some(Discount::Percent(10)),
        "FIVER" => Some(Discount::Amount(500)),
        _ => None,
    }
}

fn line(product: &Product, quantity: u32) -> Line {
    Line {
        sku: product.sku.clone(),
        name: product.name.clone(),
        quantity,
        price: product.price,
        total: product.price * u64::from(quantity),
    }
}

/// What all discounts take off, at most everything.
fn discount(goods: u64, discounts: &[Discount]) -> u64 {
    let left = discounts
        .iter()
        .fold(goods, |left, discount| left - off(left, discount));
    goods - left
}

fn off(left: u64, discount: &Discount) -> u64 {
    match discount {
        Discount::Percent(percent) => share(left, u64::from(*percent), 100),
        Discount::Amount(cents) => left.min(*cents),
        Discount::Coupon(code) => coupon(code).map_or(0, |worth| off(left, &worth)),
    }
}

/// A parcel costs 4.90, plus 1.20 for each kilogram begun after the first.
fn shipping(delivery: &Delivery, goods: u64, grams: u64) -> u64 {
    if !matches!(delivery, Delivery::Parcel(_)) || grams == 0 || goods >= FREE_SHIPPING_FROM {
        return 0;
    }
    490 + 120 * (grams.div_ceil(1_000) - 1)
}

/// Tax on each class after its share of the discount; shipping is taxed at the standard rate.
fn tax(delivery: &Delivery, by_class: &[(TaxClass, u64)], goods: u64, discount: u64, shipping: u64) -> u64 {
    let country = match delivery {
        Delivery::Parcel(to) => to.country.as_str(),
        Delivery::Pickup | Delivery::Email(_) => "DE",
    };
    let on_goods: u64 = by_class
        .iter()
        .map(|(class, sum)| share(sum - share(discount, *sum, goods), rate(country, *class), 10_000))
        .sum();
    on_goods + share(shipping, rate(country, TaxClass::Standard), 10_000)
}

/// The rate in hundredths of a percent. Exports are not taxed.
fn rate(country: &str, class: TaxClass) -> u64 {
    let (standard, reduced) = match country {
        "AT" => (2_000, 1_000),
        "DE" => (1_900, 700),
        "FR" => (2_000, 550),
        "IT" => (2_200, 400),
        _ => (0, 0),
    };
    match class {
        TaxClass::Standard => standard,
        TaxClass::Reduced => reduced,
        TaxClass::Exempt => 0,
    }
}

/// `amount * part / whole`, rounded half up; 0 of nothing.
fn share(amount: u64, part: u64, whole: u64) -> u64 {
    if whole == 0 {
        return 0;
    }
    let exact = u128::from(amount) * u128::from(part);
    u64::try_from((exact * 2 + u128::from(whole)) / (u128::from(whole) * 2)).unwrap_or(u64::MAX)
}
