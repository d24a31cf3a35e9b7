package contract

import (
	"encoding/binary"
	"slices"
	"strings"
	"unicode"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/weft-run/weft/wit/doc"
)

// docs are the comments of the descriptors of all contracts in a build. Descriptors move within their files, so the
// comments are taken out of the source info and put back at the end.
type docs struct {
	comments doc.Comments
	known    map[proto.Message]*descriptorpb.SourceCodeInfo_Location
	// owners are the interfaces that the author's comments cover.
	owners map[string]bool
}

// maxComment bounds one comment, in bytes.
const maxComment = 8 << 10

func newDocs(comments doc.Comments) docs {
	d := docs{comments, make(map[proto.Message]*descriptorpb.SourceCodeInfo_Location), make(map[string]bool)}
	for key := range comments {
		owner, _, _ := strings.Cut(key, "#")
		d.owners[owner] = true
	}
	return d
}

// covers tells whether the author's comments are about this interface: then what has no comment loses the one that it
// had.
func (d docs) covers(u *unit) bool {
	switch {
	case u.iface == nil:
		return d.owners[""]
	case u.iface.Package == "":
		return d.owners[u.name]
	default:
		return d.owners[u.iface.Namespace+":"+u.iface.Package+"/"+u.iface.Name]
	}
}

// set puts a comment on a descriptor. An empty one removes what was there if all is given, and is ignored otherwise.
func (d docs) set(m proto.Message, comment string, all bool) {
	switch comment = leading(comment); {
	case comment != "":
		d.known[m] = &descriptorpb.SourceCodeInfo_Location{LeadingComments: new(comment)}
	case all:
		delete(d.known, m)
	}
}

// leading turns text into a comment as protoc gives it: a space begins each line that is not empty.
func leading(text string) string {
	if len(text) > maxComment {
		text = strings.ToValidUTF8(text[:maxComment], "") + "…"
	}
	text = strings.Map(func(r rune) rune {
		if r != '\n' && r != '\t' && (unicode.IsControl(r) || r == unicode.ReplacementChar) {
			return ' '
		}
		return r
	}, text)
	var b strings.Builder
	for line := range strings.SplitSeq(strings.Trim(text, "\n "), "\n") {
		if line = strings.TrimRight(line, " \t"); line != "" {
			b.WriteString(" " + line)
		}
		b.WriteByte('\n')
	}
	if b.Len() == 1 {
		return ""
	}
	return b.String()
}

// load takes the comments out of a file.
func (d docs) load(f *descriptorpb.FileDescriptorProto) {
	byPath := make(map[string]*descriptorpb.SourceCodeInfo_Location)
	for _, l := range f.GetSourceCodeInfo().GetLocation() {
		if l.LeadingComments != nil || l.TrailingComments != nil || len(l.GetLeadingDetachedComments()) > 0 {
			byPath[pathKey(l.GetPath())] = l
		}
	}
	if len(byPath) == 0 {
		return
	}
	eachDescriptor(f, func(m proto.Message, path []int32) {
		if l := byPath[pathKey(path)]; l != nil {
			d.known[m] = l
		}
	})
}

// store puts the comments back, in the order of the file.
func (d docs) store(f *descriptorpb.FileDescriptorProto) {
	info := &descriptorpb.SourceCodeInfo{}
	eachDescriptor(f, func(m proto.Message, path []int32) {
		l := d.known[m]
		if l == nil {
			return
		}
		l = proto.CloneOf(l)
		l.Path = append([]int32(nil), path...)
		l.Span = []int32{int32(len(info.Location)), 0, 1} // readers want one; there is no text that it could point into
		info.Location = append(info.Location, l)
	})
	f.SourceCodeInfo = nil
	if len(info.Location) > 0 {
		f.SourceCodeInfo = info
	}
}

func pathKey(path []int32) string {
	var b []byte
	for _, p := range path {
		b = binary.BigEndian.AppendUint32(b, uint32(p))
	}
	return string(b)
}

// The numbers of the fields of descriptors, which make up the paths of source info.
const (
	filePackage, fileMessages, fileEnums, fileServices        = 2, 4, 5, 6
	messageFields, messageNested, messageEnums, messageOneofs = 2, 3, 4, 8
	enumValues, serviceMethods                                = 2, 2
)

// eachDescriptor visits what of a file can have a comment, with its path in source info.
func eachDescriptor(f *descriptorpb.FileDescriptorProto, visit func(proto.Message, []int32)) {
	visit(f, []int32{filePackage})
	for i, s := range f.GetService() {
		path := []int32{fileServices, int32(i)}
		visit(s, path)
		for j, m := range s.GetMethod() {
			visit(m, append(path, serviceMethods, int32(j)))
		}
	}
	for i, m := range f.GetMessageType() {
		eachInMessage(m, []int32{fileMessages, int32(i)}, visit)
	}
	for i, e := range f.GetEnumType() {
		eachInEnum(e, []int32{fileEnums, int32(i)}, visit)
	}
}

func eachInMessage(m *descriptorpb.DescriptorProto, path []int32, visit func(proto.Message, []int32)) {
	path = slices.Clip(path)
	visit(m, path)
	for i, f := range m.GetField() {
		visit(f, append(path, messageFields, int32(i)))
	}
	for i, o := range m.GetOneofDecl() {
		visit(o, append(path, messageOneofs, int32(i)))
	}
	for i, n := range m.GetNestedType() {
		eachInMessage(n, append(path, messageNested, int32(i)), visit)
	}
	for i, e := range m.GetEnumType() {
		eachInEnum(e, append(path, messageEnums, int32(i)), visit)
	}
}

func eachInEnum(e *descriptorpb.EnumDescriptorProto, path []int32, visit func(proto.Message, []int32)) {
	path = slices.Clip(path)
	visit(e, path)
	for i, v := range e.GetValue() {
		visit(v, append(path, enumValues, int32(i)))
	}
}
