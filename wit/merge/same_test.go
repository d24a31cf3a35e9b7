package merge_test

// telling is a component of core modules and instances, the last of which, $last, exports tell.
func telling(modules string) string {
	return "(component " + modules + `
  (alias core export $last "tell" (core func $tell'))
  (func $tell (param "n" u32) (result u32) (canon lift (core func $tell')))
  (instance $api (export "tell" (func $tell)))
  (export "demo:chain/a@1.0.0" (instance $api)))`
}

// twice keeps its modules from being merged, as two instances are made of each.
const twice = `
  (core module $x
    (memory (export "memory") 1)
    (table (export "table") 4 funcref)
    (type $n (func (param i32) (result i32)))
    (func (export "at") (param i32) (result i32) (i32.load8_u (i32.rem_u (local.get 0) (i32.const 1000))))
    (func (export "call") (param i32) (result i32) (call_indirect (type $n) (local.get 0) (i32.rem_u (local.get 0) (i32.const 4))))
    (data (i32.const 0) "0123456789"))
  (core instance (instantiate $x))
  (core instance $x (instantiate $x))
  (alias core export $x "memory" (core memory $memory))
  (alias core export $x "table" (core table $table))
  (alias core export $x "at" (core func $at))
  (alias core export $x "call" (core func $call))
  (core instance $of-x (export "memory" (memory $memory)) (export "table" (table $table)) (export "at" (func $at)) (export "call" (func $call)))`

// order has modules that write where others do, which are not merged. What is written last stays.
var order = telling(twice + `
  (core module $a
    (import "x" "memory" (memory 1))
    (import "x" "table" (table 4 funcref))
    (func $a (param i32) (result i32) (i32.const 97))
    (elem (i32.const 1) func $a $a)
    (data (i32.const 0) "aaaa")
    (func (export "one") (result i32) (i32.const 1)))
  (core module $b
    (import "x" "memory" (memory 1))
    (import "x" "table" (table 4 funcref))
    (func $b (param i32) (result i32) (i32.const 98))
    (elem (i32.const 1) func $b)
    (data (i32.const 1) "bb"))
  (core module $c
    (func (export "two") (result i32) (i32.const 2)))
  (core module $last
    (import "a" "one" (func $one (result i32)))
    (import "c" "two" (func $two (result i32)))
    (import "x" "at" (func $at (param i32) (result i32)))
    (import "x" "call" (func $call (param i32) (result i32)))
    (func (export "tell") (param i32) (result i32)
      (i32.add (i32.mul (i32.const 1000) (call $at (local.get 0)))
        (i32.add (call $call (i32.add (call $one) (i32.and (local.get 0) (i32.const 1)))) (call $two)))))
  (core instance $a (instantiate $a (with "x" (instance $of-x))))
  (alias core export $a "one" (core func $one))
  (core instance $of-a (export "one" (func $one)))
  (core instance $b (instantiate $b (with "x" (instance $of-x))))
  (core instance (instantiate $b (with "x" (instance $of-x))))
  (core instance $c (instantiate $c))
  (core instance $last (instantiate $last (with "a" (instance $of-a)) (with "c" (instance $c)) (with "x" (instance $of-x))))`)

// direct has a module that imports from one that is not merged. It stays beside those that are.
var direct = telling(twice + `
  (core module $a
    (import "x" "at" (func $at (param i32) (result i32)))
    (func (export "one") (param i32) (result i32) (i32.add (call $at (local.get 0)) (i32.const 1))))
  (core module $b
    (import "a" "one" (func $one (param i32) (result i32)))
    (func (export "two") (param i32) (result i32) (i32.add (call $one (local.get 0)) (i32.const 2))))
  (core module $last
    (import "b" "two" (func $two (param i32) (result i32)))
    (func (export "tell") (param i32) (result i32) (i32.mul (call $two (local.get 0)) (i32.const 3))))
  (core instance $a (instantiate $a (with "x" (instance $x))))
  (alias core export $a "one" (core func $one))
  (core instance $of-a (export "one" (func $one)))
  (core instance $b (instantiate $b (with "a" (instance $of-a))))
  (core instance $last (instantiate $last (with "b" (instance $b))))`)

