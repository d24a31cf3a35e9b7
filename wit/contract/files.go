package contract

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	_ "google.golang.org/protobuf/types/known/emptypb" // a case without payload

	weftv1 "github.com/weft-run/weft/proto/weft/v1"
)

// Files returns the files of contracts and all that they import, imports first. It fails where an import is missing or
// where files import each other, with a *RefusedError. The files are shared with the contracts.
func Files(contracts []*weftv1.Contract) (*descriptorpb.FileDescriptorSet, error) {
	files := make(map[string]*descriptorpb.FileDescriptorProto)
	for _, c := range contracts {
		for _, f := range c.GetFiles() {
			if files[f.GetName()] != nil {
				return nil, &RefusedError{Path: f.GetName(), Msg: "two contracts have this file"}
			}
			files[f.GetName()] = f
		}
	}
	set := &descriptorpb.FileDescriptorSet{}
	state := make(map[string]int)
	var path []string
	var visit func(name string) error
	visit = func(name string) error {
		path = append(path, name)
		defer func() { path = path[:len(path)-1] }()
		switch state[name] {
		case visiting:
			return &RefusedError{Path: name, Msg: "files would import each other: " + strings.Join(path[slices.Index(path, name):], " → ")}
		case visited:
			return nil
		}
		f := files[name]
		if f == nil {
			if f = wellKnown(name); f == nil {
				return &RefusedError{Path: name, Msg: "no contract has this file, which others import"}
			}
		}
		state[name] = visiting
		for _, d := range f.GetDependency() {
			if err := visit(d); err != nil {
				return err
			}
		}
		state[name] = visited
		set.File = append(set.File, f)
		return nil
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if err := visit(name); err != nil {
			return nil, err
		}
	}
	return set, nil
}

const (
	visiting = iota + 1
	visited
)

// wellKnown returns a file of protobuf's own, nil if there is none of the name.
func wellKnown(name string) *descriptorpb.FileDescriptorProto {
	if !strings.HasPrefix(name, "google/protobuf/") {
		return nil
	}
	f, err := protoregistry.GlobalFiles.FindFileByPath(name)
	if err != nil {
		return nil
	}
	return protodesc.ToFileDescriptorProto(f)
}

// addImports adds the contracts whose files others import, until none is missing.
func addImports(contracts map[string]*weftv1.Contract, in Input) error {
	owners := make(map[string]string) // the package of each file
	for _, from := range []map[string]*weftv1.Contract{in.Stored, in.Seeds} {
		for pkg, c := range from {
			for _, f := range c.GetFiles() {
				if owners[f.GetName()] == "" || in.Stored[pkg] != nil {
					owners[f.GetName()] = pkg
				}
			}
		}
	}
	for pkg, c := range contracts {
		for _, f := range c.GetFiles() {
			owners[f.GetName()] = pkg
		}
	}
	for queue := slices.Sorted(maps.Keys(contracts)); len(queue) > 0; queue = queue[1:] {
		for _, f := range contracts[queue[0]].GetFiles() {
			for _, d := range f.GetDependency() {
				pkg := owners[d]
				if pkg == "" || contracts[pkg] != nil {
					continue
				}
				c, err := open(pkg, in)
				if err != nil {
					return err
				}
				contracts[pkg] = c
				queue = append(queue, pkg)
			}
		}
	}
	return nil
}

// checkSeed refuses contracts that this package could not have made or that it can't go on with.
func checkSeed(pkg string, c *weftv1.Contract) error {
	refuse := func(format string, args ...any) error {
		return &RefusedError{Path: pkg, Msg: "the given contract " + fmt.Sprintf(format, args...)}
	}
	if c.GetPackage() != pkg {
		return refuse("is of package %q", c.GetPackage())
	}
	if _, err := checkPackage(pkg, &place{step: pkg}); err != nil {
		return err
	}
	for _, f := range c.GetFiles() {
		switch {
		case f.GetPackage() != pkg:
			return refuse("has file %s of package %q", f.GetName(), f.GetPackage())
		case f.GetSyntax() != "proto3":
			return refuse("has file %s, which is not proto3", f.GetName())
		case len(f.GetExtension())+len(f.GetPublicDependency())+len(f.GetWeakDependency()) > 0:
			return refuse("has file %s with extensions or public imports", f.GetName())
		}
		if _, err := (protodesc.FileOptions{AllowUnresolvable: true}).New(f, nil); err != nil {
			return refuse("is damaged: %v", err)
		}
	}
	items, names := make(map[string]bool), make(map[string]bool)
	for _, claim := range c.GetClaims() {
		scope := "" // the package
		if owner, ok := functionOwner(claim.GetItem()); ok {
			scope = owner + "#"
		} else if !inPackageScope(claim.GetItem()) {
			scope = itemKey(claim.GetItem()[:max(0, strings.LastIndexByte(claim.GetItem(), '.'))], claim.GetForm())
		}
		if claim.GetName() == "" && !isUnit(claim.GetItem()) {
			return refuse("is damaged: %q has no name", claim.GetItem())
		}
		name := scope + " " + claim.GetName()
		if items[claimKey(claim)] || (names[name] && claim.GetName() != "") {
			return refuse("is damaged: it claims %q twice", claim.GetName())
		}
		items[claimKey(claim)], names[name] = true, true
	}
	return nil
}

