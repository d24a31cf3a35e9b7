//! Functions that look into their arguments.

use crate::Component;
use crate::exports::test::conformance::changes::{Everything, Few, Guest, Level, Permissions, Shape, Tree};

impl Guest for Component {
    fn not(v: bool) -> bool {
        !v
    }

    fn add(a: u64, b: u64) -> u64 {
        a.wrapping_add(b)
    }

    fn negate(v: i64) -> i64 {
        v.wrapping_neg()
    }

    fn halve(v: f64) -> f64 {
        v / 2.0
    }

    fn next(v: char) -> char {
        char::from_u32(v as u32 + 1).expect("a character that has a next one")
    }

    fn join(v: Vec<String>, by: String) -> String {
        v.join(&by)
    }

    fn reverse(mut v: Vec<u8>) -> Vec<u8> {
        v.reverse();
        v
    }

    fn swap((number, text): (u8, String)) -> (String, u8) {
        (text, number)
    }

    fn raise(v: Level) -> Option<Level> {
        match v {
            Level::Low => Some(Level::Medium),
            Level::Medium => Some(Level::High),
            Level::High => None,
        }
    }

    fn complement(v: Permissions) -> Permissions {
        !v
    }

    fn both(a: Few, b: Few) -> Few {
        a | b
    }

    fn flip(v: Vec<Result<u32, String>>) -> Vec<Result<String, u32>> {
        let flipped = v.into_iter().map(|result| match result {
            Ok(number) => Err(number),
            Err(text) => Ok(text),
        });
        flipped.collect()
    }

    fn depth(v: Option<Option<Option<String>>>) -> u8 {
        match v {
            None => 0,
            Some(None) => 1,
            Some(Some(None)) => 2,
            Some(Some(Some(_))) => 3,
        }
    }

    fn name(v: Shape) -> String {
        match v {
            Shape::Nothing => "nothing".to_string(),
            Shape::Circle(_) => "circle".to_string(),
            Shape::Rect(_) => "rect".to_string(),
            Shape::Named(_) => "named".to_string(),
            Shape::Many(parts) => format!("many:{}", parts.len()),
            Shape::Maybe(_) => "maybe".to_string(),
            Shape::Tried(_) => "tried".to_string(),
            Shape::Level(_) => "level".to_string(),
            Shape::Data(data) => format!("data:{}", data.len()),
            Shape::Letter(_) => "letter".to_string(),
        }
    }

    fn weigh(v: Tree) -> f64 {
        let weights = v.branches.iter().flat_map(|branch| &branch.leaves).map(|leaf| leaf.weight);
        weights.fold(0.0, |sum, weight| sum + weight)
    }

    fn increment(v: Everything) -> Everything {
        Everything {
            b: v.b.wrapping_add(1),
            c: v.c.wrapping_add(1),
            d: v.d.wrapping_add(1),
            e: v.e.wrapping_add(1),
            f: v.f.wrapping_add(1),
            g: v.g.wrapping_add(1),
            h: v.h.wrapping_add(1),
            i: v.i.wrapping_add(1),
            j: v.j + 1.0,
            k: v.k + 1.0,
            ..v
        }
    }
}
