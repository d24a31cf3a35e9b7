package doc

// Token is a piece of WIT text, for those who read what it declares.
type Token struct {
	// Text is a punctuation mark, "->", a word without its %, a number, or a version after @ or =. It is empty at the end of the
	// file and for a string.
	Text string
	// Word is true for identifiers and keywords.
	Word bool
	// Escaped is true for an identifier with %, which is no keyword.
	Escaped bool

	offset int
}

// Tokens cuts a file into tokens, the last of which is empty. It returns an *[Error] for what is not WIT.
func Tokens(path, src string) (tokens []Token, err error) {
	defer func() {
		if r := recover(); r != nil {
			e, ok := r.(*Error)
			if !ok {
				panic(r)
			}
			tokens, err = nil, e
		}
	}()
	l := lexer{file: path, src: src}
	l.check()
	for {
		t := l.next()
		last := ""
		if n := len(tokens); n > 0 {
			last = tokens[n-1].Text
		}
		if t.kind == integer && (last == "@" || last == "=") {
			l.version(t.start)
			t.end = l.pos
		}
		token := Token{Text: l.src[t.start:t.end], offset: t.start}
		switch t.kind {
		case ident:
			token.Text, token.Word, token.Escaped = t.text, true, t.escaped
		case text:
			token.Text = ""
		}
		tokens = append(tokens, token)
		if t.kind == end {
			return tokens, nil
		}
	}
}

// ErrorAt makes the error at a token of a file.
func ErrorAt(path, src string, t Token, msg string) *Error {
	return errorAt(path, src, min(t.offset, len(src)), msg)
}

// Keyword tells whether a token is a keyword, which can not be a name.
func (t Token) Keyword() bool { return t.Word && !t.Escaped && keywords[t.Text] }
