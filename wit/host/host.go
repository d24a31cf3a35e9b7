// Package host holds the WIT of the interfaces that a node gives to functions, besides those of WASI 0.2: a directory for
// each package, which functions copy to their wit/deps.
//
// Those of weft are weft's own; the signatures of wasi:* are the standard's.
package host

import (
	"embed"
	"fmt"
	"io/fs"

	"github.com/weft-run/weft/wit"
	"github.com/weft-run/weft/wit/resolve"
)

//go:embed */*.wit
var files embed.FS

// also are the names by which toolchains and other hosts have interfaces of the same functions.
var also = map[string][]string{
	// wasmCloud and wasmtime have the release candidate, and Spin the draft of that day.
	"wasi:config/store@0.2.0-draft": {"wasi:config/store@0.2.0-rc.1", "wasi:config/store@0.2.0-draft-2024-09-27"},
	// Some toolchains leave the version out.
	"wasi:logging/logging@0.1.0-draft": {"wasi:logging/logging"},
}

// Also returns the further names by which components may import an interface of a package here, besides its ID.
func Also(i *wit.Interface) []string { return also[i.ID] }

// Interfaces returns the interfaces of the package in a directory, as a component that imports them all has them, by name:
// those that its world "imports" imports. It panics if there is no such directory, as that is a fault of the program.
func Interfaces(dir string) map[string]*wit.Interface {
	sub, err := fs.Sub(files, dir)
	if err != nil {
		panic(err)
	}
	texts, err := resolve.Files(sub)
	if err != nil {
		panic(fmt.Errorf("wit/host/%s: %w", dir, err))
	}
	world, _, err := resolve.World(texts, "imports")
	if err != nil {
		panic(fmt.Errorf("wit/host/%s: %w", dir, err))
	}
	interfaces := make(map[string]*wit.Interface, len(world.Imports))
	for _, i := range world.Imports {
		interfaces[i.Name] = i
	}
	return interfaces
}

// Files returns the WIT files of all packages: "weft-runtime/context.wit" and so on.
func Files() fs.FS { return files }
