package executor

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// What one revision may log. What is beyond it is dropped, and a line says how much.
const (
	maxLine    = 8 << 10 // bytes of one line
	maxContext = 256     // bytes of a context

	lineRate, lineBurst = 1000, 4000         // lines a second, and at once
	byteRate, byteBurst = 256 << 10, 1 << 20 // bytes a second, and at once

	// dropNotice is how long after the first dropped line the line about it comes.
	dropNotice = time.Second
)

// journal is the log of one revision on this node. It is safe for concurrent use.
type journal struct {
	key     Key
	log     func(Line) // nil: nobody listens
	dropped func(lines int)

	mu     sync.Mutex
	lines  bucket
	bytes  bucket
	missed int // lines dropped since the last notice
	due    *time.Timer
}

// bucket is a token bucket.
type bucket struct {
	rate, burst float64
	tokens      float64
	at          time.Time
}

func (b *bucket) fill(now time.Time) {
	if b.at.IsZero() {
		b.tokens = b.burst
	} else {
		b.tokens = min(b.burst, b.tokens+b.rate*now.Sub(b.at).Seconds())
	}
	b.at = now
}

func newJournal(key Key, log func(Line), dropped func(lines int)) *journal {
	return &journal{key: key, log: log, dropped: dropped,
		lines: bucket{rate: lineRate, burst: lineBurst}, bytes: bucket{rate: byteRate, burst: byteBurst}}
}

// admit tells whether a line may be written.
func (g *journal) admit(now time.Time, size int) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.lines.fill(now)
	g.bytes.fill(now)
	if g.lines.tokens >= 1 && g.bytes.tokens >= float64(size) {
		g.lines.tokens--
		g.bytes.tokens -= float64(size)
		return true
	}
	g.dropped(1)
	if g.missed++; g.missed == 1 {
		g.due = time.AfterFunc(dropNotice, g.notice)
	}
	return false
}

// notice writes how many lines were dropped.
func (g *journal) notice() {
	g.mu.Lock()
	n := g.missed
	g.missed = 0
	g.mu.Unlock()
	if n == 0 {
		return
	}
	g.log(Line{Key: g.key, Time: time.Now(), Stream: StreamWeft, Level: "warn", Message: fmt.Sprintf(
		"dropped %d lines: a function may log %d lines and %d KiB a second", n, lineRate, byteRate>>10)})
}

// close writes the notice that is due.
func (g *journal) close() {
	g.mu.Lock()
	due := g.due
	g.mu.Unlock()
	if due != nil && due.Stop() {
		g.notice()
	}
}

// write writes text, which is not kept, as one line or more.
func (g *journal) write(line Line, text []byte) {
	for {
		end := bytes.IndexByte(text, '\n')
		if end < 0 {
			end = len(text)
		}
		n := fit(text[:end])
		g.line(line, text[:n])
		if n == end {
			n = min(n+1, len(text))
		}
		if text = text[n:]; len(text) == 0 {
			return
		}
	}
}

// line writes one line, if the journal has room for it.
func (g *journal) line(line Line, text []byte) {
	if g.log == nil {
		return
	}
	line.Key, line.Time = g.key, time.Now()
	if g.admit(line.Time, len(text)) {
		text = bytes.TrimSuffix(text, []byte{'\r'})
		line.Message = strings.ToValidUTF8(string(text), "\uFFFD")
		g.log(line)
	}
}

// weft writes a line of weft's own about a call.
func (g *journal) weft(callID, level, text string) {
	g.write(Line{CallID: callID, Stream: StreamWeft, Level: level}, []byte(text))
}

// fit gives how much of text fits a line, cut between characters.
func fit(text []byte) int {
	if len(text) <= maxLine {
		return len(text)
	}
	for n := maxLine; n > maxLine-utf8.UTFMax; n-- {
		if utf8.RuneStart(text[n]) {
			return n
		}
	}
	return maxLine
}

// cutText shortens text to size bytes, between characters, and makes it valid UTF-8.
func cutText(text string, size int) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	if len(text) <= size {
		return text
	}
	for size > 0 && !utf8.RuneStart(text[size]) {
		size--
	}
	return text[:size]
}

// cutMiddle is cutText that leaves out the middle: where calls failed one for the other, the cause is at the end.
func cutMiddle(text string, size int) string {
	const left = " … "
	text = strings.ToValidUTF8(text, "\uFFFD")
	if len(text) <= size {
		return text
	}
	end := len(text) - (size-len(left))/2
	for !utf8.RuneStart(text[end]) {
		end++
	}
	return cutText(text, size-len(left)-(len(text)-end)) + left + text[end:]
}

// output takes what one call prints. It is used by the goroutine of that call only.
type output struct {
	journal        *journal
	callID         string
	stdout, stderr stream
}

// stream is stdout or stderr: what was printed since the last line end.
type stream struct {
	name    string
	partial []byte
	// tail is the end of what was printed, where allocators say that memory is out.
	tail []byte
}

// maxTail is how much of the end of stderr is kept during a call.
const maxTail = 1 << 10

func newOutput(g *journal, callID string) output {
	return output{journal: g, callID: callID, stdout: stream{name: StreamStdout}, stderr: stream{name: StreamStderr}}
}

func (o *output) writeStdout(p []byte) { o.print(&o.stdout, p) }

func (o *output) writeStderr(p []byte) {
	s := &o.stderr
	s.tail = append(s.tail, p[max(0, len(p)-maxTail):]...)
	s.tail = s.tail[max(0, len(s.tail)-maxTail):]
	o.print(s, p)
}

// print logs the lines that are complete and keeps the rest, a line at most.
func (o *output) print(s *stream, p []byte) {
	line := Line{CallID: o.callID, Stream: s.name}
	for len(p) > 0 {
		end := bytes.IndexByte(p, '\n')
		if end >= 0 && len(s.partial) == 0 && end <= maxLine {
			o.journal.line(line, p[:end])
			p = p[end+1:]
			continue
		}
		if end < 0 {
			end = len(p)
		}
		n := min(end, maxLine+1-len(s.partial))
		s.partial = append(s.partial, p[:n]...)
		whole := n == end && end < len(p) // the line's end is there
		p = p[n:]
		if !whole && len(s.partial) <= maxLine {
			return
		}
		cut := fit(s.partial)
		o.journal.line(line, s.partial[:cut])
		s.partial = s.partial[:copy(s.partial, s.partial[cut:])]
		if whole && len(s.partial) == 0 {
			p = p[1:]
		}
	}
}

// close logs what is left without a line end.
func (o *output) close() {
	for _, s := range []*stream{&o.stdout, &o.stderr} {
		if len(s.partial) > 0 {
			o.journal.write(Line{CallID: o.callID, Stream: s.name}, s.partial)
		}
	}
}
