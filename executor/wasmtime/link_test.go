//go:build !wasmtime_lts

package wasmtime

import (
	"path/filepath"
	"runtime"
	"testing"
)

// engineHeaders returns the compiler's flags for the engine's headers, and a text that includes what api.h does not
// declare.
func engineHeaders(t testing.TB) (flags []string, more string) {
	t.Helper()
	return []string{"-I", filepath.Join(moduleDir(t), "build", "include")}, ""
}

// engineLink returns the linker's flags for the engine, and the C file that stands on it.
func engineLink(t testing.TB) (flags []string, file string) {
	t.Helper()
	arch := map[string]string{"amd64": "x86_64", "arm64": "aarch64"}[runtime.GOARCH]
	return []string{"-L" + filepath.Join(moduleDir(t), "build", runtime.GOOS+"-"+arch), "-lwasmtime"}, "stock.c"
}
