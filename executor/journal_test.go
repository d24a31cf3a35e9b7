package executor

import (
	"bytes"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"
)

func TestLogging(t *testing.T) {
	g := newGuest(t, Config{}, Limits{})
	if _, err := g.call(t.Context(), "Log", 0); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, l := range g.lines.all() {
		if l.Key != g.rev.Key || l.CallID != "call-1" || l.Stream != StreamLogging || l.Level != "warn" || l.Context != "context" {
			t.Errorf("line is %+v", l)
		}
		got = append(got, l.Message)
	}
	if want := []string{"first", "second"}; !slices.Equal(got, want) {
		t.Errorf("lines are %q, want %q", got, want)
	}
}

// TestFlood has a guest print 100 MB.
func TestFlood(t *testing.T) {
	g := newGuest(t, Config{}, Limits{Timeout: 5 * time.Minute})
	if _, err := g.call(t.Context(), "Print", 1); err != nil {
		t.Fatal(err)
	}
	lines := g.lines.all()
	if len(lines) != 500 || lines[0].Message != "xxxxxxx" || lines[0].Stream != StreamStdout || lines[0].CallID != "call-1" {
		t.Fatalf("%d lines, the first %+v", len(lines), lines[0])
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := g.call(t.Context(), "Print", 25_000); err != nil {
		t.Fatal(err)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 16<<20 {
		t.Errorf("the heap has grown by %d bytes", grown)
	}
	notice := g.lines.wait(t, func(l Line) bool { return l.Stream == StreamWeft })
	if !strings.HasPrefix(notice.Message, "dropped ") || notice.Level != "warn" {
		t.Errorf("the notice is %+v", notice)
	}
	lines = g.lines.all()
	took := lines[len(lines)-1].Time.Sub(lines[0].Time)
	if n := float64(len(lines)); n > lineBurst+lineRate*(took.Seconds()+1) {
		t.Errorf("%v lines were let through in %v", n, took)
	}
	g.works()
}

// TestOutputLines checks how what is printed becomes lines, however it is cut into writes.
func TestOutputLines(t *testing.T) {
	long := strings.Repeat("a", maxLine)
	wide := strings.Repeat("é", maxLine/2)
	for _, c := range []struct {
		name, text string
		want       []string
	}{
		{"two lines", "one\ntwo\n", []string{"one", "two"}},
		{"no end", "one\ntwo", []string{"one", "two"}},
		{"empty lines", "\n\none\n", []string{"", "", "one"}},
		{"carriage return", "one\r\ntwo\r\n", []string{"one", "two"}},
		{"not UTF-8", "a\xffb\n", []string{"a\uFFFDb"}},
		{"just fits", long + "\nb\n", []string{long, "b"}},
		{"too long", long + "b\nc\n", []string{long, "b", "c"}},
		{"far too long", long + long + "b", []string{long, long, "b"}},
		{"cut between characters", "x" + wide + "y\n", []string{"x" + wide[:len(wide)-2], "éy"}},
	} {
		for _, size := range []int{1, 2, 7, 4096, 1 << 20} {
			t.Run(fmt.Sprintf("%s by %d", c.name, size), func(t *testing.T) {
				var lines journalLines
				out := newOutput(newJournal(Key{}, lines.add, func(int) { t.Error("dropped") }), "")
				for part := range slices.Chunk([]byte(c.text), size) {
					out.writeStdout(bytes.Clone(part))
				}
				out.close()
				var got []string
				for _, l := range lines.all() {
					if !utf8.ValidString(l.Message) {
						t.Errorf("%q is not UTF-8", l.Message)
					}
					got = append(got, l.Message)
				}
				if !slices.Equal(got, c.want) {
					t.Errorf("lines are %.100q, want %.100q", got, c.want)
				}
			})
		}
	}
}

// TestRate checks that a journal takes its rate in the long run, and says how much it has dropped.
func TestRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var lines journalLines
		dropped := 0
		g := newJournal(Key{Function: "f"}, lines.add, func(n int) { dropped += n })
		for range lineBurst + 100 {
			g.weft("", "info", "x")
		}
		if n := len(lines.all()); n != lineBurst || dropped != 100 {
			t.Errorf("%d lines at once, %d dropped; want %d and 100", n, dropped, lineBurst)
		}
		time.Sleep(dropNotice)
		synctest.Wait()
		all := lines.all()
		if last := all[len(all)-1]; !strings.HasPrefix(last.Message, "dropped 100 lines") || last.Key.Function != "f" {
			t.Errorf("the notice is %+v", last)
		}
		for range 2 * lineRate {
			g.weft("", "info", "x")
		}
		if n := len(lines.all()) - len(all); n != lineRate {
			t.Errorf("%d lines after a second, want %d", n, lineRate)
		}
		g.close()
		all = lines.all()
		if last := all[len(all)-1]; !strings.HasPrefix(last.Message, fmt.Sprintf("dropped %d lines", lineRate)) {
			t.Errorf("a closed journal's notice is %+v", last)
		}
	})
}

// TestCutMiddle keeps both ends of a text, and whole characters.
func TestCutMiddle(t *testing.T) {
	text := "begin " + strings.Repeat("ü", 50) + " end"
	for size := 30; size < len(text)+3; size++ {
		got := cutMiddle(text, size)
		if size >= len(text) != (got == text) || len(got) > size || !utf8.ValidString(got) || !strings.HasPrefix(got, "begin ") ||
			!strings.HasSuffix(got, " end") {
			t.Errorf("%d bytes: %q", size, got)
		}
	}
	if got := cutMiddle("a\xff", 9); got != "a\uFFFD" {
		t.Errorf("%q", got)
	}
}
