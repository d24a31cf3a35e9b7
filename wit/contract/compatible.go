package contract

// Compatible tells whether an interface of one version can stand for an import of another, by the rules of semantic
// versioning that the Component Model has: the same major version, or the same minor one where the major version is 0, or the
// very same where both are 0; and not an older one. Versions are empty for interfaces without one, which stand for
// each other only, and so do pre-releases.
func Compatible(exported, imported string) bool {
	e, ok := parseVersion(exported)
	if !ok {
		return false
	}
	i, ok := parseVersion(imported)
	if !ok || e.suffix() != i.suffix() {
		return false
	}
	return !e.older(i)
}
