package main

import (
	"fmt"
	"io"
	"os"
	"strings"
)

// progress is a bar on a terminal; on anything else it is silent.
type progress struct {
	w     io.Writer // nil if silent
	total int64     // 0 if not known
	done  string    // what was done with the bytes so far: "uploaded"
	then  string    // what happens when all are through
	shown string
}

// progress makes the bar of a file that is read.
func (a *app) progress(file *os.File, done, then string) *progress {
	p := a.bar(done, then)
	if info, err := file.Stat(); err == nil && info.Mode().IsRegular() {
		p.total = info.Size()
	}
	return p
}

// bar makes a bar whose total is not known yet.
func (a *app) bar(done, then string) *progress {
	p := &progress{done: done, then: then}
	if !a.json && terminal(a.err) {
		p.w = a.err
	}
	return p
}

func (p *progress) update(sent int64) {
	if p.w == nil {
		return
	}
	text := bytesText(uint64(sent)) + " " + p.done
	if p.total > 0 {
		const width = 30
		done := int(min(sent, p.total) * width / p.total)
		text = fmt.Sprintf("%s%s %3d%% of %s", strings.Repeat("█", done), strings.Repeat("░", width-done),
			min(sent, p.total)*100/p.total, bytesText(uint64(p.total)))
		if sent >= p.total {
			text = p.then
		}
	}
	if text != p.shown {
		_, _ = fmt.Fprintf(p.w, "\r\033[K%s", text)
		p.shown = text
	}
}

func (p *progress) clear() {
	if p.w != nil && p.shown != "" {
		_, _ = fmt.Fprint(p.w, "\r\033[K")
	}
}
