package catalog

import (
	"crypto/sha256"

	catalogv1 "github.com/weft-run/weft/proto/weft/catalog/v1"
)

// MaxLinks is how many links a revision may have, with those of what it is linked with.
const MaxLinks = 256

// Linked tells whether a revision is composed with another.
func Linked(r *catalogv1.Revision) bool {
	for _, b := range r.GetBindings() {
		if b.GetLink() != nil {
			return true
		}
	}
	return false
}

// checkLinks checks the links of a revision, and theirs in turn. What they name need not be there any more: it is part of the
// component.
func checkLinks(function string, bindings []*catalogv1.Binding, left *int) *catalogv1.Result {
	for _, b := range bindings {
		link := b.GetLink()
		if link == nil {
			continue
		}
		if *left--; *left < 0 {
			return refuse(catalogv1.Refusal_REASON_INVALID, "function %q: more than %d links", function, MaxLinks)
		}
		if b.GetFunction() == "" || link.GetRevision() == 0 || len(link.GetDigest()) != sha256.Size {
			return refuse(catalogv1.Refusal_REASON_INVALID, "function %q: the link of import %q is not that of a revision with its digest", function,
				clip(b.GetImport()))
		}
		for _, inner := range link.GetBindings() {
			if inner.GetLink() == nil {
				return refuse(catalogv1.Refusal_REASON_INVALID, "function %q: import %q of %q, which is linked, is not", function,
					clip(inner.GetImport()), b.GetFunction())
			}
		}
		if refusal := checkBindings(b.GetFunction(), link.GetBindings()); refusal != nil {
			return refusal
		}
		if refusal := checkLinks(function, link.GetBindings(), left); refusal != nil {
			return refusal
		}
	}
	return nil
}

// newBinding copies a binding without fields that this build does not know.
func newBinding(b *catalogv1.Binding) *catalogv1.Binding {
	c := &catalogv1.Binding{Import: b.GetImport(), Target: b.GetTarget(), Service: b.GetService()}
	if link := b.GetLink(); link != nil {
		c.Link = &catalogv1.Link{Revision: link.GetRevision(), Digest: link.GetDigest()}
		for _, inner := range link.GetBindings() {
			c.Link.Bindings = append(c.Link.Bindings, newBinding(inner))
		}
	}
	return c
}
