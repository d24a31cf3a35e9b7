//! Interfaces whose functions return their arguments, and the ones that show signatures.

use crate::Component;
use crate::exports::test::conformance::interface::{self, Enum, Record, Variant};
use crate::exports::test::conformance::shapes::{
    self, Alias, Empties, Everything, Few, Leaf, Level, Permissions, Point, Several, Shape, Tree, Unit,
};
use crate::exports::test::conformance::{scalars, signatures};
use crate::exports::test::other::geometry;

macro_rules! echo {
    ($($name:ident: $type:ty;)*) => {
        $(fn $name(v: $type) -> $type {
            v
        })*
    };
}

impl scalars::Guest for Component {
    echo! {
        echo_bool: bool;
        echo_u8: u8;
        echo_s8: i8;
        echo_u16: u16;
        echo_s16: i16;
        echo_u32: u32;
        echo_s32: i32;
        echo_u64: u64;
        echo_s64: i64;
        echo_f32: f32;
        echo_f64: f64;
        echo_char: char;
        echo_string: String;
        echo_bytes: Vec<u8>;
    }
}

impl shapes::Guest for Component {
    echo! {
        echo_level: Level;
        echo_unit: Unit;
        echo_permissions: Permissions;
        echo_several: Several;
        echo_few: Few;
        echo_point: Point;
        echo_leaf: Leaf;
        echo_tree: Tree;
        echo_everything: Everything;
        echo_empties: Empties;
        echo_shape: Shape;
        echo_shapes: Vec<Shape>;
        echo_alias: Alias;

        echo_pair: (u8, String);
        echo_deep_pair: ((u8, u8), (String, (bool,)));

        echo_option: Option<u32>;
        echo_option_string: Option<String>;
        echo_option_leaf: Option<Leaf>;
        echo_option_option: Option<Option<u32>>;
        echo_option_option_option: Option<Option<Option<String>>>;
        echo_option_list: Option<Vec<u32>>;
        echo_option_bytes: Option<Vec<u8>>;

        echo_list_bool: Vec<bool>;
        echo_list_s8: Vec<i8>;
        echo_list_s16: Vec<i16>;
        echo_list_u16: Vec<u16>;
        echo_list_s32: Vec<i32>;
        echo_list_u32: Vec<u32>;
        echo_list_u64: Vec<u64>;
        echo_list_s64: Vec<i64>;
        echo_list_f32: Vec<f32>;
        echo_list_f64: Vec<f64>;
        echo_list_char: Vec<char>;
        echo_list_string: Vec<String>;
        echo_list_bytes: Vec<Vec<u8>>;
        echo_list_level: Vec<Level>;
        echo_list_list: Vec<Vec<u32>>;
        echo_list_list_list: Vec<Vec<Vec<String>>>;
        echo_list_option: Vec<Option<String>>;
        echo_list_result: Vec<Result<u32, String>>;
        echo_list_tuple: Vec<(String, u32)>;
        echo_list_few: Vec<Few>;
        echo_result_result: Vec<Result<Result<u8, Level>, Option<String>>>;
    }

    fn echo_results(
        a: Result<u32, String>,
        b: Result<u32, ()>,
        c: Result<(), String>,
        d: Result<(), ()>,
    ) -> (Result<u32, String>, Result<u32, ()>, Result<(), String>, Result<(), ()>) {
        (a, b, c, d)
    }
}

impl signatures::Guest for Component {
    fn nothing() {}

    fn consume(_: String) {}

    fn produce() -> String {
        "produced".to_string()
    }

    fn add(a: u32, b: u32) -> u64 {
        u64::from(a) + u64::from(b)
    }

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
        let c = c.iter().map(u32::to_string).collect::<Vec<_>>().join(",");
        let d = d.as_deref().unwrap_or("-");
        format!("{a} {b} {c} {d} {e} {},{} {g} {h} {i} {j} {k} {l}", f.0, f.1)
    }
}

impl interface::Guest for Component {
    fn func(import: Record, export: Variant, use_: Enum) -> (Record, Variant, Enum) {
        (import, export, use_)
    }

    fn a_b_c1(x_y_z2: u32) -> u32 {
        x_y_z2
    }
}

impl geometry::Guest for Component {
    fn mirror(at: geometry::Point, unit: geometry::Unit) -> (geometry::Point, geometry::Unit) {
        (geometry::Point { x: at.y, y: at.x }, unit)
    }
}
