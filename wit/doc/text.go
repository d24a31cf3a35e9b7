package doc

import "strings"

// blockLines returns the lines inside a block comment, without its column of stars and its indentation.
func blockLines(s string) []string {
	lines := strings.Split(s, "\n")
	first, rest := strings.TrimSpace(lines[0]), lines[1:]
	stars := true
	for i, line := range rest {
		rest[i] = strings.TrimRight(line, " \t\r")
		trimmed := strings.TrimLeft(rest[i], " \t")
		stars = stars && (trimmed == "" || trimmed[0] == '*')
	}
	if stars {
		for i, line := range rest {
			rest[i] = strings.TrimPrefix(strings.TrimLeft(line, " \t"), "*")
		}
	}
	return append([]string{first}, dedent(rest)...)
}

// dedent removes trailing white space and the indentation that all lines share. It changes lines.
func dedent(lines []string) []string {
	indent := -1
	for i, line := range lines {
		lines[i] = strings.TrimRight(line, " \t\r")
		if n := len(lines[i]) - len(strings.TrimLeft(lines[i], " \t")); lines[i] != "" && (indent < 0 || n < indent) {
			indent = n
		}
	}
	for i, line := range lines {
		if line != "" {
			lines[i] = line[indent:]
		}
	}
	return lines
}

// join makes the text of a comment from its lines.
func join(lines []string) string {
	s := strings.ReplaceAll(strings.Join(lines, "\n"), "\r", " ")
	return strings.TrimRight(strings.TrimLeft(s, "\n"), "\n")
}
