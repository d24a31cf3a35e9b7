package resolve

// String is the path as it is written.
func (r *ref) String() string {
	if r.namespace == "" {
		return r.name
	}
	text := r.namespace + ":" + r.pkg + "/" + r.name
	if r.version != "" {
		text += "@" + r.version
	}
	return text
}

// resolve returns the interface that a path names in a file, for a declaration of package home.
func (b *builder) resolve(f *file, home *pack, r *ref) *declaration {
	d := b.lookup(f, home, r, func(p *pack) map[string]*declaration { return p.interfaces })
	if d == nil {
		f.fail(r.at, "there is no interface %s", r)
	}
	return d
}

// lookup returns what a path names, or nil.
func (b *builder) lookup(f *file, home *pack, r *ref, kind func(*pack) map[string]*declaration) *declaration {
	if r.namespace == "" {
		if alias := f.aliases[r.name]; alias != nil && (alias.namespace != "" || alias.name != r.name) {
			if alias.namespace != "" {
				return b.lookup(f, home, alias, kind)
			}
			r = alias
		}
		if home == nil {
			return nil
		}
		return kind(home)[r.name]
	}
	p := b.set.packages[(&pack{namespace: r.namespace, name: r.pkg, version: r.version}).id()]
	if p == nil && r.version == "" {
		p = b.set.only(r.namespace, r.pkg)
	}
	if p == nil {
		f.fail(r.at, "there is no package %s; put it into the directory deps beside the WIT", r.packageID())
	}
	return kind(p)[r.name]
}

func (r *ref) packageID() string {
	return (&pack{namespace: r.namespace, name: r.pkg, version: r.version}).id()
}

// only returns the package of a name where there is one version of it.
func (s *set) only(namespace, name string) *pack {
	var found []*pack
	for _, p := range s.packages {
		if p.namespace == namespace && p.name == name {
			found = append(found, p)
		}
	}
	if len(found) != 1 {
		return nil
	}
	return found[0]
}
