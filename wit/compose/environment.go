package compose

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"

	"github.com/weft-run/weft/wit"
	"github.com/weft-run/weft/wit/wasm"
)

// isEnvironment tells whether an interface is that of WASI 0.2 through which a component reads its environment.
func isEnvironment(i *wit.Interface) bool {
	return i.Namespace == "wasi" && i.Package == "cli" && i.Name == "environment"
}

// environment returns the index of an instance that answers imports of wasi:cli/environment with variables.
func (o *outer) environment(variables []string) int {
	key := strings.Join(variables, "\x00")
	if index, ok := o.environments[key]; ok {
		return index
	}
	o.raw(componentSection, environmentComponent(variables))
	o.components++
	o.environments[key] = o.instance(o.components-1, nil)
	return o.environments[key]
}

// environmentComponent makes a component that exports the functions of wasi:cli/environment. Its memory holds what they return;
// its code returns where that is.
func environmentComponent(variables []string) []byte {
	const (
		noArguments = 0  // an empty list: two words
		noDirectory = 8  // an option that is none: three words
		list        = 24 // the list of variables: two words
		pairs       = 32 // name and value of each: four words
		pairSize    = 16
	)
	texts := pairs + pairSize*len(variables)
	memory := slices.Grow([]byte(nil), texts)[:texts]
	put := func(at, value int) { binary.LittleEndian.PutUint32(memory[at:], uint32(value)) }
	put(noArguments, 4) // an empty list begins at an aligned place too
	put(list, pairs)
	put(list+4, len(variables))
	for n, v := range variables {
		name, value, _ := strings.Cut(v, "=")
		for k, s := range []string{name, value} {
			put(pairs+pairSize*n+8*k, len(memory))
			put(pairs+pairSize*n+8*k+4, len(s))
			memory = append(memory, s...)
		}
	}
	code := func(at int) string { return wasm.Sized("\x00\x41" + wasm.Int(int64(at)) + "\x0b") }
	pages := (len(memory) + 0xffff) >> 16
	module := wasm.Module +
		wasm.Section(1, "\x60\x00\x01\x7f") +
		wasm.Section(3, "\x00", "\x00", "\x00") +
		wasm.Section(5, "\x00"+wasm.Uint(pages)) +
		wasm.Section(7, wasm.Sized("m")+"\x02\x00", wasm.Sized("e")+"\x00\x00", wasm.Sized("a")+"\x00\x01", wasm.Sized("d")+"\x00\x02") +
		wasm.Section(10, code(list), code(noArguments), code(noDirectory)) +
		wasm.Section(11, "\x00\x41\x00\x0b"+wasm.Sized(string(memory)))
	core := func(sort, name string) string { return "\x00" + sort + "\x01\x00" + wasm.Sized(name) }
	lift := func(f, t string) string { return "\x00\x00" + f + "\x02\x00\x03\x00" + t } // as UTF-8, in the memory
	const (
		pairType      = "\x6f\x02\x73\x73" // tuple<string, string>
		variablesType = "\x70\x00"
		argumentsType = "\x70\x73"
		directoryType = "\x6b\x73"
	)
	returns := func(t string) string { return "\x40\x00\x00" + t }
	w := &writer{buf: []byte(wasm.Component)}
	w.raw(coreModuleSection, []byte(module))
	w.item(coreInstSection, "\x00\x00\x00")
	for _, a := range []string{core("\x02", "m"), core("\x00", "e"), core("\x00", "a"), core("\x00", "d")} {
		w.item(aliasSection, a)
	}
	for _, t := range []string{pairType, variablesType, argumentsType, directoryType, returns("\x01"), returns("\x02"), returns("\x03")} {
		w.item(typeSection, t)
	}
	for n, name := range []string{"get-environment", "get-arguments", "initial-cwd"} {
		w.item(canonSection, lift(wasm.Uint(n), wasm.Uint(4+n)))
		w.item(exportSection, externName(name)+sortFunc+wasm.Uint(2*n)+"\x00")
	}
	return bytes.Join(w.finish(), nil)
}