// memories has a module with two memories, one of them another's, and all that names a memory.
var memories = telling(twice + `
  (core module $a
    (memory (export "own") 1)
    (func (export "at") (param i32) (result i32) (i32.load8_u (i32.rem_u (local.get 0) (i32.const 1000))))
    (data (i32.const 64) "own own own own!"))
  (core module $last
    (import "a" "own" (memory $own 1))
    (import "x" "memory" (memory $theirs 1))
    (import "a" "at" (func $own (param i32) (result i32)))
    (import "x" "at" (func $theirs (param i32) (result i32)))
    (data (memory $theirs) (i32.const 64) "theirs theirs!!!")
    (data (memory $own) (i32.const 80) "more")
    (data $rest "rest")
    (func (export "tell") (param i32) (result i32) (local $sum i32)
      (memory.copy $own $theirs (i32.const 100) (i32.const 64) (i32.const 8))
      (memory.copy $theirs $own (i32.const 100) (i32.const 64) (i32.const 8))
      (memory.fill $theirs (i32.const 120) (i32.const 5) (i32.const 3))
      (memory.fill $own (i32.const 130) (i32.const 6) (i32.const 3))
      (memory.init $theirs $rest (i32.const 140) (i32.const 0) (i32.const 4))
      (memory.init $own $rest (i32.const 150) (i32.const 1) (i32.const 3))
      (i64.store16 $theirs offset=160 align=1 (i32.const 0) (i64.const 513))
      (v128.store $own offset=176 (i32.const 0) (v128.load8x8_s $theirs offset=64 (i32.const 0)))
      (v128.store64_lane $theirs offset=192 align=4 1 (i32.const 0) (v128.load32_zero $own (i32.const 64)))
      (v128.store $theirs offset=208 (i32.const 0) (v128.load8_lane $own offset=65 15 (i32.const 0) (v128.load64_splat $own offset=64 (i32.const 0))))
      (drop (memory.grow $own (i32.const 2)))
      (local.set $sum (i32.add (i32.mul (memory.size $own) (i32.const 7)) (memory.size $theirs)))
      (loop $l
        (local.set $sum (i32.add (i32.mul (local.get $sum) (i32.const 31)) (call $own (local.get 0))))
        (local.set $sum (i32.add (i32.mul (local.get $sum) (i32.const 31)) (call $theirs (local.get 0))))
        (br_if $l (i32.lt_u (local.tee 0 (i32.add (local.get 0) (i32.const 1))) (i32.const 300))))
      (local.get $sum)))
  (core instance $a (instantiate $a))
  (alias core export $a "own" (core memory $own))
  (alias core export $a "at" (core func $own-at))
  (core instance $of-a (export "own" (memory $own)) (export "at" (func $own-at)))
  (core instance $last (instantiate $last (with "a" (instance $of-a)) (with "x" (instance $of-x))))`)

// tables has each form of a segment of elements, for tables that have another index when they are merged.
var tables = telling(`
  (core module $a
    (type $n (func (param i32) (result i32)))
    (table $t (export "table") 8 funcref)
    (table $u 8 funcref)
    (func $zero (type $n) (i32.const 100))
    (func $five (type $n) (i32.const 105))
    (elem (table $t) (i32.const 0) func $zero)
    (elem (table $u) (i32.const 0) func $five)
    (func (export "call") (type $n) (call_indirect $t (type $n) (local.get 0) (local.get 0)))
    (func (export "call-u") (type $n) (call_indirect $u (type $n) (local.get 0) (i32.const 0))))
  (core module $last
    (type (func))
    (type $n (func (param i32) (result i32)))
    (import "a" "call" (func $call (type $n)))
    (import "a" "call-u" (func $call-u (type $n)))
    (import "a" "table" (table $theirs 8 funcref))
    (table $own 8 funcref)
    (func $a (type $n) (i32.const 1))
    (func $b (type $n) (i32.const 2))
    (func $c (type $n) (call $call-u (i32.const 0)))
    (func $d (type $n) (i32.const 4))
    (func $e (type $n) (i32.const 5))
    (func $f (type $n) (i32.const 6))
    (func $g (type $n) (i32.const 7))
    (elem (i32.const 1) func $a)
    (elem (i32.const 2) funcref (ref.func $b))
    (elem (table $own) (i32.const 1) func $a)
    (elem (table $own) (i32.const 2) funcref (ref.func $b))
    (elem (table $own) (i32.const 3) func $c)
    (elem (table $own) (i32.const 4) funcref (ref.func $d) (ref.null func))
    (elem $passive func $e)
    (elem $exprs funcref (ref.func $f))
    (elem declare func $g)
    (elem declare funcref (ref.func $g))
    (func (export "tell") (type $n)
      (table.init $own $passive (i32.const 5) (i32.const 0) (i32.const 1))
      (table.init $own $exprs (i32.const 6) (i32.const 0) (i32.const 1))
      (table.set $own (i32.const 7) (ref.func $g))
      (table.copy $theirs $own (i32.const 3) (i32.const 3) (i32.const 1))
      (i32.add (i32.mul (i32.const 1000) (call_indirect $own (type $n) (i32.const 0) (i32.add (i32.const 1) (i32.rem_u (local.get 0) (i32.const 7)))))
        (call $call (i32.const 3)))))
  (core instance $a (instantiate $a))
  (core instance $last (instantiate $last (with "a" (instance $a))))`)

