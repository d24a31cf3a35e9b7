package catalog

import (
	"bytes"
	"testing"

	catalogv1 "github.com/weft-run/weft/proto/weft/catalog/v1"
	"google.golang.org/protobuf/proto"
)

// FuzzApply decodes a log from the input, a length byte before each command, and applies it: no panic, the hash kept
// in step, and a snapshot that restores to the same state.
func FuzzApply(f *testing.F) {
	var seed []byte
	for i, cmd := range []*catalogv1.Command{
		put(deploy{name: "a", services: []string{"s.S"}}), put(deploy{name: "a", current: 1}), route("s.S", "a"), forget("s"), raise(2), del("a"), {},
		level2(put(deploy{name: "a"})), member(1), member(2), place(on("a", 2, 1, 2)), drain(1, true), removal(1), token("t", "s", 10, 1),
		token("u", "r", 100, 20), revoke("u"),
		raise(3), raise(4), sealed("", "k", "x"), sealed("a", "k", "y"), unsealed("", "k"), bound("b", toFunction("x:y/z", "a", "s.S"), toAddress("x:y/z2", "grpc://h:1", "s.S")), bound("a", toFunction("x:y/z", "b", "s.S")), del("a"),
	} {
		cmd.RequestId = string(rune('a' + i))
		b, err := proto.Marshal(cmd)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(append([]byte{byte(len(b))}, b...))
		seed = append(append(seed, byte(len(b))), b...)
	}
	f.Add(seed)
	f.Fuzz(func(t *testing.T, data []byte) {
		c := New()
		for index := uint64(1); len(data) > 0; index++ {
			n := min(int(data[0]), len(data)-1)
			var cmd catalogv1.Command
			if proto.Unmarshal(data[1:1+n], &cmd) == nil {
				c.Apply(index, &cmd)
			}
			data = data[1+n:]
		}
		checkSum(t, c)
		if !bytes.Equal(reload(t, c).View().Hash(), c.View().Hash()) {
			t.Fatal("the snapshot restores to another state")
		}
	})
}

// FuzzRestore builds a snapshot from the input's rows, with a checksum and a state hash that fit, so that the rows
// themselves are what is tried.
func FuzzRestore(f *testing.F) {
	f.Add([]byte{})
	for _, c := range []*Catalog{sample(&testing.T{}), clusterSample(&testing.T{}), boundSample(&testing.T{}), secretSample(&testing.T{})} {
		var rows []byte
		for row := range c.Image().rows() {
			b := appendRow(nil, row)
			rows = append(append(rows, byte(len(b))), b...)
		}
		f.Add(rows)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		m := &forged{level: 4}
		for len(data) > 0 {
			n := min(int(data[0]), len(data)-1)
			var row catalogv1.SnapshotRow
			if proto.Unmarshal(data[1:1+n], &row) == nil {
				m.rows = append(m.rows, &row)
			}
			data = data[1+n:]
		}
		c := New()
		if err := c.Restore(bytes.NewReader(m.snapshot())); err != nil {
			return
		}
		checkSum(t, c)
		if !bytes.Equal(reload(t, c).View().Hash(), c.View().Hash()) {
			t.Fatal("the state changes on its way through a snapshot")
		}
		for n := range c.View().Nodes() {
			for k := range c.View().Placed(n.GetId()) {
				c.View().Revision(k.Namespace, k.Function, k.Revision).GetNumber()
			}
			c.Apply(c.Index()+1, &catalogv1.Command{RequestId: "remove " + n.GetId(), Level: 2, Action: &catalogv1.Command_RemoveNode{
				RemoveNode: &catalogv1.RemoveNode{Node: n.GetId()},
			}})
		}
		for secret := range c.View().Secrets(ns) {
			c.Apply(c.Index()+1, &catalogv1.Command{RequestId: "secret " + key(secret.GetFunction(), secret.GetKey()), Level: 4, Action: unsealed(secret.GetFunction(), secret.GetKey()).GetAction()})
		}
		for fn := range c.View().All() {
			for _, r := range fn.GetRevisions() {
				c.View().Contracts(fn.GetNamespace())
				for _, service := range r.GetServices() {
					c.View().Owner(fn.GetNamespace(), service)
				}
			}
			c.Apply(c.Index()+1, &catalogv1.Command{RequestId: "x" + fn.GetNamespace() + fn.GetName(), Action: &catalogv1.Command_DeleteFunction{
				DeleteFunction: &catalogv1.DeleteFunction{Namespace: fn.GetNamespace(), Name: fn.GetName()},
			}})
		}
		checkSum(t, c)
	})
}
