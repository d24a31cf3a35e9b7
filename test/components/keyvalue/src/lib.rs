//! A function that does all that wasi:keyvalue offers, for tests.

mod first_draft;
mod pairs;

wit_bindgen::generate!({
    world: "keyvalue",
    path: "wit",
    generate_all,
});

struct Component;

export!(Component);

/// A value as text; these tests store nothing else.
fn text(value: Vec<u8>) -> String {
    String::from_utf8(value).expect("a value that is text")
}
