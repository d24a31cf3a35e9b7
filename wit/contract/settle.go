package contract

import (
	"cmp"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"

	weftv1 "github.com/weft-run/weft/proto/weft/v1"
)

const emptyFile = "google/protobuf/empty.proto"

// home returns the file of each top-level message and enum, by full name.
func (x *extender) home() map[string]string {
	home := map[string]string{emptyName: emptyFile}
	for _, l := range x.ledgers {
		for _, f := range l.contract.GetFiles() {
			for _, m := range f.GetMessageType() {
				home[l.full(m.GetName())] = f.GetName()
			}
			for _, e := range f.GetEnumType() {
				home[l.full(e.GetName())] = f.GetName()
			}
		}
	}
	return home
}

// settle puts the contract in its stored form. Doing it twice changes nothing.
func (l *ledger) settle(d docs, home map[string]string) {
	c := l.contract
	c.Files = slices.DeleteFunc(c.Files, func(f *descriptorpb.FileDescriptorProto) bool {
		f.Service = slices.DeleteFunc(f.Service, func(s *descriptorpb.ServiceDescriptorProto) bool { return len(s.GetMethod()) == 0 })
		return len(f.GetMessageType())+len(f.GetEnumType())+len(f.GetService()) == 0
	})
	for _, f := range c.Files {
		for _, m := range f.GetMessageType() {
			l.settleMessage("", m)
		}
		for _, e := range f.GetEnumType() {
			l.settleEnum(e)
		}
		l.settleImports(f, home)
		d.store(f)
	}
	slices.SortFunc(c.Files, func(a, b *descriptorpb.FileDescriptorProto) int { return cmp.Compare(a.GetName(), b.GetName()) })

	c.Claims = nil
	for _, claim := range l.claims {
		c.Claims = append(c.Claims, claim)
	}
	slices.SortFunc(c.Claims, func(a, b *weftv1.Claim) int { return cmp.Compare(claimKey(a), claimKey(b)) })

	c.Retired = nil
	for _, r := range l.retired {
		c.Retired = append(c.Retired, r...)
	}
	slices.SortFunc(c.Retired, func(a, b *weftv1.RetiredField) int {
		return cmp.Or(cmp.Compare(a.GetMessage(), b.GetMessage()), cmp.Compare(a.GetField().GetNumber(), b.GetField().GetNumber()))
	})
}

func (l *ledger) settleMessage(scope string, m *descriptorpb.DescriptorProto) {
	name := scope + m.GetName()
	slices.SortStableFunc(m.Field, func(a, b *descriptorpb.FieldDescriptorProto) int { return cmp.Compare(a.GetNumber(), b.GetNumber()) })
	settleOneofs(m)
	var numbers []int32
	var names []string
	for _, r := range l.retired[name] {
		numbers, names = append(numbers, r.GetField().GetNumber()), append(names, r.GetField().GetName())
	}
	used, named := make(map[int32]bool), make(map[string]bool)
	for _, f := range m.GetField() {
		used[f.GetNumber()], named[f.GetName()] = true, true
	}
	var reserved [][2]int32 // both ends included
	for _, r := range m.GetReservedRange() {
		reserved = append(reserved, [2]int32{r.GetStart(), r.GetEnd() - 1})
	}
	m.ReservedRange = nil
	for _, r := range reserve(reserved, numbers, used) {
		m.ReservedRange = append(m.ReservedRange, &descriptorpb.DescriptorProto_ReservedRange{
			Start: new(r[0]), End: new(r[1] + 1),
		})
	}
	m.ReservedName = reserveNames(m.GetReservedName(), names, named)
	for _, n := range m.GetNestedType() {
		l.settleMessage(name+".", n)
	}
}