// starts has a module that begins with a function, which is the last.
var starts = telling(`
  (core module $a
    (memory (export "memory") 1)
    (global (export "base") i32 (i32.const 16))
    (func (export "add") (param i32) (i32.store (i32.const 4) (i32.add (i32.load (i32.const 4)) (local.get 0))))
    (data (i32.const 4) "\05"))
  (core module $last
    (import "a" "add" (func $add (param i32)))
    (import "a" "memory" (memory 1))
    (import "a" "base" (global $base i32))
    (func $start (call $add (i32.load8_u (i32.const 16))))
    (start $start)
    (data (global.get $base) "\07")
    (func (export "tell") (param i32) (result i32) (i32.add (local.get 0) (i32.load (i32.const 4)))))
  (core instance $a (instantiate $a))
  (core instance $last (instantiate $last (with "a" (instance $a))))`)

// passed has functions that go through instances put together of what others were put together of, under other names.
var passed = telling(twice + `
  (core module $a
    (func (export "f") (param i32) (result i32) (i32.add (local.get 0) (i32.const 10)))
    (func (export "g") (param i32) (result i32) (i32.mul (local.get 0) (i32.const 10))))
  (core module $last
    (import "" "g" (func $f (param i32) (result i32)))
    (import "" "f" (func $g (param i32) (result i32)))
    (import "" "h" (func $at (param i32) (result i32)))
    (import "" "i" (func $g2 (param i32) (result i32)))
    (export "f" (func $f))
    (func (export "tell") (param i32) (result i32)
      (call $f (call $g2 (i32.add (call $g (local.get 0)) (call $at (local.get 0)))))))
  (core instance $a (instantiate $a))
  (alias core export $a "f" (core func $f))
  (alias core export $a "g" (core func $g))
  (core instance $one (export "x" (func $g)) (export "y" (func $f)) (export "z" (func $at)))
  (alias core export $one "x" (core func $x))
  (alias core export $one "y" (core func $y))
  (alias core export $one "z" (core func $z))
  (core instance $two (export "f" (func $x)) (export "g" (func $y)) (export "h" (func $z)) (export "i" (func $g)))
  (core instance $last (instantiate $last (with "" (instance $two))))
  (alias core export $last "f" (core func $f'))
  (core instance $three (export "f" (func $f')) (export "z" (func $z)))
  (alias core export $three "f" (core func $f''))
  (func $lifted (param "n" u32) (result u32) (canon lift (core func $f'')))`)

// users has instances of one module that import from merged ones.
var users = telling(`
  (core module $a
    (global (export "g") (mut i32) (i32.const 3))
    (func (export "f") (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))
    (func (export "unused")))
  (core module $b
    (import "a" "g" (global $g (mut i32)))
    (memory (export "memory") 1)
    (table (export "table") 1 funcref)
    (func (export "f") (param i32) (result i32)
      (global.set $g (i32.add (global.get $g) (i32.const 1)))
      (i32.mul (local.get 0) (global.get $g)))
    (data (i32.const 0) "\09"))
  (core module $user
    (type $n (func (param i32) (result i32)))
    (import "b" "memory" (memory 1))
    (import "b" "table" (table 1 funcref))
    (import "b" "f" (func $b (type $n)))
    (import "a" "g" (global $g (mut i32)))
    (import "a" "f" (func $a (type $n)))
    (func $c (export "f") (type $n) (i32.add (local.get 0) (i32.load8_u (i32.const 0))))
    (elem (i32.const 0) func $c)
    (func (export "tell") (type $n)
      (i32.store8 (i32.const 0) (i32.add (i32.load8_u (i32.const 0)) (i32.const 1)))
      (global.set $g (i32.add (global.get $g) (i32.const 5)))
      (call $a (call $b (call_indirect (type $n) (local.get 0) (i32.const 0))))))
  (core instance $a (instantiate $a))
  (core instance $b (instantiate $b (with "a" (instance $a))))
  (core instance $user (instantiate $user (with "a" (instance $a)) (with "b" (instance $b))))
  (alias core export $a "g" (core global $g))
  (alias core export $user "tell" (core func $f))
  (core instance $mixed (export "g" (global $g)) (export "f" (func $f)))
  (core instance $last (instantiate $user (with "b" (instance $b)) (with "a" (instance $mixed))))`)
