package main

import (
	"crypto/rand"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/weft-run/weft/test/components/conformance-go/gen/guest"
	"github.com/weft-run/weft/test/components/conformance-go/gen/wasi/logging/logging"
)

// surroundings tells what the host gives.
type surroundings struct {
	calls uint32
}

func (*surroundings) Environment() []guest.Tuple2[string, string] {
	var list []guest.Tuple2[string, string]
	for _, entry := range os.Environ() {
		name, value, _ := strings.Cut(entry, "=")
		list = append(list, guest.Tuple2[string, string]{F0: name, F1: value})
	}
	return list
}

func (*surroundings) Arguments() []string { return os.Args }

func (*surroundings) Now() uint64 { return uint64(time.Now().UnixMilli()) }

func (*surroundings) Random(bytes uint32) []byte {
	data := make([]byte, bytes)
	_, _ = rand.Read(data) // never fails
	return data
}

func (*surroundings) Print(stdout, stderr string) {
	fmt.Println(stdout)
	fmt.Fprintln(os.Stderr, stderr)
}

func (*surroundings) Log(context, message string) {
	for level := logging.LevelTrace; level <= logging.LevelCritical; level++ {
		logging.Log(level, context, message)
	}
}

func (*surroundings) Open(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	return file.Close()
}

func (s *surroundings) Count() uint32 {
	s.calls++
	return s.calls
}
