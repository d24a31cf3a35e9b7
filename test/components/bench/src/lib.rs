//! What the benchmarks call: functions that do as little as a function can, so that what is measured is weft.

wit_bindgen::generate!({ world: "bench", path: "wit" });

use exports::bench::records::bytes;
use exports::bench::records::records::{Customer, Guest};

struct Component;

impl Guest for Component {
    fn touch(mut customer: Customer) -> Customer {
        customer.score += 1.0;
        customer
    }

    fn touch_all(customers: Vec<Customer>) -> Vec<Customer> {
        customers.into_iter().map(Self::touch).collect()
    }
}

impl bytes::Guest for Component {
    fn echo(data: Vec<u8>) -> Vec<u8> {
        data
    }
}

export!(Component);
