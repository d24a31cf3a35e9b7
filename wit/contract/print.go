package contract

import (
	"fmt"
	"strconv"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"
)

// lintConfig is the buf.yaml that goes with printed files.
const lintConfig = `version: v2
modules:
  - path: .
lint:
  use:
    - STANDARD
  except:
    # Services are named after their WIT interface.
    - SERVICE_SUFFIX
    # A WIT package need not have a version, and before 1.0 its version has more than one part.
    - PACKAGE_VERSION_SUFFIX
`

// Print writes the files of a set as .proto text, by path, beside the buf.yaml that says which of buf's rules they
// follow. Names of types are full and begin with a dot, because in a service a method hides a message of its name.
// Files of protobuf's own are left out: every compiler has them. It fails where a file uses what contracts never have.
func Print(set *descriptorpb.FileDescriptorSet) (map[string]string, error) {
	out := map[string]string{"buf.yaml": lintConfig}
	for _, f := range set.GetFile() {
		if strings.HasPrefix(f.GetName(), "google/protobuf/") {
			continue
		}
		text, err := printFile(f)
		if err != nil {
			return nil, fmt.Errorf("contract: %s: %w", f.GetName(), err)
		}
		out[f.GetName()] = text
	}
	return out, nil
}

type printer struct {
	b      strings.Builder
	indent int
	docs   docs
	err    error
}

func printFile(f *descriptorpb.FileDescriptorProto) (string, error) {
	p := &printer{docs: newDocs(nil)}
	p.docs.load(f)
	if f.GetSyntax() != "proto3" || len(f.GetExtension())+len(f.GetPublicDependency()) > 0 {
		p.fail("only proto3 without extensions and public imports can be printed")
	}
	p.line("syntax = %q;", f.GetSyntax())
	p.blank()
	p.comment(f)
	p.line("package %s;", f.GetPackage())
	if len(f.GetDependency()) > 0 {
		p.blank()
	}
	for _, d := range f.GetDependency() {
		p.line("import %s;", quote(d))
	}
	p.fileOptions(f.GetOptions())
	for _, s := range f.GetService() {
		p.service(s)
	}
	for _, m := range f.GetMessageType() {
		p.blank()
		p.message(m)
	}
	for _, e := range f.GetEnumType() {
		p.blank()
		p.enum(e)
	}
	return p.b.String(), p.err
}

func (p *printer) fail(format string, args ...any) {
	if p.err == nil {
		p.err = fmt.Errorf(format, args...)
	}
}

func (p *printer) line(format string, args ...any) {
	p.b.WriteString(strings.Repeat("  ", p.indent))
	fmt.Fprintf(&p.b, format, args...)
	p.b.WriteByte('\n')
}

func (p *printer) blank() { p.b.WriteByte('\n') }

// open begins a block, with {} where nothing is in it.
func (p *printer) open(head string, empty bool, body func()) {
	if empty {
		p.line("%s {}", head)
		return
	}
	p.line("%s {", head)
	p.indent++
	body()
	p.indent--
	p.line("}")
}

// comment writes the comments of a descriptor above it.
func (p *printer) comment(m proto.Message) {
	l := p.docs.known[m]
	if l == nil {
		return
	}
	for _, detached := range l.GetLeadingDetachedComments() {
		p.commentLines(detached)
		p.blank()
	}
	p.commentLines(l.GetLeadingComments() + l.GetTrailingComments())
}

func (p *printer) commentLines(text string) {
	if text == "" {
		return
	}
	for line := range strings.SplitSeq(strings.TrimSuffix(text, "\n"), "\n") {
		p.line("//%s", line)
	}
}

func (p *printer) fileOptions(o *descriptorpb.FileOptions) {
	if o == nil {
		return
	}
	var lines []string
	text := func(name string, value *string) {
		if value != nil {
			lines = append(lines, fmt.Sprintf("option %s = %s;", name, quote(*value)))
		}
	}
	text("csharp_namespace", o.CsharpNamespace)
	text("go_package", o.GoPackage)
	if o.JavaMultipleFiles != nil {
		lines = append(lines, fmt.Sprintf("option java_multiple_files = %t;", o.GetJavaMultipleFiles()))
	}
	text("java_outer_classname", o.JavaOuterClassname)
	text("java_package", o.JavaPackage)
	text("objc_class_prefix", o.ObjcClassPrefix)
	text("php_namespace", o.PhpNamespace)
	text("ruby_package", o.RubyPackage)
	if len(lines) > 0 {
		p.blank()
	}
	for _, l := range lines {
		p.line("%s", l)
	}
}

func (p *printer) service(s *descriptorpb.ServiceDescriptorProto) {
	p.blank()
	p.comment(s)
	p.open("service "+s.GetName(), len(s.GetMethod()) == 0, func() {
		for _, m := range s.GetMethod() {
			p.comment(m)
			stream := map[bool]string{true: "stream "}
			p.line("rpc %s(%s%s) returns (%s%s);", m.GetName(), stream[m.GetClientStreaming()], m.GetInputType(),
				stream[m.GetServerStreaming()], m.GetOutputType())
		}
	})
}

