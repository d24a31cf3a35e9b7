package main

import (
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/weft-run/weft/test/components/conformance-go/gen/test/conformance/hostile"
)

const line = "The quick brown fox jumps over the lazy dog and goes on like that.\n"

// misdeeds is what a function should not do.
type misdeeds struct{}

func (misdeeds) Panic(message string) { panic(message) }

func (misdeeds) EndlessLoop() {
	for turns := uint64(0); ; turns++ {
		sink = turns
	}
}

// sink keeps the compiler from leaving out what nobody looks at.
var sink uint64

func (misdeeds) EndlessRecursion() uint64 { return descend(0) }

func descend(depth uint64) uint64 { return descend(depth+1) + depth }

func (misdeeds) EndlessGrowth() {
	var held [][]byte
	for {
		held = append(held, []byte(strings.Repeat("x", 1<<20)))
		sink = uint64(len(held))
	}
}

func (misdeeds) Print(bytes uint64) {
	for left := bytes; left > 0; {
		length := min(left, uint64(len(line)))
		// Whoever reads may stop; then there is nothing left to do.
		if _, err := os.Stdout.WriteString(line[uint64(len(line))-length:]); err != nil {
			return
		}
		left -= length
	}
}

func (misdeeds) Sleep(seconds uint64) { time.Sleep(time.Duration(seconds) * time.Second) }

func (misdeeds) Exit(status uint8) { os.Exit(int(status)) }

func (misdeeds) Response(bytes uint64) []byte { return []byte(strings.Repeat("x", int(bytes))) }

func (misdeeds) Text(characters uint64) string { return strings.Repeat("x", int(characters)) }

func (misdeeds) Rows(count uint32) []hostile.Row {
	rows := make([]hostile.Row, count)
	for at := range rows {
		rows[at] = hostile.Row{ID: uint64(at), Name: fmt.Sprintf("row %d", at), Active: at%2 == 0}
	}
	return rows
}
