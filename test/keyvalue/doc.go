// Package keyvalue tests what functions store with wasi:keyvalue: a component in Rust that uses all of it, on a node, with each
// backend, the servers being real ones; and one in JavaScript.
package keyvalue
