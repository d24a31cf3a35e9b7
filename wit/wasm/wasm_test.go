package wasm_test

import (
	"math"
	"testing"

	"github.com/weft-run/weft/wit/wasm"
)

func TestNumbers(t *testing.T) {
	for n, want := range map[int]string{0: "\x00", 127: "\x7f", 128: "\x80\x01", 624485: "\xe5\x8e\x26"} {
		if got := wasm.Uint(n); got != want {
			t.Errorf("%d without a sign is %x, want %x", n, got, want)
		}
	}
	for n, want := range map[int64]string{
		0: "\x00", 63: "\x3f", 64: "\xc0\x00", -1: "\x7f", -64: "\x40", -65: "\xbf\x7f", -123456: "\xc0\xbb\x78",
		math.MinInt64: "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x7f", math.MaxInt64: "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x00",
	} {
		if got := wasm.Int(n); got != want {
			t.Errorf("%d is %x, want %x", n, got, want)
		}
	}
}

func TestSection(t *testing.T) {
	if got, want := wasm.Section(7, wasm.Sized("m")+"\x02\x00", wasm.Sized("f")+"\x00\x01"), "\x07\x09\x02\x01m\x02\x00\x01f\x00\x01"; got != want {
		t.Errorf("got %x, want %x", got, want)
	}
}
