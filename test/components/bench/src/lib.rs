//! The function that the benchmarks call: it does as little as a function can, so that what is measured is weft.

wit_bindgen::generate!({ world: "bench", path: "wit" });

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

export!(Component);
