// Package project makes and builds the folders in which people write functions: weft new and weft build.
//
// A project folder holds wit/ with the types, code in one language, and that language's own build file, by which the
// language is known. [New] writes one that builds as it is. [Build] leaves a component, named after the WIT package, and
// wit/contract.binpb: the names and numbers that callers see, to be committed with the code, so that each
// deployment anywhere starts from the same ones and a change that breaks callers is found before it is deployed.
//
// How a language is built is known by the scripts of examples/toolchains alone. They are in the binary and are run from
// a copy in the user's cache directory, where the toolchains are too.
package project