func (p *printer) message(m *descriptorpb.DescriptorProto) {
	if len(m.GetExtension())+len(m.GetExtensionRange()) > 0 || m.GetOptions().GetMapEntry() {
		p.fail("message %s has extensions or is a map", m.GetName())
	}
	p.comment(m)
	empty := len(m.GetField())+len(m.GetNestedType())+len(m.GetEnumType())+len(m.GetReservedRange())+len(m.GetReservedName()) == 0
	p.open("message "+m.GetName(), empty, func() {
		var ranges [][2]int64
		for _, r := range m.GetReservedRange() {
			ranges = append(ranges, [2]int64{int64(r.GetStart()), int64(r.GetEnd()) - 1})
		}
		p.reserved(ranges, maxNumber, m.GetReservedName())
		done := make(map[int32]bool)
		for _, f := range m.GetField() {
			switch i := f.GetOneofIndex(); {
			case f.OneofIndex == nil || f.GetProto3Optional():
				p.field(f)
			case !done[i]:
				done[i] = true
				p.oneof(m, i)
			}
		}
		for _, n := range m.GetNestedType() {
			p.blank()
			p.message(n)
		}
		for _, e := range m.GetEnumType() {
			p.blank()
			p.enum(e)
		}
	})
}

func (p *printer) oneof(m *descriptorpb.DescriptorProto, index int32) {
	o := m.GetOneofDecl()[index]
	p.comment(o)
	p.open("oneof "+o.GetName(), false, func() {
		for _, f := range m.GetField() {
			if f.OneofIndex != nil && f.GetOneofIndex() == index {
				p.field(f)
			}
		}
	})
}

func (p *printer) field(f *descriptorpb.FieldDescriptorProto) {
	p.comment(f)
	label := ""
	switch {
	case f.GetLabel() == descriptorpb.FieldDescriptorProto_LABEL_REPEATED:
		label = "repeated "
	case f.GetProto3Optional():
		label = "optional "
	}
	typ := f.GetTypeName()
	if typ == "" {
		typ = strings.ToLower(strings.TrimPrefix(f.GetType().String(), "TYPE_"))
	}
	if f.GetType() == descriptorpb.FieldDescriptorProto_TYPE_GROUP {
		p.fail("field %s is a group", f.GetName())
	}
	p.line("%s%s %s = %d%s;", label, typ, f.GetName(), f.GetNumber(), p.fieldOptions(f))
}

func (p *printer) fieldOptions(f *descriptorpb.FieldDescriptorProto) string {
	var options []string
	if f.GetOptions().GetDeprecated() {
		options = append(options, "deprecated = true")
	}
	if f.JsonName != nil && f.GetJsonName() != jsonName(f.GetName()) {
		options = append(options, "json_name = "+quote(f.GetJsonName()))
	}
	if len(options) == 0 {
		return ""
	}
	return " [" + strings.Join(options, ", ") + "]"
}

// jsonName is the name that protobuf gives a field in JSON by itself.
func jsonName(field string) string {
	var b strings.Builder
	up := false
	for i := range len(field) {
		c := field[i]
		if c != '_' {
			if up && c >= 'a' && c <= 'z' {
				c -= 'a' - 'A'
			}
			b.WriteByte(c)
		}
		up = c == '_'
	}
	return b.String()
}

func (p *printer) enum(e *descriptorpb.EnumDescriptorProto) {
	p.comment(e)
	p.open("enum "+e.GetName(), false, func() {
		if e.GetOptions().GetAllowAlias() {
			p.line("option allow_alias = true;")
		}
		var ranges [][2]int64
		for _, r := range e.GetReservedRange() {
			ranges = append(ranges, [2]int64{int64(r.GetStart()), int64(r.GetEnd())})
		}
		p.reserved(ranges, 1<<31-1, e.GetReservedName())
		for _, v := range e.GetValue() {
			p.comment(v)
			deprecated := map[bool]string{true: " [deprecated = true]"}
			p.line("%s = %d%s;", v.GetName(), v.GetNumber(), deprecated[v.GetOptions().GetDeprecated()])
		}
	})
}

// reserved writes ranges, both ends included, and names.
func (p *printer) reserved(ranges [][2]int64, highest int64, names []string) {
	var numbers, quoted []string
	for _, r := range ranges {
		text := strconv.FormatInt(r[0], 10)
		switch {
		case r[1] >= highest:
			text += " to max"
		case r[1] > r[0]:
			text += " to " + strconv.FormatInt(r[1], 10)
		}
		numbers = append(numbers, text)
	}
	for _, n := range names {
		quoted = append(quoted, quote(n))
	}
	for _, list := range [][]string{numbers, quoted} {
		if len(list) > 0 {
			p.line("reserved %s;", strings.Join(list, ", "))
		}
	}
}

// quote writes a string literal of .proto text.
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c < ' ' || c == 0x7f:
			fmt.Fprintf(&b, `\%03o`, c)
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}
