package compose

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/weft-run/weft/wit"
	"github.com/weft-run/weft/wit/wasm"
)

// Part is a component of a composition. It is only read.
type Part struct {
	// Name says what the part is, for errors and for [Read]: "payments@3". It need not be unique; 256 bytes at most.
	Name string
	// Component is its binary, and World what [component.Decode] says of that.
	Component []byte
	World     *wit.World
	// Links say which of its imports are answered by other parts. The others are imports of the composition.
	Links []Link
	// Environment is what the part sees through wasi:cli/environment, "NAME=VALUE", if HasEnvironment is set: variables without
	// arguments or a working directory. Otherwise it sees what the composition is given.
	Environment    []string
	HasEnvironment bool
	// Once says that no instance of the composition is called twice as a call left it, so that nothing need be made ready for another call: what functions
	// of the part would do once their result was read (post-return) is left out.
	Once bool
}

// Link says who answers an import.
type Link struct {
	// Import is the interface as the part spells it: "demo:pay/api@1.0.0". It is empty for what the part imports outside of an interface:
	// Functions has all of that.
	Import string
	// Part is the index of the part that answers: a later one, so that there are no circles.
	Part int
	// Export is the interface as that part spells it: "demo:pay/api@1.0.2". It is empty where Functions has, for some functions of
	// the import, functions that the part exports outside of an interface; the others stay imports of the composition.
	Export    string
	Functions map[string]string
}

// MaxParts is how many parts a composition may have.
const MaxParts = 64

const maxPartName = 256

// ErrTooComplex says that the types of what the parts import would take too much room to write down.
var ErrTooComplex = errors.New("compose: the types of the imports are too complex")

// Error says why parts can't be put together.
type Error struct {
	// Part is the name of the part that is at fault, and Import its import, if it is about one.
	Part, Import string
	// Msg is a sentence for the author of the part.
	Msg string
}

func (e *Error) Error() string {
	if e.Import == "" {
		return fmt.Sprintf("compose: %s: %s", e.Part, e.Msg)
	}
	return fmt.Sprintf("compose: %s: import %s: %s", e.Part, e.Import, e.Msg)
}

// Composition is parts put together. It refers to the bytes of the parts, which must not change.
type Composition struct {
	segments [][]byte
	size     int64
}

// New puts parts together; the first is the one whose exports the composition has. Its errors are *[Error] and
// [ErrTooComplex].
func New(parts []Part) (*Composition, error) {
	if len(parts) == 0 || len(parts) > MaxParts {
		return nil, fmt.Errorf("compose: %d parts; there can be 1 to %d", len(parts), MaxParts)
	}
	for n := range parts {
		if err := check(parts, n); err != nil {
			return nil, err
		}
	}
	o := newOuter()
	if err := o.compose(parts); err != nil {
		return nil, err
	}
	c := &Composition{segments: o.finish()}
	for _, s := range c.segments {
		c.size += int64(len(s))
	}
	return c, nil
}

// check looks for what can't be composed.
func check(parts []Part, n int) error {
	p := &parts[n]
	if len(p.Name) > maxPartName {
		return &Error{Part: p.Name[:maxPartName], Msg: fmt.Sprintf("a name of %d bytes; at most %d are possible", len(p.Name), maxPartName)}
	}
	if !bytes.HasPrefix(p.Component, []byte(wasm.Component)) {
		return &Error{Part: p.Name, Msg: "it is no component"}
	}
	outside := p.answered("")
	for _, f := range p.World.ImportFunctions {
		if outside == nil || outside.Functions[f.Name] == "" {
			return &Error{Part: p.Name, Import: f.Name, Msg: "a function that is imported outside of an interface can't be linked"}
		}
	}
	if len(p.World.ImportOthers) > 0 {
		return &Error{Part: p.Name, Import: p.World.ImportOthers[0], Msg: "it is neither an interface nor a type of values"}
	}
	for _, l := range p.Links {
		if l.Part <= n || l.Part >= len(parts) {
			return &Error{Part: p.Name, Import: l.Import, Msg: fmt.Sprintf("it is to be answered by part %d, which is not behind part %d", l.Part, n)}
		}
		imported := find(p.World.Imports, l.Import)
		if l.Import == "" {
			imported = &wit.Interface{Functions: p.World.ImportFunctions}
		}
		if imported == nil || l.Import == "" && l.Export != "" {
			return &Error{Part: p.Name, Import: l.Import, Msg: "the component has no such import"}
		}
		provider := &parts[l.Part]
		if l.Export == "" {
			if err := checkFunctions(p, provider, imported, l); err != nil {
				return err
			}
			continue
		}
		exported := find(provider.World.Exports, l.Export)
		if exported == nil {
			return &Error{Part: p.Name, Import: l.Import, Msg: fmt.Sprintf("%s does not export %s", provider.Name, l.Export)}
		}
		if reason := unfit(imported, exported); reason != "" {
			return &Error{Part: p.Name, Import: l.Import, Msg: fmt.Sprintf("%s of %s does not fit: %s", l.Export, provider.Name, reason)}
		}
	}
	return nil
}

// checkFunctions looks for functions of a link that are not there. The engine compares their types.
func checkFunctions(p, provider *Part, imported *wit.Interface, l Link) error {
	for _, f := range imported.Functions {
		name, ok := l.Functions[f.Name]
		if ok && !slices.ContainsFunc(provider.World.ExportFunctions, func(f *wit.Function) bool { return f.Name == name }) {
			return &Error{Part: p.Name, Import: l.Import, Msg: fmt.Sprintf("%s does not export %s", provider.Name, name)}
		}
	}
	return nil
}

// find returns an interface by its ID, or nil.
func find(list []*wit.Interface, id string) *wit.Interface {
	for _, i := range list {
		if i.ID == id {
			return i
		}
	}
	return nil
}

// Size is the size of the composition in bytes.
func (c *Composition) Size() int64 { return c.size }

// Reader returns a new reader of the composition.
func (c *Composition) Reader() io.Reader {
	readers := make([]io.Reader, len(c.segments))
	for i, s := range c.segments {
		readers[i] = bytes.NewReader(s)
	}
	return io.MultiReader(readers...)
}

// Bytes returns the composition as one slice, which is the caller's.
func (c *Composition) Bytes() []byte { return bytes.Join(c.segments, nil) }
