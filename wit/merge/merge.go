// Package merge makes one core module of those that a component instantiates one after the other.
//
// Tools build components of several core modules: the user's code; an adapter from WASI 0.1 to 0.2; one whose functions jump to what a table has, for imports that
// need the memory of the first to be given; and one that fills the table. Each is instantiated anew for each call, which takes as long as a small call does
// (executor/DESIGN.md has the figures), and what one exports only the others use. [Component] gives a component that does the same with fewer of them. The modules of
//
//	(core instance $shim (instantiate $shim))
//	(core instance $main (instantiate $main (with "wasi_snapshot_preview1" (instance $shim))))
//	(core instance $adapter (instantiate $adapter (with "env" (instance $main)) …))
//
// become one, whose imports are what came from elsewhere, and whose exports are what is used elsewhere. What fills the table stays: its functions need
// the memory of the merged module, which is there before they are.
//
// # What is merged
//
// An instance is, unless what it imports depends on another that is, in another way than as its export: plan.go. Nor is one, but for the last, that imports a
// memory or table of one that is not: its segments would be copied after what came between has written there. Where its module has what package
// merge does not know, a second memory or a function to begin with, it stays as it is; where the component does, all of it does. So the worst is a component that is as slow
// as it was. Whether code is valid is for the engine to say.
//
// # What changes
//
// Functions have other indices and other places in the binary; backtraces have their names, or the index that they had in their module. What only debuggers read is left
// out. Segments of all modules are copied before the function that the last one begins with, if it has one, rather than each before its own. Code does what it did otherwise.
package merge

import (
	"errors"
	"fmt"

	"github.com/weft-run/weft/wit/wasm"
)

// ErrAsItIs says that nothing can be merged, or nothing gained.
var ErrAsItIs = errors.New("merge: the component stays as it is")

// Component gives a component that does what another does, with fewer core modules. Its error is [ErrAsItIs].
func Component(binary []byte) (merged []byte, err error) {
	defer func() {
		switch why := recover().(type) {
		case nil:
		case refusal:
			err = fmt.Errorf("%w: %s", ErrAsItIs, why.why)
		default:
			panic(why)
		}
	}()
	p := newPlan(read(binary))
	if !p.settle() {
		return nil, fmt.Errorf("%w: no two of its core instances can be one", ErrAsItIs)
	}
	return p.write(), nil
}

// empty is what modules become that were merged into another.
const empty = wasm.Module