// verify checks that contracts are closed over imports, that no packages import each other, which Go can't
// compile, and that all of it is valid protobuf.
func verify(contracts []*weftv1.Contract) error {
	set, err := Files(contracts)
	if err != nil {
		return err
	}
	imports := make(map[string]map[string]bool)
	owners := make(map[string]string)
	for _, f := range set.GetFile() { // imports come first
		owners[f.GetName()] = f.GetPackage()
		for _, d := range f.GetDependency() {
			if owners[d] != f.GetPackage() {
				if imports[f.GetPackage()] == nil {
					imports[f.GetPackage()] = make(map[string]bool)
				}
				imports[f.GetPackage()][owners[d]] = true
			}
		}
	}
	if cycle := findCycle(imports); cycle != nil {
		return &RefusedError{Path: cycle[0], Msg: "proto packages would import each other: " + strings.Join(cycle, " → ")}
	}
	if _, err := protodesc.NewFiles(set); err != nil {
		return &RefusedError{Path: contracts[0].GetPackage(), Msg: fmt.Sprintf("the contracts would be no valid protobuf: %v", err)}
	}
	return nil
}

// findCycle returns a cycle of a graph, nil if there is none.
func findCycle(edges map[string]map[string]bool) []string {
	state := make(map[string]int)
	var path []string
	var visit func(n string) []string
	visit = func(n string) []string {
		path = append(path, n)
		defer func() { path = path[:len(path)-1] }()
		switch state[n] {
		case visiting:
			return slices.Clone(path[slices.Index(path, n):])
		case visited:
			return nil
		}
		state[n] = visiting
		for _, next := range slices.Sorted(maps.Keys(edges[n])) {
			if cycle := visit(next); cycle != nil {
				return cycle
			}
		}
		state[n] = visited
		return nil
	}
	for _, n := range slices.Sorted(maps.Keys(edges)) {
		if cycle := visit(n); cycle != nil {
			return cycle
		}
	}
	return nil
}

// reaches tells whether a request of the contracts, as they were, holds the message or enum of a full name.
func (x *extender) reaches(name string) bool {
	if x.reached == nil {
		x.reached = requestTypes(x.before)
	}
	return x.reached[name]
}

// requestTypes returns the full names of all messages and enums that requests hold.
func requestTypes(contracts []*weftv1.Contract) map[string]bool {
	messages := make(map[string]*descriptorpb.DescriptorProto)
	var queue []string
	for _, c := range contracts {
		for _, f := range c.GetFiles() {
			scope := "." + f.GetPackage() + "."
			for _, m := range f.GetMessageType() {
				collect(messages, scope, m)
			}
			for _, s := range f.GetService() {
				for _, m := range s.GetMethod() {
					queue = append(queue, m.GetInputType())
				}
			}
		}
	}
	reached := make(map[string]bool)
	for ; len(queue) > 0; queue = queue[1:] {
		name := queue[0]
		plain := strings.TrimPrefix(name, ".")
		if plain == "" || reached[plain] {
			continue
		}
		reached[plain] = true
		for _, f := range messages[name].GetField() {
			queue = append(queue, f.GetTypeName())
		}
	}
	return reached
}

func collect(messages map[string]*descriptorpb.DescriptorProto, scope string, m *descriptorpb.DescriptorProto) {
	messages[scope+m.GetName()] = m
	for _, n := range m.GetNestedType() {
		collect(messages, scope+m.GetName()+".", n)
	}
}
