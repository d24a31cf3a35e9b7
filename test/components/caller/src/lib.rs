//! The function that calls another one: the small record of the benchmarks goes there and back, again and again.

wit_bindgen::generate!({ world: "calls", path: "wit", generate_all });

use bench::records::records::{Customer, Place, touch};
use exports::bench::caller::caller::Guest;

struct Component;

impl Guest for Component {
    fn run(times: u32) -> f64 {
        let mut customer = Customer {
            id: 4711,
            name: "Ada Lovelace".to_string(),
            active: true,
            score: 0.0,
            home: Place { city: "London".to_string(), zip: 12345 },
            tags: ["founder", "analyst", "poet"].map(str::to_string).to_vec(),
        };
        for _ in 0..times {
            customer = touch(&customer);
        }
        customer.score
    }
}

export!(Component);
