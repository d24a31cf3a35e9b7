//! A component over every WIT type, for tests.

mod changes;
mod errors;
mod host;
mod hostile;
mod shapes;

wit_bindgen::generate!({
    world: "conformance",
    path: "wit",
    generate_all,
});

struct Component;

export!(Component);
