//! A component that passes its calls on to imports, for tests and benchmarks of calls between functions.

wit_bindgen::generate!({
    world: "test:relay/relays",
    path: ["../conformance/wit", "wit"],
    generate_all,
    additional_derives: [Clone],
});

use exports::test::relay::relay::{Code, Everything, Guest, Level, Problem, Refusal, Shape, Tree};
use test::conformance::{errors, host, hostile, scalars, shapes, signatures};

struct Component;

export!(Component);

impl Guest for Component {
    fn echo_text(v: String) -> String {
        scalars::echo_string(&v)
    }

    fn echo_bytes(v: Vec<u8>) -> Vec<u8> {
        scalars::echo_bytes(&v)
    }

    fn echo_everything(v: Everything) -> Everything {
        shapes::echo_everything(&v)
    }

    fn echo_tree(v: Tree) -> Tree {
        shapes::echo_tree(&v)
    }

    fn echo_shapes(v: Vec<Shape>) -> Vec<Shape> {
        shapes::echo_shapes(&v)
    }

    fn echo_options(v: Option<Option<Option<String>>>) -> Option<Option<Option<String>>> {
        shapes::echo_option_option_option(v.as_ref().map(|v| v.as_ref().map(|v| v.as_deref())))
    }

    fn echo_results(v: Vec<Result<Result<u8, Level>, Option<String>>>) -> Vec<Result<Result<u8, Level>, Option<String>>> {
        shapes::echo_result_result(&v)
    }

    #[allow(clippy::too_many_arguments)]
    fn many(
        a: u8,
        b: String,
        c: Vec<u32>,
        d: Option<String>,
        e: bool,
        f: (u8, u8),
        g: String,
        h: f64,
        i: char,
        j: i64,
        k: String,
        l: u16,
    ) -> String {
        signatures::many(a, &b, &c, d.as_deref(), e, f, &g, h, i, j, &k, l)
    }

    fn as_string(fail: bool) -> Result<u32, String> {
        errors::as_string(fail)
    }

    fn as_enum(code: Option<Code>) -> Result<u32, Code> {
        errors::as_enum(code)
    }

    fn as_record(fail: bool) -> Result<u32, Problem> {
        errors::as_record(fail)
    }

    fn as_variant(refusal: Option<Refusal>) -> Result<u32, Refusal> {
        errors::as_variant(refusal.as_ref())
    }

    fn neither(fail: bool) -> Result<(), ()> {
        errors::neither(fail)
    }

    fn environments() -> (Vec<(String, String)>, Vec<(String, String)>) {
        (host::environment(), std::env::vars().collect())
    }

    fn counts(calls: u32) -> Vec<u32> {
        (0..calls).map(|_| host::count()).collect()
    }

    fn print(line: String) {
        host::print(&line, "");
    }

    fn panic(message: String) {
        hostile::panic(&message);
    }

    fn endless_loop() {
        hostile::endless_loop();
    }

    fn endless_growth() {
        hostile::endless_growth();
    }

    fn repeat_numbers(calls: u32) -> u32 {
        (0..calls).filter(|&n| scalars::echo_u32(n) == n).count() as u32
    }

    fn repeat_texts(calls: u32, text: String) -> u32 {
        (0..calls).filter(|_| scalars::echo_string(&text).len() == text.len()).count() as u32
    }

    fn repeat_trees(calls: u32, tree: Tree) -> u32 {
        (0..calls).filter(|_| shapes::echo_tree(&tree).branches.len() == tree.branches.len()).count() as u32
    }
}
