package transcode

import (
	"fmt"
	"slices"
	"strconv"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/weft-run/weft/executor/wasmtime"
	"github.com/weft-run/weft/wit"
	"github.com/weft-run/weft/wit/contract"
)

// Plans are the plans of all methods of one component. They are immutable and safe for concurrent use.
type Plans struct {
	nodes   map[*contract.Shape]*node
	methods map[string]map[string]*Plan
	names   []*wasmtime.Names
}

// New builds the plans of all methods. It fails for types that can't be transcoded, which the deploy refuses before.
// The plans must be closed.
func New(services []*contract.Service) (*Plans, error) {
	p := &Plans{nodes: make(map[*contract.Shape]*node), methods: make(map[string]map[string]*Plan)}
	for _, s := range services {
		methods := make(map[string]*Plan, len(s.Methods))
		for _, m := range s.Methods {
			plan, err := p.plan(m)
			if err != nil {
				p.Close()
				return nil, fmt.Errorf("transcode: %s/%s: %w", s.Name, m.Name, err)
			}
			methods[m.Name] = plan
		}
		p.methods[s.Name] = methods
	}
	p.nodes = nil
	return p, nil
}

// Method returns the plan of a method, nil if there is none.
func (p *Plans) Method(service, method string) *Plan { return p.methods[service][method] }

// Close frees what the plans hold. No call that uses them may be running.
func (p *Plans) Close() {
	for _, n := range p.names {
		n.Close()
	}
	p.names = nil
}

// intern puts names where values can point to them.
func (p *Plans) intern(words []string) (*wasmtime.Names, error) {
	names, err := wasmtime.NewNames(words)
	if err == nil {
		p.names = append(p.names, names)
	}
	return names, err
}

// Plan transcodes the messages of one method. It is immutable and safe for concurrent use.
type Plan struct {
	request  *node // its fields are the parameters
	response *node // one field, or none
	fallible bool
	failure  *failure
	fault    fault

	direct  bool
	returns wasmtime.Returns
}

// failure says how the err payload becomes a detail.
type failure struct {
	message string
	// shape is the payload; detail is the message around it, or the payload itself where that is nil.
	shape  *node
	label  contract.Label
	detail *node
}

// A node is a shape, ready to be walked. Nodes form a graph without cycles, as shapes do.
type node struct {
	kind wit.Kind
	// message is true for what is a message, false for a scalar field.
	message bool
	// oneof is true where the fields are members of one oneof: variants and results.
	oneof bool
	// required is true where a field can't be absent.
	required bool

	fields []field
	// dense leads from a field number, or an enum's number, to an index plus one; sparse holds those beyond it.
	dense  []uint16
	sparse map[uint32]int
	// order holds the indices of fields, the highest number first: messages are encoded back to front.
	order []int
	// slots is how many slots a walk of this message takes; need is the same with all that is below it.
	slots, need int

	// names are the WIT names of the fields, cases or flags; words are the same for text.
	names *wasmtime.Names
	words []string
	// numbers are the protobuf numbers of an enum's cases.
	numbers []int32
}

// A field is one field of a message.
type field struct {
	name   string
	word   string // the WIT name
	number protowire.Number
	label  contract.Label
	node   *node
	wire   protowire.Type // of a single value
	packed bool           // encoded as a packed list
}

// empty is what a case without a payload holds: google.protobuf.Empty.
var empty = &node{message: true}

// denseNumbers is how far a table leads from numbers to indices before a map does.
const denseNumbers = 256

func (p *Plans) plan(m *contract.Method) (*Plan, error) {
	request, err := p.message(m.Params, nil)
	if err != nil {
		return nil, err
	}
	var results []contract.Field
	if m.Result != nil {
		results = append(results, *m.Result)
	}
	response, err := p.message(results, nil)
	if err != nil {
		return nil, err
	}
	plan := &Plan{request: request, response: response, fallible: m.Fallible}
	if m.Error != nil {
		if plan.failure, err = p.failure(m.Error); err != nil {
			return nil, err
		}
		plan.fault = newFault(plan.failure)
	}
	plan.setDirect()
	return plan, nil
}

func (p *Plans) failure(e *contract.Error) (*failure, error) {
	if e.Field == nil {
		shape, err := p.node(e.Shape)
		if err != nil {
			return nil, err
		}
		return &failure{message: e.Message, shape: shape}, nil
	}
	detail, err := p.message([]contract.Field{*e.Field}, nil)
	if err != nil {
		return nil, err
	}
	return &failure{message: e.Message, shape: detail.fields[0].node, label: e.Field.Label, detail: detail}, nil
}

// node gives the node of a shape, the same for each use of it.
func (p *Plans) node(s *contract.Shape) (*node, error) {
	if s == nil {
		return empty, nil
	}
	if n, ok := p.nodes[s]; ok {
		return n, nil
	}
	n, err := p.build(s)
	if err != nil {
		return nil, err
	}
	p.nodes[s] = n
	return n, nil
}

