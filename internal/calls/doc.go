// Package calls has what serves the calls of others at little cost: contexts that make nothing until it is asked for, and
// goroutines that run one call after the other.
package calls
