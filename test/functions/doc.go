// Package functions tests functions that call functions, and services outside, on real nodes: what is bound at a deploy and
// what is refused, what travels along with a call, and what becomes of it when the one who is called fails.
package functions
