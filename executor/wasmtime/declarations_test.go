package wasmtime

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unsafe"
)

// module is the Go module that carries the engine.
const module = "github.com/bytecodealliance/wasmtime-go/v44"

// moduleDir returns where the module's files are.
func moduleDir(t testing.TB) string {
	t.Helper()
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", module).Output()
	if err != nil {
		t.Fatalf("go list -m %s: %v", module, err)
	}
	return strings.TrimSpace(string(out))
}

// compiler returns the C compiler that cgo uses.
func compiler(t testing.TB) []string {
	t.Helper()
	out, err := exec.Command("go", "env", "CC").Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.Fields(string(out))
}

// checks are C static assertions that the layouts and numbers of this package are the engine's.
type checks struct{ strings.Builder }

func (c *checks) equal(expr string, want any) {
	fmt.Fprintf(c, "_Static_assert(%s == %d, \"%s is not %d\");\n", expr, want, expr, want)
}

func (c *checks) size(types ...string) {
	for i := 0; i < len(types); i += 2 {
		fmt.Fprintf(c, "_Static_assert(sizeof(%[1]s) == sizeof(%[2]s) && _Alignof(%[1]s) == _Alignof(%[2]s), \"%[1]s\");\n",
			types[i], types[i+1])
	}
}

func (c *checks) offset(pairs ...string) {
	for i := 0; i < len(pairs); i += 4 {
		fmt.Fprintf(c, "_Static_assert(offsetof(%s, %s) == offsetof(%s, %s), \"%s\");\n",
			pairs[i], pairs[i+1], pairs[i+2], pairs[i+3], pairs[i]+"."+pairs[i+1])
	}
}

func layouts() string {
	var c checks
	c.size("weft_bytes", "wasm_byte_vec_t", "weft_bytes", "wasm_name_t", "weft_frames", "wasm_frame_vec_t",
		"weft_val", "wasmtime_component_val_t", "weft_component_instance", "wasmtime_component_instance_t",
		"weft_component_func", "wasmtime_component_func_t", "weft_valtype", "wasmtime_component_valtype_t",
		"weft_item", "wasmtime_component_item_t", "uint8_t", "wasmtime_component_valkind_t",
		"uint8_t", "wasmtime_update_deadline_kind_t", "uint8_t", "wasmtime_trap_code_t", "uint8_t", "wasmtime_strategy_t")
	c.offset("weft_bytes", "size", "wasm_byte_vec_t", "size", "weft_bytes", "data", "wasm_byte_vec_t", "data",
		"weft_frames", "size", "wasm_frame_vec_t", "size", "weft_frames", "data", "wasm_frame_vec_t", "data",
		"weft_item", "kind", "wasmtime_component_item_t", "kind",
		"weft_item", "of.pointer", "wasmtime_component_item_t", "of.component_func",
		"weft_item", "of.pointer", "wasmtime_component_item_t", "of.component_instance")
	c.equal("WASMTIME_COMPONENT_ITEM_COMPONENT_INSTANCE - WEFT_ITEM_INSTANCE", 0)
	c.equal("WASMTIME_COMPONENT_ITEM_COMPONENT_FUNC - WEFT_ITEM_FUNC", 0)
	c.equal("WASMTIME_COMPONENT_VALTYPE_U8 - WEFT_TYPE_U8", 0)
	c.equal("WASMTIME_COMPONENT_VALTYPE_LIST - WEFT_TYPE_LIST", 0)
	c.equal("WASMTIME_UPDATE_DEADLINE_CONTINUE - WEFT_CONTINUE", 0)
	c.equal("WASMTIME_COMPONENT_LIST - WEFT_LIST", 0)
	c.equal("WASMTIME_COMPONENT_RESOURCE - WEFT_RESOURCE", 0)
	c.equal("offsetof(wasmtime_component_val_t, of.resource)", unsafe.Offsetof(slot{}.a))
	c.equal("WASMTIME_STRATEGY_CRANELIFT", 1)

	// Go's types of values.
	c.equal("sizeof(wasmtime_component_val_t)", slotSize)
	c.equal("sizeof(wasmtime_component_valrecord_entry_t)", entrySize)
	c.equal("sizeof(wasm_name_t)", nameSize)
	var s slot
	var e entry
	var n name
	a, b, d := unsafe.Offsetof(s.a), unsafe.Offsetof(s.b), unsafe.Offsetof(s.c)
	at := func(field string, want uintptr) { c.equal("offsetof(wasmtime_component_val_t, "+field+")", want) }
	at("kind", unsafe.Offsetof(s.kind))
	for _, f := range []string{"boolean", "s8", "u8", "s16", "u16", "s32", "u32", "s64", "u64", "f32", "f64", "character",
		"string.size", "enumeration.size", "list.size", "record.size", "tuple.size", "flags.size",
		"variant.discriminant.size", "option", "result.is_ok"} {
		at("of."+f, a)
	}
	for _, f := range []string{"string.data", "enumeration.data", "list.data", "record.data", "tuple.data", "flags.data",
		"variant.discriminant.data", "result.val"} {
		at("of."+f, b)
	}
	at("of.variant.val", d)
	c.equal("offsetof(wasmtime_component_valrecord_entry_t, name)", unsafe.Offsetof(e.name))
	c.equal("offsetof(wasmtime_component_valrecord_entry_t, val)", unsafe.Offsetof(e.val))
	c.equal("offsetof(wasm_name_t, size)", unsafe.Offsetof(n.size))
	c.equal("offsetof(wasm_name_t, data)", unsafe.Offsetof(n.data))
	c.equal("sizeof(((wasmtime_component_valrecord_t *)0)->data[0])", entrySize)
	for k, word := range kindNames {
		c.equal("WASMTIME_COMPONENT_"+strings.ToUpper(word), k)
	}
	for code, kind := range map[string]TrapKind{
		"STACK_OVERFLOW": TrapStackOverflow, "MEMORY_OUT_OF_BOUNDS": TrapMemoryOutOfBounds,
		"HEAP_MISALIGNED": TrapHeapMisaligned, "TABLE_OUT_OF_BOUNDS": TrapTableOutOfBounds,
		"INDIRECT_CALL_TO_NULL": TrapIndirectCallNull, "BAD_SIGNATURE": TrapBadSignature,
		"INTEGER_OVERFLOW": TrapIntegerOverflow, "INTEGER_DIVISION_BY_ZERO": TrapDivisionByZero,
		"BAD_CONVERSION_TO_INTEGER": TrapBadConversion, "UNREACHABLE_CODE_REACHED": TrapUnreachable,
		"INTERRUPT": TrapInterrupted, "ALLOCATION_TOO_LARGE": TrapAllocationTooBig,
		"CANNOT_ENTER_COMPONENT": TrapCannotEnter, "CANNOT_LEAVE_COMPONENT": TrapCannotLeave,
		"INVALID_CHAR": TrapInvalidChar, "STRING_OUT_OF_BOUNDS": TrapStringOutOfBounds,
		"LIST_OUT_OF_BOUNDS": TrapListOutOfBounds, "INVALID_DISCRIMINANT": TrapDiscriminant,
		"UNALIGNED_POINTER": TrapUnalignedPointer,
	} {
		c.equal("WASMTIME_TRAP_CODE_"+code, kind)
	}
	return c.String()
}

