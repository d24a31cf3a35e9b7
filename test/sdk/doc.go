// Package sdk runs the clients in other languages than Go against a node: each language's own tests, on what an installation
// of the client gives, with stubs generated from `weft schema`. What they need is installed by examples/toolchains.
//
// The race detector would see nothing of other processes, so the tests are left out of its builds.
package sdk
