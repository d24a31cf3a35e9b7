package wasmtime

// #include "weft.h"
import "C"

// Assign gives an instance that does not run to another call: these take the place of Data, Interrupt and Outer of its
// configuration. The interrupt must stay open until the instance is closed or assigned again; nil for both is an instance that waits.
func (i *Instance) Assign(data any, it *Interrupt, outer *Instance) {
	if i.c == nil {
		return
	}
	i.config.Data, i.config.Interrupt, i.config.Outer = data, it, outer
	i.c.interrupt, i.c.generation, i.c.outer = nil, 0, nil
	if it != nil {
		i.c.interrupt, i.c.generation = it.address(), C.uint32_t(it.generation)
	}
	if outer != nil {
		i.c.outer = outer.c
	}
}
