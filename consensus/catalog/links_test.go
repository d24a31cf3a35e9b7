package catalog

import (
	"bytes"
	"fmt"
	"testing"

	catalogv1 "github.com/weft-run/weft/proto/weft/catalog/v1"
	"google.golang.org/protobuf/proto"
)

// linkedTo is a binding to a function that is part of the component, with what that is linked with.
func linkedTo(function string, inner ...*catalogv1.Binding) *catalogv1.Binding {
	b := toFunction("x:y/"+function, function, "s.S")
	b.Link = &catalogv1.Link{Revision: 1, Digest: bytes.Repeat([]byte{7}, 32), Bindings: inner}
	return b
}

// linking is a revision with links.
func linking(name string, bindings ...*catalogv1.Binding) *catalogv1.Command {
	cmd := bound(name, bindings...)
	cmd.Level = 4
	return cmd
}

// newLinked returns a log at level 4 with functions b and c.
func newLinked(t *testing.T) *log {
	t.Helper()
	l := newBound(t)
	l.must(raise(4))
	l.must(calls("c"))
	l.must(calls("b", "c"))
	return l
}

func TestLinksNeedLevel4(t *testing.T) {
	cmd := linking("a", linkedTo("b"))
	if RequiredLevel(cmd) != 4 {
		t.Fatalf("requires level %d", RequiredLevel(cmd))
	}
	l := newBound(t)
	l.must(calls("b"))
	l.refused(catalogv1.Refusal_REASON_LEVEL, "the cluster is at 3", proto.CloneOf(cmd))
	l.must(raise(4))
	cmd.Level = 3
	l.refused(catalogv1.Refusal_REASON_INVALID, "level 4", proto.CloneOf(cmd))
	cmd.Level = 4
	l.must(cmd)
}

func TestLinkRules(t *testing.T) {
	l := newLinked(t)
	many := linkedTo("b")
	for i := range MaxLinks {
		many.Link.Bindings = append(many.Link.Bindings, linkedTo(fmt.Sprintf("f%03d", i)))
	}
	outside := toAddress("x:y/z", "grpc://h:1", "s.S")
	outside.Link = &catalogv1.Link{Revision: 1, Digest: make([]byte, 32)}
	short := linkedTo("b")
	short.Link.Digest = short.Link.Digest[1:]
	for _, tt := range []struct {
		says    string
		binding *catalogv1.Binding
	}{
		{"not that of a revision", outside},
		{"not that of a revision", short},
		{"which is linked, is not", linkedTo("b", toFunction("x:y/c", "c", "s.S"))},
		{"out of order", linkedTo("b", linkedTo("d"), linkedTo("c"))},
	} {
		l.refused(catalogv1.Refusal_REASON_INVALID, tt.says, linking("a", tt.binding))
	}
	l.refused(catalogv1.Refusal_REASON_INVALID, "more than 256 links", linking("a", many))
	l.refused(catalogv1.Refusal_REASON_CYCLE, "c → b → c", linking("c", linkedTo("b")))
}

// TestLinkedProviders: what is linked stays as it was, whatever becomes of the function.
func TestLinkedProviders(t *testing.T) {
	l := newLinked(t)
	l.must(linking("a", linkedTo("b", linkedTo("c"))))
	other := put(deploy{name: "b", services: []string{"t.T"}})
	other.Level = 4
	l.must(other)
	l.must(linking("a", linkedTo("b", linkedTo("c")))) // b exports s.S no longer
	l.refused(catalogv1.Refusal_REASON_IN_USE, `"b" is called by a`, del("b"))
	l.must(del("c"))
	for call := range l.c.View().Callers(ns, "b") {
		if !call.Linked {
			t.Errorf("%v is not linked", call)
		}
	}
}

// TestLinkFields: fields of a later weft stay behind, at any depth.
func TestLinkFields(t *testing.T) {
	later := []byte{0xf8, 0x07, 1}
	b := linkedTo("b", linkedTo("c"))
	want := proto.CloneOf(b)
	b.GetLink().ProtoReflect().SetUnknown(later)
	b.GetLink().GetBindings()[0].ProtoReflect().SetUnknown(later)
	if got := newBinding(b); !proto.Equal(got, want) {
		t.Errorf("%v", got)
	}
}
