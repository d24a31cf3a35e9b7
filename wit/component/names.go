package component

import "strings"

// externName is the name of an import or export.
type externName struct {
	name string
	// implements is the interface that a plain name stands for, where the name says so.
	implements string
}

// externName reads and checks the name of an import or export.
func (r *reader) externName() externName {
	options := false
	switch b := r.byte(); b {
	case 0, 1: // 1 marked an interface name in components from before 2024
	case 2:
		options = true
	default:
		r.unknown("form of a name", b)
	}
	start := r.pos
	n := externName{name: r.text()}
	if options {
		r.nameOptions(&n)
	}
	r.checkExtern(start, n.name)
	if n.implements != "" {
		r.checkInterface(start, n.implements)
	}
	return n
}

// nameOptions reads the options of a name.
func (r *reader) nameOptions(n *externName) {
	var suffix string
	var seen [3]bool
	for range r.count("options of a name") {
		kind := r.byte()
		if kind > 2 {
			r.unknown("option of a name", kind)
		}
		if seen[kind] {
			r.failAt(r.pos-1, "option %d of a name is given twice", kind)
		}
		seen[kind] = true
		switch text := r.text(); kind {
		case 0:
			n.implements = text
		case 1:
			suffix = text
		case 2: // an external ID: a note for tools
		}
	}
	// The suffix completes the version of the interface name: a:b/c@0.2 and .1 make a:b/c@0.2.1.
	name := &n.name
	if n.implements != "" {
		name = &n.implements
	}
	if strings.Contains(*name, "@") {
		*name += suffix
	}
}

// checkExtern checks the name of an import or export against the grammar of names in Explainer.md.
func (r *reader) checkExtern(pos int, name string) {
	if strings.Contains(name, "=") { // url=<…>, unlocked-dep=<…>, …: a component from elsewhere
		if strings.ContainsFunc(name, func(c rune) bool { return c < ' ' || c == 0x7f }) {
			r.failAt(pos, "name %q has a control character", name)
		}
		return
	}
	if strings.Contains(name, ":") {
		r.checkInterface(pos, name)
		return
	}
	rest, resource := name, false
	for _, form := range []string{"[method]", "[static]"} {
		if after, ok := strings.CutPrefix(name, form); ok {
			rest, resource = after, true
		}
	}
	if after, ok := strings.CutPrefix(name, "[constructor]"); ok {
		rest = after
	} else {
		for _, accessor := range []string{"[get]", "[set]"} {
			if after, ok := strings.CutPrefix(rest, accessor); ok {
				rest = after
				break
			}
		}
	}
	if resource {
		before, after, ok := strings.Cut(rest, ".")
		if !ok || !isLabel(before) {
			r.failAt(pos, "name %q does not say a resource and a function", name)
		}
		rest = after
	}
	if !isLabel(rest) {
		r.failAt(pos, "name %q is not in kebab case", name)
	}
}

// checkInterface checks a name such as "demo:orders/orders@1.2.0".
func (r *reader) checkInterface(pos int, id string) {
	namespace, pkg, name, version, ok := splitInterface(id)
	switch {
	case !ok:
		r.failAt(pos, "name %q is not of the form namespace:package/interface@version", id)
	case !isLabel(namespace) || !isLabel(pkg) || !isLabel(name) || strings.ToLower(namespace+pkg) != namespace+pkg:
		r.failAt(pos, "name %q is not in kebab case", id)
	case strings.Contains(id, "@") && !isVersion(version):
		r.failAt(pos, "name %q has no semantic version after @", id)
	}
}

// splitInterface splits "demo:orders/orders@1.2.0".
func splitInterface(id string) (namespace, pkg, name, version string, ok bool) {
	id, version, _ = strings.Cut(id, "@")
	namespace, rest, colon := strings.Cut(id, ":")
	pkg, name, slash := strings.Cut(rest, "/")
	return namespace, pkg, name, version, colon && slash && !strings.Contains(id, "=")
}

// isLabel tells whether s is a kebab name: words of one case, joined by "-", the first of which begins with a letter.
func isLabel(s string) bool {
	for i, word := range strings.Split(s, "-") {
		if word == "" || i == 0 && isDigit(word[0]) {
			return false
		}
		var lower, upper bool
		for _, c := range []byte(word) {
			switch {
			case c >= 'a' && c <= 'z':
				lower = true
			case c >= 'A' && c <= 'Z':
				upper = true
			case !isDigit(c):
				return false
			}
		}
		if lower && upper {
			return false
		}
	}
	return true
}

// isVersion tells whether s is a semantic version, or the canonical beginning of one: "1", "0.2".
func isVersion(s string) bool {
	s, build, hasBuild := strings.Cut(s, "+")
	s, pre, hasPre := strings.Cut(s, "-")
	if hasBuild && !isDotted(build) || hasPre && !isDotted(pre) {
		return false
	}
	numbers := strings.Split(s, ".")
	for _, n := range numbers {
		if n == "" || len(n) > 20 || len(n) > 1 && n[0] == '0' || strings.Trim(n, "0123456789") != "" {
			return false
		}
	}
	return len(numbers) == 3 || len(numbers) < 3 && !hasPre && !hasBuild
}

// isDotted tells whether s is a list of identifiers with dots between them, as in a pre-release.
func isDotted(s string) bool {
	for word := range strings.SplitSeq(s, ".") {
		if word == "" || strings.Trim(word, "-0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
			return false
		}
	}
	return true
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// names holds the names of a list with their places, and notices one that is given twice. Names that differ in case only are
// the same.
type names struct{ at map[string]int }

func (n *names) find(name string) (int, bool) {
	at, ok := n.at[strings.ToLower(name)]
	return at, ok
}

func (r *reader) addName(n *names, pos int, name, what string) {
	if _, ok := n.find(name); ok {
		r.failAt(pos, "%s %q is given twice", what, name)
	}
	if n.at == nil {
		n.at = map[string]int{}
	}
	n.at[strings.ToLower(name)] = len(n.at)
}
