package transcoder

import (
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/weft-run/weft/wit"
	"github.com/weft-run/weft/wit/abi"
	"github.com/weft-run/weft/wit/contract"
)

// generator writes a second core module: a function that decodes and one that encodes for each message, and one for each method.
type generator struct {
	*wire
	m       *module
	layouts abi.Layouts

	decoders, encoders map[*contract.Shape]*function
	enums, numbers     map[*contract.Shape]*function
}

func newGenerator(m *module) *generator {
	return &generator{wire: newWire(m), m: m, decoders: make(map[*contract.Shape]*function), encoders: make(map[*contract.Shape]*function),
		enums: make(map[*contract.Shape]*function), numbers: make(map[*contract.Shape]*function)}
}

// A place is a field of a message, and where in memory its value is.
type place struct {
	contract.Field
	// typ is the type of what is there: the option or the list where the label says so.
	typ *wit.Type
	// offset is in bytes, that of a flag in bits.
	offset uint32
	// bit is that of what is to be there, or may be there only once.
	bit int
}

// places are the fields of a message that is not a oneof, with the size of what they are decoded to.
func (g *generator) places(s *contract.Shape) []place {
	switch s.Kind {
	case wit.Record, wit.Tuple:
		return g.members(s.Fields, s.Type.Fields)
	case wit.Flags:
		out := make([]place, len(s.Fields))
		for n, f := range s.Fields {
			out[n] = place{Field: f, offset: uint32(n)}
		}
		return out
	default: // the wrapper of a list or an option
		return []place{{Field: s.Fields[0], typ: s.Type}}
	}
}

// members are the fields of a record, or parameters.
func (g *generator) members(fields []contract.Field, typed []wit.Field) []place {
	_, offsets := g.layouts.Fields(abi.Types(typed))
	out := make([]place, len(fields))
	for n, f := range fields {
		out[n] = place{Field: f, typ: typed[n].Type, offset: offsets[n]}
	}
	return out
}

// payload is where a case of a oneof has its payload.
func (g *generator) payload(s *contract.Shape, n int) place {
	list := abi.Payloads(s.Type)
	return place{Field: s.Fields[n], typ: list[n], offset: g.layouts.PayloadOffset(list)}
}

// some is where the payload of an option is.
func (g *generator) some(p place) uint32 {
	return p.offset + g.layouts.PayloadOffset(abi.Payloads(p.typ))
}

// isOneof tells whether the fields of a message are members of one oneof.
func isOneof(s *contract.Shape) bool { return s.Kind == wit.Variant || s.Kind == wit.Result }

// isMessage tells whether a field holds messages.
func isMessage(s *contract.Shape) bool { return s == nil || !s.Scalar() }

// tagBytes is a tag as it is written.
func tagBytes(number int32, wire protowire.Type) []byte {
	return protowire.AppendTag(nil, protowire.Number(number), wire)
}

// stores and loads are the instructions for what is an i32 on the stack, by its size in memory.
var (
	stores = map[uint32]opcode{1: i32Store8, 2: i32Store16, 4: i32Store}
	loads  = map[uint32]opcode{1: i32Load8U, 2: i32Load16U, 4: i32Load}
)

// storeTag and loadTag are those for which case of so many it is.
func storeTag(cases int) opcode { return stores[abi.TagSize(cases)] }
func loadTag(cases int) opcode  { return loads[abi.TagSize(cases)] }

// storeOf and loadOf are those for a type; flags and enums have sizes of their own.
func (g *generator) storeOf(t *wit.Type) opcode { return stores[g.layouts.Of(t).Size] }
func (g *generator) loadOf(t *wit.Type) opcode  { return loads[g.layouts.Of(t).Size] }

// dispatch writes a choice by the i32 on the stack, of numbers that lead to choices.
func dispatch(f *function, by local, numbers []int32, one func(n int), otherwise func()) {
	most := int32(0)
	for _, n := range numbers {
		if n < 0 {
			most = denseNumbers
		}
		most = max(most, n)
	}
	if int(most) < denseNumbers {
		table := make([]int, most+1)
		for n := range table {
			table[n] = -1
		}
		for n, number := range numbers {
			table[number] = n
		}
		f.choices(func() { f.get(by) }, table, len(numbers), one, otherwise)
		return
	}
	f.block(func(behind label) {
		for n, number := range numbers {
			f.get(by)
			f.i32(int(number))
			f.do(i32Eq)
			f.when(func() {
				one(n)
				f.br(behind)
			})
		}
		otherwise()
	})
}

// denseNumbers is up to where a table leads from numbers to what is done, and comparisons from there on.
const denseNumbers = 4096

// title names a function after what it is for.
func title(what string, s *contract.Shape) string { return fmt.Sprintf("%s %s", what, s.Message) }
