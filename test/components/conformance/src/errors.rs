//! Functions that fail, with an error of each type.

use crate::Component;
use crate::exports::test::conformance::errors::{Code, Guest, Problem, Refusal};

const VALUE: u32 = 7;

fn unless<E>(fail: bool, error: E) -> Result<u32, E> {
    if fail { Err(error) } else { Ok(VALUE) }
}

impl Guest for Component {
    fn as_string(fail: bool) -> Result<u32, String> {
        unless(fail, "a string".to_string())
    }

    fn as_enum(code: Option<Code>) -> Result<u32, Code> {
        code.map_or(Ok(VALUE), Err)
    }

    fn as_record(fail: bool) -> Result<u32, Problem> {
        unless(
            fail,
            Problem {
                code: 42,
                text: "a record".to_string(),
            },
        )
    }

    fn as_variant(refusal: Option<Refusal>) -> Result<u32, Refusal> {
        refusal.map_or(Ok(VALUE), Err)
    }

    fn as_list(fail: bool) -> Result<u32, Vec<String>> {
        unless(fail, vec!["one".to_string(), "two".to_string()])
    }

    fn as_tuple(fail: bool) -> Result<u32, (u32, String)> {
        unless(fail, (42, "a tuple".to_string()))
    }

    fn as_option(fail: bool) -> Result<u32, Option<String>> {
        unless(fail, Some("an option".to_string()))
    }

    fn as_number(fail: bool) -> Result<u32, u32> {
        unless(fail, 42)
    }

    fn as_nothing(fail: bool) -> Result<u32, ()> {
        unless(fail, ())
    }

    fn no_value(fail: bool) -> Result<(), String> {
        unless(fail, "no value".to_string()).map(drop)
    }

    fn neither(fail: bool) -> Result<(), ()> {
        unless(fail, ()).map(drop)
    }
}