// checkC compiles a unit of wasmtime's headers, ours and some more text.
func checkC(t *testing.T, api, more string) (string, error) {
	t.Helper()
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	cc := compiler(t)
	flags, _ := engineHeaders(t)
	args := append(cc[1:], "-std=gnu11", "-fsyntax-only", "-Wall", "-Werror", "-I", here, "-x", "c", "-")
	args = append(args, flags...)
	cmd := exec.Command(cc[0], args...)
	cmd.Stdin = strings.NewReader("#include <stddef.h>\n#include <wasm.h>\n#include <wasi.h>\n#include <wasmtime.h>\n" +
		"#include <wasmtime/component.h>\n" + api + "\n" + more)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// TestDeclarations compiles this package's declarations together with the headers of the linked engine: a prototype, a layout or a number that differs does not compile.
func TestDeclarations(t *testing.T) {
	_, more := engineHeaders(t)
	version := fmt.Sprintf("_Static_assert(__builtin_strcmp(WASMTIME_VERSION, %q) == 0, \"Version is not \" WASMTIME_VERSION);", Version)
	if out, err := checkC(t, `#include "api.h"`, more+version+layouts()); err != nil {
		t.Fatalf("api.h and wasmtime's headers differ:\n%s", out)
	}
	header, err := os.ReadFile("api.h")
	if err != nil {
		t.Fatal(err)
	}
	// The check itself must notice a change.
	for _, change := range [][2]string{
		{"void wasmtime_store_limiter(wasmtime_store_t *, int64_t,", "void wasmtime_store_limiter(wasmtime_store_t *, int32_t,"},
		{"bool wasmtime_trap_code(", "int wasmtime_trap_code("},
		{"  uint64_t of[3];", "  uint64_t of[4];"},
		{"WEFT_ITEM_FUNC = 3", "WEFT_ITEM_FUNC = 2"},
	} {
		changed := strings.Replace(string(header), change[0], change[1], 1)
		if changed == string(header) {
			t.Fatalf("api.h has no %q", change[0])
		}
		if _, err := checkC(t, changed, layouts()); err == nil {
			t.Errorf("%q was not noticed", change[1])
		}
	}
}

// TestCompleteTypes compiles the size of each C type that an address in Go's memory is converted to a pointer of: Go does not correct a pointer
// to an incomplete type when it moves what it points to, and does not keep that alive.
func TestCompleteTypes(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	conversion := regexp.MustCompile(`\(\*+C\.(\w+)\)\(unsafe\.Pointer\(`)
	unit, found := "#include \"weft.h\"\n", 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range conversion.FindAllStringSubmatch(string(text), -1) {
			unit += fmt.Sprintf("_Static_assert(sizeof(%s) > 0, \"%s\");\n", strings.Replace(match[1], "struct_", "struct ", 1), file)
			found++
		}
	}
	if found < 5 {
		t.Errorf("%d conversions; were they found?", found)
	}
	cc := compiler(t)
	cmd := exec.Command(cc[0], append(cc[1:], "-std=gnu11", "-fsyntax-only", "-I", ".", "-x", "c", "-")...)
	cmd.Stdin = strings.NewReader(unit)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestCWarnings compiles our C with more warnings than a user's build has.
func TestCWarnings(t *testing.T) {
	files, err := filepath.Glob("*.c")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	cc := compiler(t)
	args := append(cc[1:], "-std=gnu11", "-fsyntax-only", "-Wall", "-Wextra", "-Werror", "-Wno-unused-parameter", "-I", ".")
	args = append(append(args, files...), "testdata/baseline/main.c")
	if out, err := exec.Command(cc[0], args...).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
