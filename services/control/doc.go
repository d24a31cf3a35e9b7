// Package control serves weft's own API, proto/weft/v1: deploying functions, describing them, reading their logs.
//
// A deploy passes these steps, and whatever one of them refuses leaves nothing behind:
//
//  1. spec.go checks the request's names, limits and sizes;
//  2. upload.go reads the component, and refuses on its first bytes what is no component;
//  3. the artifact store writes it down under its digest;
//  4. inspect.go decodes it and checks its imports;
//  5. plan.go builds its contracts on the stored ones; a change that breaks callers ends here. bind.go binds the imports that
//     weft does not provide to functions and services outside;
//  6. the executor compiles it in a child process;
//  7. commit.go makes it a revision by one entry of the log. The entry says which versions of the contracts it was
//     built from; if another deploy has changed one meanwhile, steps 5 and 7 are done again.
//
// A second deploy of the same component with the same limits makes another revision: a deploy that answers always names
// a revision of its own, and whoever wants to know first whether something would change asks for a diff. A request
// that is repeated under its request ID makes no other.
//
// Answers about what exists are read from this node's copy of the catalog, which a change that went through this node
// has reached before the change is answered.
package control
