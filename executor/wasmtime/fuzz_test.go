package wasmtime

import (
	"encoding/binary"
	"errors"
	"math"
	"math/rand/v2"
	"reflect"
	"sync"
	"testing"

	"github.com/weft-run/weft/wit"
)

// fuzzTypes are the types that FuzzEdge calls with. Each takes a component, so there are few.
func fuzzTypes() []*wit.Type {
	types := []*wit.Type{everything()}
	for seed := range 7 {
		types = append(types, randomType(rand.New(rand.NewPCG(uint64(seed), 3)), 3))
	}
	return types
}

// bytesSource makes decisions from the fuzzer's input, and arbitrary ones when that has been used up.
type bytesSource struct {
	b    []byte
	more *rand.PCG
}

func newBytesSource(b []byte) *bytesSource { return &bytesSource{b, rand.NewPCG(uint64(len(b)), 1)} }

func (s *bytesSource) Uint64() uint64 {
	if len(s.b) < 4 {
		return s.more.Uint64()
	}
	x := uint64(binary.LittleEndian.Uint32(s.b))
	s.b = s.b[4:]
	return x<<32 | s.more.Uint64()>>32 // IntN looks at the upper half
}

// wild writes a value of any kind, with contents that are not necessarily valid. It returns the error of a setter.
func wild(a *Arena, v Value, r *rand.Rand, depth int) error {
	text := func() []byte {
		b := make([]byte, r.IntN(6))
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		return b
	}
	kind := Kind(r.IntN(int(KindResource)))
	if depth > 4 {
		kind = Kind(r.IntN(int(KindList)))
	}
	var names *Names
	if kind == KindRecord || kind == KindVariant || kind == KindEnum || kind == KindFlags {
		all := make([]string, 1+r.IntN(3))
		for i := range all {
			all[i] = []string{"f1", "c0", "low", "none", string(text())}[r.IntN(5)]
		}
		var err error
		if names, err = NewNames(all); err != nil {
			return err
		}
		defer func() { keep(a, names) }()
	}
	row := func(vs Values) error {
		for i := range vs.Len() {
			if err := wild(a, vs.At(i), r, depth+1); err != nil {
				return err
			}
		}
		return nil
	}
	one := func(inner Value, has bool) error {
		if !has {
			return nil
		}
		return wild(a, inner, r, depth+1)
	}
	has := r.IntN(2) == 0
	switch kind {
	case KindChar:
		return a.SetChar(v, r.Int32N(0x120000)-10)
	case KindString:
		return a.SetString(v, text())
	case KindList:
		return row(a.SetList(v, r.IntN(4)))
	case KindTuple:
		return row(a.SetTuple(v, r.IntN(4)))
	case KindRecord:
		return row(a.SetRecord(v, names))
	case KindVariant:
		return one(a.SetVariant(v, names, r.IntN(names.Len()), has), has)
	case KindEnum:
		a.SetEnum(v, names, r.IntN(names.Len()))
	case KindOption:
		return one(a.SetOption(v, has), has)
	case KindResult:
		return one(a.SetResult(v, r.IntN(2) == 0, has), has)
	case KindFlags:
		a.SetFlags(v, names, func(int) bool { return r.IntN(2) == 0 })
	case KindF32:
		a.SetF32(v, math.Float32frombits(r.Uint32()))
	case KindU64:
		a.SetU64(v, r.Uint64())
	default:
		a.SetU8(v, uint8(r.Uint32()))
	}
	return nil
}

// kept are the names that values of an arena use.
var kept sync.Map

func keep(a *Arena, n *Names) {
	all, _ := kept.LoadOrStore(a, &[]*Names{})
	*all.(*[]*Names) = append(*all.(*[]*Names), n)
}

func drop(a *Arena) {
	if all, ok := kept.LoadAndDelete(a); ok {
		for _, n := range *all.(*[]*Names) {
			n.Close()
		}
	}
	a.Free()
}

// FuzzEdge sends value trees of the right type and of any other over the edge between Go and the engine, as arguments
// and as results of host functions. Right ones must come back as they were, others must give an error, and nothing may
// abort the process.
func FuzzEdge(f *testing.F) {
	types := fuzzTypes()
	for i := range effort(64) {
		f.Add(uint8(i), []byte{byte(i), 1, 2, 3, byte(i * 7), 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21})
	}
	type target struct {
		*echoer
		plan *plan
	}
	var targets []target
	for _, typ := range types {
		targets = append(targets, target{newEchoer(f, typ), newPlan(f, typ)})
	}
	raw := prepare(f, echo(everything()), map[string]HostFunc{"f": func(c *HostCall) error {
		return wild(c.Arena(), c.Result(), c.Data().(*rand.Rand), 0)
	}}, "run")
	right := newPlan(f, everything())

	f.Fuzz(func(t *testing.T, mode uint8, data []byte) {
		r := rand.New(newBytesSource(data))
		to := targets[int(mode>>2)%len(targets)]
		a := NewArena()
		defer drop(a)
		switch mode % 4 {
		case 0, 1: // a value of the type
			x := to.plan.random(r, 0)
			if err := to.plan.write(a, a.Args(1).At(0), x); err != nil {
				t.Fatal(err)
			}
			res, err := call(to.tmpl, a, &seen{})
			if err != nil {
				t.Fatal(err)
			}
			defer res.Close()
			if v, _ := res.Value(); !reflect.DeepEqual(to.plan.read(v), x) {
				t.Errorf("sent %s, got %s", show(x), show(to.plan.read(v)))
			}
		case 2: // any value, any number of arguments
			args := a.Args(r.IntN(3))
			for i := range args.Len() {
				if wild(a, args.At(i), r, 0) != nil {
					return
				}
			}
			res, err := call(to.tmpl, a, &seen{})
			if err == nil {
				res.Close()
			} else if _, ok := errors.AsType[*Error](err); !ok {
				t.Fatal(err)
			}
		case 3: // any result of a host function
			if err := right.write(a, a.Args(1).At(0), right.random(r, 0)); err != nil {
				t.Fatal(err)
			}
			if res, err := call(raw, a, r); err == nil {
				res.Close()
			}
		}
	})
}

// call calls export 0 of a new instance.
func call(tmpl *Template, a *Arena, data any) (*Result, error) {
	i, err := tmpl.NewInstance(InstanceConfig{Data: data})
	if err != nil {
		return nil, err
	}
	defer i.Close()
	return i.Call(0, a)
}