func (p *Plans) build(s *contract.Shape) (*node, error) {
	if s.Scalar() {
		return p.scalar(s)
	}
	n, err := p.message(s.Fields, words(s))
	if err != nil {
		return nil, err
	}
	n.kind = s.Kind
	n.required = s.Required()
	switch s.Kind {
	case wit.Record, wit.Flags, wit.Variant:
		n.words = words(s)
		if n.names, err = p.intern(n.words); err != nil {
			return nil, err
		}
		if len(n.words) != len(n.fields) {
			return nil, fmt.Errorf("%s: %d fields for %d names", s.Message, len(n.fields), len(n.words))
		}
		n.oneof = s.Kind == wit.Variant
	case wit.Result:
		n.oneof = true
	case wit.Tuple:
	case wit.List, wit.Option:
		if len(n.fields) != 1 {
			return nil, fmt.Errorf("%s: a wrapper with %d fields", s.Message, len(n.fields))
		}
	default:
		return nil, fmt.Errorf("%s: kind %d is no message", s.Message, s.Kind)
	}
	if n.oneof {
		n.need += 1 - n.slots
		n.slots = 1
	}
	return n, nil
}

// words gives the WIT names of what a shape has: fields, cases or flags.
func words(s *contract.Shape) []string {
	var out []string
	switch s.Kind {
	case wit.Record:
		for _, f := range s.Type.Fields {
			out = append(out, f.Name)
		}
	case wit.Variant, wit.Enum, wit.Flags:
		for _, c := range s.Type.Cases {
			out = append(out, c.Name)
		}
	}
	return out
}

// message builds a message out of its fields.
func (p *Plans) message(fields []contract.Field, words []string) (*node, error) {
	n := &node{message: true, slots: len(fields)}
	for i, f := range fields {
		child, err := p.node(f.Shape)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.Name, err)
		}
		out := field{name: f.Name, number: protowire.Number(f.Number), label: f.Label, node: child, wire: f.Shape.Wire()}
		out.packed = f.Label == contract.Repeated && out.wire != protowire.BytesType
		if i < len(words) {
			out.word = words[i]
		}
		n.fields = append(n.fields, out)
		n.order = append(n.order, i)
		n.need = max(n.need, child.need)
		if err := n.index(uint32(f.Number), i); err != nil {
			return nil, fmt.Errorf("%s: %w", f.Name, err)
		}
	}
	n.need += n.slots
	slices.SortFunc(n.order, func(a, b int) int { return int(n.fields[b].number) - int(n.fields[a].number) })
	return n, nil
}

func (p *Plans) scalar(s *contract.Shape) (*node, error) {
	n := &node{kind: s.Kind, required: s.Required()}
	switch s.Kind {
	case wit.Bool, wit.S8, wit.U8, wit.S16, wit.U16, wit.S32, wit.U32, wit.S64, wit.U64, wit.F32, wit.F64, wit.Char, wit.String, wit.List:
	case wit.Enum:
		n.words = words(s)
		n.numbers = s.Numbers
		names, err := p.intern(n.words)
		if err != nil {
			return nil, err
		}
		n.names = names
		if len(n.numbers) != len(n.words) {
			return nil, fmt.Errorf("%s: %d numbers for %d cases", s.Message, len(n.numbers), len(n.words))
		}
		for i, number := range s.Numbers {
			if err := n.index(uint32(number), i); err != nil {
				return nil, fmt.Errorf("%s: %w", s.Message, err)
			}
		}
	default:
		return nil, fmt.Errorf("kind %d has no protobuf form", s.Kind)
	}
	return n, nil
}

// index makes lookup lead from number to i.
func (n *node) index(number uint32, i int) error {
	if _, ok := n.lookup(number); ok {
		return fmt.Errorf("number %s is taken", strconv.FormatInt(int64(int32(number)), 10))
	}
	if number < denseNumbers {
		if need := int(number) + 1; len(n.dense) < need {
			n.dense = append(n.dense, make([]uint16, need-len(n.dense))...)
		}
		if i < 1<<16-1 {
			n.dense[number] = uint16(i + 1)
			return nil
		}
	}
	if n.sparse == nil {
		n.sparse = make(map[uint32]int)
	}
	n.sparse[number] = i
	return nil
}

// lookup gives the index of the field or case with a number.
func (n *node) lookup(number uint32) (int, bool) {
	if number < uint32(len(n.dense)) {
		if i := n.dense[number]; i != 0 {
			return int(i) - 1, true
		}
	}
	if n.sparse == nil {
		return 0, false
	}
	i, ok := n.sparse[number]
	return i, ok
}
