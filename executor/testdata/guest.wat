;; A guest for tests: each function of test:guest/api does one thing, most of them bad.
(component
  (import "wasi:io/error@0.2.0" (instance $io-error (export "error" (type (sub resource)))))
  (alias export $io-error "error" (type $error))
  (import "wasi:io/poll@0.2.0" (instance $poll
    (export "pollable" (type $pollable (sub resource)))
    (export "[method]pollable.block" (func (param "self" (borrow $pollable))))))
  (alias export $poll "pollable" (type $pollable))
  (import "wasi:io/streams@0.2.0" (instance $streams
    (alias outer 1 $error (type $e0))
    (export "error" (type $e (eq $e0)))
    (export "output-stream" (type $out (sub resource)))
    (type $failure-def (variant (case "last-operation-failed" (own $e)) (case "closed")))
    (export "stream-error" (type $failure (eq $failure-def)))
    (export "[method]output-stream.blocking-write-and-flush"
      (func (param "self" (borrow $out)) (param "contents" (list u8)) (result (result (error $failure)))))))
  (alias export $streams "output-stream" (type $out))
  (import "wasi:cli/stdout@0.2.0" (instance $stdout
    (alias outer 1 $out (type $o0)) (export "output-stream" (type $o (eq $o0)))
    (export "get-stdout" (func (result (own $o))))))
  (import "wasi:clocks/monotonic-clock@0.2.0" (instance $clock
    (alias outer 1 $pollable (type $p0)) (export "pollable" (type $p (eq $p0)))
    (export "subscribe-duration" (func (param "when" u64) (result (own $p))))))
  (import "wasi:cli/environment@0.2.0" (instance $environment
    (export "get-environment" (func (result (list (tuple string string)))))))
  (import "wasi:logging/logging@0.1.0-draft" (instance $logging
    (type $level-def (enum "trace" "debug" "info" "warn" "error" "critical"))
    (export "level" (type $level (eq $level-def)))
    (export "log" (func (param "level" $level) (param "context" string) (param "message" string)))))

  (core module $libc
    (memory (export "memory") 2)
    (global $next (mut i32) (i32.const 8192))
    (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
      (global.set $next (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
      (global.get $next)
      (global.set $next (i32.add (global.get $next) (local.get 3))))
    (data (i32.const 0) "no luckcontextfirst\0asecond"))
  (core instance $libc (instantiate $libc))
  (core func $get-stdout (canon lower (func $stdout "get-stdout")))
  (core func $write (canon lower (func $streams "[method]output-stream.blocking-write-and-flush") (memory $libc "memory")))
  (core func $subscribe (canon lower (func $clock "subscribe-duration")))
  (core func $block (canon lower (func $poll "[method]pollable.block")))
  (core func $log (canon lower (func $logging "log") (memory $libc "memory")))
  (core func $getenv
    (canon lower (func $environment "get-environment") (memory $libc "memory") (realloc (func $libc "cabi_realloc"))))

  (core module $m
    (import "host" "memory" (memory 2))
    (import "host" "get-stdout" (func $get-stdout (result i32)))
    (import "host" "write" (func $write (param i32 i32 i32 i32)))
    (import "host" "subscribe" (func $subscribe (param i64) (result i32)))
    (import "host" "block" (func $block (param i32)))
    (import "host" "log" (func $log (param i32 i32 i32 i32 i32)))
    (import "host" "getenv" (func $getenv (param i32)))

    (func (export "echo") (param i32) (result i32) (local.get 0))
    (func (export "loop") (loop (br 0)))
    (func $deeper (export "recurse") (call $deeper))

    (func $rust_oom unreachable)
    (func $grow_vec (export "grow")
      (loop
        (br_if 0 (i32.ne (memory.grow (i32.const 16)) (i32.const -1))))
      (call $rust_oom))

    (func $_ZN4demo5inner17h0123456789abcdefE unreachable)
    (func $_ZN4demo5outer17h0123456789abcdefE (export "trap") (call $_ZN4demo5inner17h0123456789abcdefE))

    ;; print writes 4,000 bytes, lines of 7 x, so many times
    (func (export "print") (param $times i32) (local $i i32) (local $stdout i32)
      (memory.fill (i32.const 1024) (i32.const 120) (i32.const 4000))
      (loop
        (i32.store8 offset=1031 (local.get $i) (i32.const 10))
        (local.set $i (i32.add (local.get $i) (i32.const 8)))
        (br_if 0 (i32.lt_u (local.get $i) (i32.const 4000))))
      (local.set $stdout (call $get-stdout))
      (loop
        (call $write (local.get $stdout) (i32.const 1024) (i32.const 4000) (i32.const 64))
        (local.set $times (i32.sub (local.get $times) (i32.const 1)))
        (br_if 0 (local.get $times))))

    (func (export "sleep") (param i64) (call $block (call $subscribe (local.get 0))))

    ;; big returns a string of so many bytes
    (func (export "big") (param $n i32) (result i32)
      (drop (memory.grow (i32.shr_u (local.get $n) (i32.const 16))))
      (memory.fill (i32.const 8192) (i32.const 97) (local.get $n))
      (i32.store (i32.const 64) (i32.const 8192))
      (i32.store (i32.const 68) (local.get $n))
      (i32.const 64))

    ;; fail returns its argument as ok if that is below 10, and an error otherwise
    (func (export "fail") (param $n i32) (result i32)
      (if (i32.lt_u (local.get $n) (i32.const 10))
        (then
          (i32.store8 (i32.const 64) (i32.const 0))
          (i32.store (i32.const 68) (local.get $n)))
        (else
          (i32.store8 (i32.const 64) (i32.const 1))
          (i32.store (i32.const 68) (i32.const 0))
          (i32.store (i32.const 72) (i32.const 7))))
      (i32.const 64))

    (func (export "log")
      (call $log (i32.const 3) (i32.const 7) (i32.const 7) (i32.const 14) (i32.const 12)))
    (func (export "env") (result i32) (call $getenv (i32.const 64)) (i32.const 64)))
  (core instance $i (instantiate $m (with "host" (instance
    (export "memory" (memory $libc "memory"))
    (export "get-stdout" (func $get-stdout))
    (export "write" (func $write))
    (export "subscribe" (func $subscribe))
    (export "block" (func $block))
    (export "log" (func $log))
    (export "getenv" (func $getenv))))))

  (func $echo (param "v" u32) (result u32) (canon lift (core func $i "echo")))
  (func $loop (canon lift (core func $i "loop")))
  (func $recurse (canon lift (core func $i "recurse")))
  (func $grow (canon lift (core func $i "grow")))
  (func $trap (canon lift (core func $i "trap")))
  (func $print (param "times" u32) (canon lift (core func $i "print")))
  (func $sleep (param "nanoseconds" u64) (canon lift (core func $i "sleep")))
  (func $big (param "n" u32) (result string) (canon lift (core func $i "big") (memory $libc "memory")))
  (func $fail (param "n" u32) (result (result u32 (error string))) (canon lift (core func $i "fail") (memory $libc "memory")))
  (func $log (canon lift (core func $i "log")))
  (func $env (result (list (tuple string string))) (canon lift (core func $i "env") (memory $libc "memory")))
  (instance $api
    (export "echo" (func $echo)) (export "loop" (func $loop)) (export "recurse" (func $recurse))
    (export "grow" (func $grow)) (export "trap" (func $trap)) (export "print" (func $print))
    (export "sleep" (func $sleep)) (export "big" (func $big)) (export "fail" (func $fail))
    (export "log" (func $log)) (export "env" (func $env)))
  (export "test:guest/api" (instance $api)))