func (l *ledger) settleEnum(e *descriptorpb.EnumDescriptorProto) {
	if len(e.GetValue()) > 0 { // the first is the zero
		slices.SortStableFunc(e.Value[1:], func(a, b *descriptorpb.EnumValueDescriptorProto) int {
			return cmp.Compare(a.GetNumber(), b.GetNumber())
		})
	}
	var numbers []int32
	var names []string
	for _, r := range l.retired[e.GetName()] {
		numbers, names = append(numbers, r.GetField().GetNumber()), append(names, r.GetField().GetName())
	}
	used, named := make(map[int32]bool), make(map[string]bool)
	for _, v := range e.GetValue() {
		used[v.GetNumber()], named[v.GetName()] = true, true
	}
	var reserved [][2]int32
	for _, r := range e.GetReservedRange() {
		reserved = append(reserved, [2]int32{r.GetStart(), r.GetEnd()})
	}
	e.ReservedRange = nil
	for _, r := range reserve(reserved, numbers, used) {
		e.ReservedRange = append(e.ReservedRange, &descriptorpb.EnumDescriptorProto_EnumReservedRange{
			Start: new(r[0]), End: new(r[1]),
		})
	}
	e.ReservedName = reserveNames(e.GetReservedName(), names, named)
}

// reserve adds numbers to ranges and takes out single ones that are used again.
func reserve(ranges [][2]int32, numbers []int32, used map[int32]bool) [][2]int32 {
	ranges = slices.DeleteFunc(ranges, func(r [2]int32) bool { return r[0] == r[1] && used[r[0]] })
	for _, n := range numbers {
		covered := slices.ContainsFunc(ranges, func(r [2]int32) bool { return r[0] <= n && n <= r[1] })
		if !covered && !used[n] {
			ranges = append(ranges, [2]int32{n, n})
		}
	}
	slices.SortFunc(ranges, func(a, b [2]int32) int { return cmp.Compare(a[0], b[0]) })
	return ranges
}

// reserveNames adds names and takes out those that are used again.
func reserveNames(reserved, names []string, used map[string]bool) []string {
	reserved = append(slices.Clone(reserved), names...)
	reserved = slices.DeleteFunc(reserved, func(n string) bool { return used[n] })
	slices.Sort(reserved)
	return slices.Compact(reserved)
}

// settleOneofs puts the oneofs that have members first and, after them, one for each optional field, as protobuf wants
// it.
func settleOneofs(m *descriptorpb.DescriptorProto) {
	old := m.GetOneofDecl()
	index := make(map[int32]int32)
	m.OneofDecl = nil
	for i, o := range old {
		for _, f := range m.GetField() {
			if f.OneofIndex != nil && !f.GetProto3Optional() && f.GetOneofIndex() == int32(i) {
				index[int32(i)] = int32(len(m.OneofDecl))
				m.OneofDecl = append(m.OneofDecl, o)
				break
			}
		}
	}
	for _, f := range m.GetField() {
		switch {
		case f.GetProto3Optional():
			f.OneofIndex = new(int32(len(m.OneofDecl)))
			m.OneofDecl = append(m.OneofDecl, &descriptorpb.OneofDescriptorProto{Name: new("_" + f.GetName())})
		case f.OneofIndex != nil:
			f.OneofIndex = new(index[f.GetOneofIndex()])
		}
	}
}

// settleImports makes a file import what it uses. Imports of a contract that was not made here stay, if they are of
// packages that this build knows nothing of.
func (l *ledger) settleImports(f *descriptorpb.FileDescriptorProto, home map[string]string) {
	uses := make(map[string]bool)
	use := func(name string) {
		for name = strings.TrimPrefix(name, "."); name != ""; name = name[:max(strings.LastIndexByte(name, '.'), 0)] {
			if file := home[name]; file != "" {
				uses[file] = true
				return
			}
		}
	}
	eachDescriptor(f, func(m proto.Message, _ []int32) {
		switch m := m.(type) {
		case *descriptorpb.FieldDescriptorProto:
			use(m.GetTypeName())
		case *descriptorpb.MethodDescriptorProto:
			use(m.GetInputType())
			use(m.GetOutputType())
		}
	})
	known := make(map[string]bool)
	for _, file := range home {
		known[file] = true
	}
	for _, d := range f.GetDependency() {
		if !known[d] {
			uses[d] = true
		}
	}
	delete(uses, f.GetName())
	f.Dependency = nil
	for file := range uses {
		f.Dependency = append(f.Dependency, file)
	}
	slices.Sort(f.Dependency)
}
