package wasmtime

import (
	"bytes"
	"errors"
	"sync"
	"testing"
)

func TestSettersRefuse(t *testing.T) {
	a := NewArena()
	defer a.Free()
	v := a.Args(1).At(0)
	for _, bad := range []string{"\xff", "a\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82"} {
		if err := a.SetString(v, []byte(bad)); !errors.Is(err, ErrNotUTF8) {
			t.Errorf("string %q: %v", bad, err)
		}
		if _, err := NewNames([]string{"ok", bad}); !errors.Is(err, ErrNotUTF8) {
			t.Errorf("name %q: %v", bad, err)
		}
	}
	for _, bad := range []rune{-1, 0xd800, 0xdfff, 0x110000} {
		if err := a.SetChar(v, bad); !errors.Is(err, ErrNotScalar) {
			t.Errorf("char %x: %v", bad, err)
		}
	}
	if v.Kind() != KindBool || v.Bool() {
		t.Error("a setter that failed changed the value")
	}
}

func TestNames(t *testing.T) {
	many := make([]string, 300)
	for i := range many {
		many[i] = string(rune('a'+i%26)) + string(rune('0'+i/26))
	}
	for _, names := range [][]string{nil, {"a"}, {"a", "b-c", ""}, many} {
		n, err := NewNames(names)
		if err != nil {
			t.Fatal(err)
		}
		if n.Len() != len(names) || n.Index([]byte("none")) != -1 {
			t.Errorf("%d names, %q at %d", n.Len(), "none", n.Index([]byte("none")))
		}
		for i, s := range names {
			if n.Index([]byte(s)) != i || n.Name(i) != s {
				t.Errorf("%q is at %d, not %d", s, n.Index([]byte(s)), i)
			}
		}
		n.Close()
		n.Close()
	}
}

func TestUnknownNames(t *testing.T) {
	a := NewArena()
	defer a.Free()
	have, err := NewNames([]string{"x", "y"})
	if err != nil {
		t.Fatal(err)
	}
	defer have.Close()
	want, err := NewNames([]string{"y"})
	if err != nil {
		t.Fatal(err)
	}
	defer want.Close()
	v := a.Args(1).At(0)
	a.SetEnum(v, have, 0)
	if i := v.Enum(want); i != -1 {
		t.Errorf("enum is %d", i)
	}
	a.SetVariant(v, have, 1, false)
	if i, _, has := v.Variant(want); i != 0 || has {
		t.Errorf("variant is %d, payload %v", i, has)
	}
	a.SetFlags(v, have, func(int) bool { return true })
	var flags []int
	v.Flags(want, func(i int) { flags = append(flags, i) })
	if len(flags) != 2 || flags[0] != -1 || flags[1] != 0 {
		t.Errorf("flags are %v", flags)
	}
}

func TestArenaReuse(t *testing.T) {
	a := NewArena()
	big := bytes.Repeat([]byte{7}, 100_000)
	a.SetBytes(a.Args(2).At(1), big)
	if got := a.args.At(1).U8s(nil); !bytes.Equal(got, big) {
		t.Error("bytes differ")
	}
	if a.Size() < 3_200_000 || len(a.chunks) < 2 {
		t.Errorf("%d bytes in %d chunks", a.Size(), len(a.chunks))
	}
	a.Reset()
	if a.Size() != 0 || len(a.chunks) != 1 || a.args.Len() != 0 {
		t.Errorf("after Reset: %d bytes in %d chunks", a.Size(), len(a.chunks))
	}
	if v := a.Args(1).At(0); v.Kind() != KindBool || v.Bool() {
		t.Error("a value of the arena's last user is there")
	}
	a.Free()
	a.Free()
}

func TestArenaConcurrency(t *testing.T) {
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			var held []*Arena
			for range effort(200) {
				a := NewArena()
				if err := a.SetString(a.Args(1).At(0), bytes.Repeat([]byte{byte('a' + g)}, 100)); err != nil {
					t.Error(err)
				}
				held = append(held, a)
			}
			for _, a := range held {
				if got := a.args.At(0).Bytes(); len(got) != 100 || got[0] != byte('a'+g) || got[99] != byte('a'+g) {
					t.Errorf("string is %q", got)
				}
				a.Free()
			}
		})
	}
	wg.Wait()
}

func TestKindErrors(t *testing.T) {
	a := NewArena()
	defer a.Free()
	v := a.Args(1).At(0)
	a.SetU64(v, 1<<63)
	n, err := NewNames([]string{"x"})
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	for want, read := range map[Kind]func(){
		KindBool: func() { v.Bool() }, KindS8: func() { v.S8() }, KindU8: func() { v.U8() }, KindS16: func() { v.S16() },
		KindU16: func() { v.U16() }, KindS32: func() { v.S32() }, KindU32: func() { v.U32() }, KindS64: func() { v.S64() },
		KindF32: func() { v.F32() }, KindF64: func() { v.F64() }, KindChar: func() { v.Char() }, KindString: func() { v.Bytes() },
		KindList: func() { v.List() }, KindRecord: func() { v.Fields() }, KindTuple: func() { v.Tuple() },
		KindVariant: func() { v.Variant(n) }, KindEnum: func() { v.Enum(n) }, KindOption: func() { v.Option() },
		KindResult: func() { v.Result() }, KindFlags: func() { v.Flags(n, func(int) {}) },
	} {
		func() {
			defer func() {
				if e, ok := recover().(*KindError); !ok || e.Want != want || e.Have != KindU64 {
					t.Errorf("%v: recovered %v", want, e)
				}
			}()
			read()
		}()
	}
	a.SetU8(a.SetList(v, 1).At(0), 1)
	if got := v.U8s([]byte{9}); !bytes.Equal(got, []byte{9, 1}) {
		t.Errorf("bytes are %v", got)
	}
	defer func() {
		if e, ok := recover().(*KindError); !ok || e.Want != KindU8 || e.Have != KindBool {
			t.Errorf("recovered %v", e)
		}
	}()
	a.SetList(v, 1)
	v.U8s(nil)
}
