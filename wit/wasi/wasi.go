// Package wasi holds the WIT of WASI 0.2, as every component may import it: the standard's, without its comments, and without what
// it calls unstable.
package wasi

import (
	"embed"
	"fmt"
	"maps"
	"sync"

	"github.com/weft-run/weft/wit"
	"github.com/weft-run/weft/wit/resolve"
)

// Version is the version of the files. Components may be built with any other 0.2.
const Version = "0.2.12"

//go:embed deps/*.wit
var files embed.FS

// Interfaces returns the interfaces by "package/name", such as "io/poll". Nobody may change them.
func Interfaces() map[string]*wit.Interface { return maps.Clone(interfaces()) }

var interfaces = sync.OnceValue(func() map[string]*wit.Interface {
	texts, err := resolve.Files(files)
	if err != nil {
		panic(fmt.Errorf("wit/wasi: %w", err))
	}
	world, _, err := resolve.World(texts, "wasi:cli/imports@"+Version)
	if err != nil {
		panic(fmt.Errorf("wit/wasi: %w", err))
	}
	all := make(map[string]*wit.Interface, len(world.Imports))
	for _, i := range world.Imports {
		all[i.Package+"/"+i.Name] = i
	}
	return all
})
