//go:build !wasmtime_lts

package wasmtime

import (
	"strings"
	"testing"
)

func TestCallBytesRefused(t *testing.T) {
	_, err := instance(t, prepare(t, talker, nil, "run"), InstanceConfig{}).CallBytes(0, ReturnsBytes, nil)
	if err == nil || !strings.Contains(err.Error(), "no calls of bytes") {
		t.Errorf("error is %v", err)
	}
}
