;; What toolchains rarely write: instances of inline exports, ascribed types, a component that is instantiated twice, imports
;; that are neither instances nor functions.
(component
  (import "math" (core module $math (export "one" (func (result i32)))))
  (type $plugin (component
    (import "level" (func (result u8)))
    (export "answer" (func (param "question" string) (result u8)))))
  (import "plugin" (component $plugin (type $plugin)))

  (import "demo:data/shapes@0.2.0" (instance $shapes
    (type $point' (record (field "x" s32) (field "y" s32)))
    (export "point" (type $point (eq $point')))
    (type $polygon' (list $point))
    (export "polygon" (type $polygon (eq $polygon')))
    (export "same-point" (type (eq $point)))
    (export "canvas" (type $canvas (sub resource)))
    (export "[method]canvas.draw" (func (param "self" (borrow $canvas)) (param "shape" $polygon)))
    (export "level" (func (result u8)))
    (export "inner" (instance (export "f" (func))))))
  (alias export $shapes "point" (type $point))
  (alias export $shapes "canvas" (type $canvas))
  (alias export $shapes "level" (func $level))
  (alias export $shapes "inner" (instance $inner))

  ;; Two instances of one component: each has a record of its own and shares the imported one.
  (component $counter
    (import "import-type-point" (type $spot (eq $point)))
    (import "level" (func $level (result u8)))
    (type $mark' (record (field "at" $spot) (field "level" u8)))
    (export $mark "mark" (type $mark'))
    (export "point" (type $spot))
    (component $inside (import "f" (func $f (result u8))) (export "peak" (func $f)))
    (instance $inside (instantiate $inside (with "f" (func $level))))
    (alias export $inside "peak" (func $peak))
    (export "peak" (func $peak)))
  (instance $a (instantiate $counter (with "import-type-point" (type $point)) (with "level" (func $level))))
  (instance $b (instantiate $counter (with "import-type-point" (type $point)) (with "level" (func $level))))
  (export "demo:count/first" (instance $a))
  (export "demo:count/second@2.0.0-rc.1+b" (instance $b))

  ;; An instance of inline exports, one of which is from an instance of an imported component.
  (instance $answers (instantiate $plugin (with "level" (func $level))))
  (instance $bag
    (export "ask" (func $answers "answer"))
    (export "canvas" (type $canvas))
    (export "peak" (func $a "peak")))
  (export "bag" (instance $bag))

  ;; A type that is ascribed to an export narrows it.
  (export "narrow" (instance $bag) (instance (export "peak" (func (result u8)))))

  ;; The world's own type and function.
  (type $grade' (enum "good" "bad"))
  (export $grade "grade" (type $grade'))
  (export "level" (func $level))
  (export "inner" (instance $inner)))
