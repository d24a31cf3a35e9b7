package doc

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// kind is the kind of a token. Punctuation has its own character as its kind.
type kind rune

const (
	end kind = -1 - iota
	ident
	integer
	text  // a string literal
	arrow // ->
)

// token is a lexical token with the doc comments in front of it.
type token struct {
	kind kind
	// text is an identifier without %, or an integer's digits.
	text string
	// escaped is true for an identifier with %.
	escaped bool
	// start and end are byte offsets.
	start, end int
	docs       []string
}

// lexer cuts a file into tokens. Its methods fail by panicking with *Error, which Parse recovers.
type lexer struct {
	file string
	src  string
	pos  int
}

// fail reports an error at a byte offset.
func (l *lexer) fail(pos int, format string, args ...any) {
	panic(errorAt(l.file, l.src, pos, fmt.Sprintf(format, args...)))
}

// errorAt makes the error at a byte offset of a file.
func errorAt(file, src string, pos int, msg string) *Error {
	before := src[:pos]
	line := strings.Count(before, "\n")
	column := utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:])
	return &Error{File: file, Line: line + 1, Column: column + 1, Msg: msg}
}

// check refuses text that is not UTF-8, and characters that would show another text than the one that is read.
func (l *lexer) check() {
	for pos, r := range l.src {
		switch {
		case r == utf8.RuneError:
			if _, size := utf8.DecodeRuneInString(l.src[pos:]); size == 1 {
				l.fail(pos, "the text is not UTF-8")
			}
		case r == '\n' || r == '\r' || r == '\t':
		case unicode.IsControl(r) || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069:
			l.fail(pos, "control character %U is not allowed", r)
		}
	}
	l.src = strings.TrimPrefix(l.src, "\ufeff")
}

// next returns the next token with the doc comments before it.
func (l *lexer) next() token {
	docs := l.space()
	t := token{start: l.pos, docs: docs}
	if l.pos == len(l.src) {
		t.kind, t.end = end, l.pos
		return t
	}
	switch c := l.src[l.pos]; {
	case strings.HasPrefix(l.src[l.pos:], "->"):
		t.kind = arrow
		l.pos += 2
	case c == '%' || isWord(c) && !isDigit(c):
		t.kind, t.escaped = ident, c == '%'
		if t.escaped {
			l.pos++
		}
		t.text = l.while(isWord)
		l.checkName(t.start, t.text)
	case isDigit(c):
		t.kind, t.text = integer, l.while(isDigit)
	case c == '"':
		t.kind = text
		l.literal()
	case strings.IndexByte("=,:.;(){}<>@/*+", c) >= 0:
		t.kind = kind(c)
		l.pos++
	default:
		r, _ := utf8.DecodeRuneInString(l.src[l.pos:])
		l.fail(l.pos, "unexpected character %q", r)
	}
	t.end = l.pos
	return t
}

// space skips white space and comments and returns the lines of the doc comments among them.
func (l *lexer) space() []string {
	var docs, run []string // run holds adjacent /// lines
	for l.pos < len(l.src) {
		rest := l.src[l.pos:]
		switch {
		case strings.HasPrefix(rest, "//"):
			line, _, _ := strings.Cut(rest, "\n")
			l.pos += len(line)
			if strings.HasPrefix(line, "///") && !strings.HasPrefix(line, "////") {
				run = append(run, line[3:])
			}
		case strings.HasPrefix(rest, "/*"):
			l.block()
			comment := l.src[len(l.src)-len(rest) : l.pos]
			if len(comment) > len("/**/") && comment[2] == '*' && comment[3] != '*' {
				docs = append(append(docs, dedent(run)...), blockLines(comment[3:len(comment)-2])...)
				run = nil
			}
		case strings.IndexByte(" \t\r\n", rest[0]) >= 0:
			l.pos++
		default:
			return append(docs, dedent(run)...)
		}
	}
	return append(docs, dedent(run)...)
}

// block skips a block comment. Block comments nest.
func (l *lexer) block() {
	start := l.pos
	for depth := 0; ; {
		rest := l.src[l.pos:]
		switch {
		case rest == "":
			l.fail(start, "this comment does not end")
		case strings.HasPrefix(rest, "/*"):
			depth++
			l.pos += 2
		case strings.HasPrefix(rest, "*/"):
			depth--
			l.pos += 2
			if depth == 0 {
				return
			}
		default:
			l.pos++
		}
	}
}

// literal skips a string literal.
func (l *lexer) literal() {
	start := l.pos
	for l.pos++; l.pos < len(l.src); l.pos++ {
		switch l.src[l.pos] {
		case '\n':
			l.fail(start, "this string does not end")
		case '\\':
			l.pos++
		case '"':
			l.pos++
			return
		}
	}
	l.pos = len(l.src)
	l.fail(start, "this string does not end")
}

// version reads a semantic version at an offset and sets the position after it. A dot ends it where no identifier
// follows, as in `use a:b/c@1.0.0.{d}`.
func (l *lexer) version(start int) {
	l.pos = start
	for part := range 3 {
		if part > 0 {
			if !strings.HasPrefix(l.src[l.pos:], ".") {
				l.fail(start, "expected a version such as 1.2.0")
			}
			l.pos++
		}
		if digits := l.while(isDigit); digits == "" || len(digits) > 1 && digits[0] == '0' {
			l.fail(start, "expected a version such as 1.2.0")
		}
	}
	for _, sign := range []byte("-+") {
		if l.pos == len(l.src) || l.src[l.pos] != sign {
			continue
		}
		l.pos++
		if l.while(isVersionWord) == "" {
			l.fail(start, "expected an identifier after %q in the version", sign)
		}
		for l.pos+1 < len(l.src) && l.src[l.pos] == '.' && isVersionWord(l.src[l.pos+1]) {
			l.pos++
			l.while(isVersionWord)
		}
	}
}

// while skips bytes as long as ok holds and returns them.
func (l *lexer) while(ok func(byte) bool) string {
	start := l.pos
	for l.pos < len(l.src) && ok(l.src[l.pos]) {
		l.pos++
	}
	return l.src[start:l.pos]
}

// checkName checks the form of an identifier: words of one case, joined by "-", the first of which begins with a letter.
func (l *lexer) checkName(pos int, name string) {
	if name == "_" {
		return
	}
	for i, word := range strings.Split(name, "-") {
		switch {
		case word == "":
			l.fail(pos, "identifier %q has an empty word", name)
		case i == 0 && isDigit(word[0]):
			l.fail(pos, "identifier %q begins with a digit", name)
		case strings.Contains(word, "_"):
			l.fail(pos, "identifier %q has an underscore; WIT joins words with -", name)
		case word != strings.ToLower(word) && word != strings.ToUpper(word):
			l.fail(pos, "identifier %q mixes cases in a word; WIT joins words with -", name)
		}
	}
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isVersionWord(c byte) bool {
	return isDigit(c) || c == '-' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

func isWord(c byte) bool { return isVersionWord(c) || c == '_' }
