package executor

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/weft-run/weft/executor/wasmtime"
	"github.com/weft-run/weft/wit"
)

// hosts are the interfaces of Config.Host, ready to be linked.
type hosts struct {
	interfaces map[string]*hostInterface // by ID, in all versions
	compatible map[string]*hostInterface // by ID without the last number of the version
	resources  map[string]*wasmtime.ResourceType
}

type hostInterface struct {
	HostInterface
	functions map[string]*hostFunction
}

// newHosts checks the interfaces, whose faults are faults of the program.
func newHosts(all ...HostInterface) (*hosts, error) {
	h := &hosts{interfaces: map[string]*hostInterface{}, compatible: map[string]*hostInterface{}, resources: map[string]*wasmtime.ResourceType{}}
	for _, i := range all {
		for _, t := range i.Type.Types {
			if t.Resource == nil || t.Resource.Interface != i.Type || i.Absent != "" {
				continue
			}
			drop, ok := i.Resources[t.Name]
			if !ok {
				return nil, fmt.Errorf("executor: host interface %s: nobody made the resource %s", i.Type.ID, t.Name)
			}
			h.resources[resourceName(t.Resource)] = wasmtime.NewResourceType(t.Name, drop)
		}
	}
	for _, i := range all {
		if err := h.add(i); err != nil {
			return nil, fmt.Errorf("executor: host interface %s: %w", i.Type.ID, err)
		}
	}
	return h, nil
}

func (h *hosts) add(i HostInterface) error {
	hi := &hostInterface{HostInterface: i, functions: map[string]*hostFunction{}}
	for _, f := range i.Type.Functions {
		if i.Absent != "" {
			break
		}
		hf := &hostFunction{iface: i.Type.ID, name: f.Name, typ: f, answer: i.Functions[f.Name]}
		if hf.answer == nil {
			return fmt.Errorf("nobody answers its function %s", f.Name)
		}
		for _, p := range f.Params {
			r, err := h.parameter(p.Type)
			if err != nil {
				return fmt.Errorf("%s: parameter %s: %w", f.Name, p.Name, err)
			}
			hf.resources = append(hf.resources, r)
		}
		var err error
		if hf.result, err = h.shape(f.Result); err != nil {
			return fmt.Errorf("%s: result: %w", f.Name, err)
		}
		hi.functions[f.Name] = hf
	}
	if family, ok := versionFamily(i.Type.ID); ok && i.Compatible {
		h.compatible[family] = hi
	}
	for _, id := range append([]string{i.Type.ID}, i.Also...) {
		if h.interfaces[id] != nil {
			return fmt.Errorf("%s is there twice", id)
		}
		h.interfaces[id] = hi
	}
	return nil
}

// versionFamily is an ID with the version cut down to what a compatible one has too: "wasi:io/poll@0.2" of 0.2.6. It is for
// versions below 1.0.0 that are no pre-releases.
func versionFamily(id string) (family string, ok bool) {
	base, version, _ := strings.Cut(id, "@")
	numbers := strings.Split(version, ".")
	if len(numbers) < 2 || len(numbers) > 3 || numbers[0] != "0" || numbers[1] == "0" || strings.ContainsAny(version, "-+") {
		return "", false
	}
	return base + "@0." + numbers[1], true
}

// parameter gives the type of a parameter that is a resource, or a list of borrowed ones, nil of another one. Resources inside
// of other types do not reach host functions.
func (h *hosts) parameter(t *wit.Type) (*wasmtime.ResourceType, error) {
	if t.Kind == wit.List && t.Elem.Kind == wit.Borrow {
		t = t.Elem
	}
	if t.Kind != wit.Own && t.Kind != wit.Borrow {
		return nil, holdsResource(t)
	}
	r := h.resource(t.Resource)
	if r == nil {
		return nil, fmt.Errorf("the resource %s is not among those that the node provides", t.Resource.Name)
	}
	return r, nil
}

func holdsResource(t *wit.Type) error {
	if t == nil {
		return nil
	}
	if t.Kind == wit.Own || t.Kind == wit.Borrow {
		return fmt.Errorf("a resource inside of a value is not supported")
	}
	inner := []*wit.Type{t.Elem, t.Key, t.Ok, t.Err}
	for _, f := range t.Fields {
		inner = append(inner, f.Type)
	}
	for _, c := range t.Cases {
		inner = append(inner, c.Type)
	}
	for _, i := range inner {
		if err := holdsResource(i); err != nil {
			return err
		}
	}
	return nil
}

// resource gives the type of a resource, nil if no interface has it.
func (h *hosts) resource(r *wit.Resource) *wasmtime.ResourceType { return h.resources[resourceName(r)] }

func resourceName(r *wit.Resource) string {
	if r.Interface == nil {
		return r.Name
	}
	return r.Interface.ID + "#" + r.Name
}

// find gives the interface that answers an import, nil if none does.
func (h *hosts) find(i *wit.Interface) *hostInterface {
	if found := h.interfaces[i.ID]; found != nil {
		return found
	}
	family, _ := versionFamily(i.ID)
	return h.compatible[family]
}

// refused says why no interface answers an import: known is false if there is none of that name at all.
func (h *hosts) refused(i *wit.Interface) (reason string, known bool) {
	if found := h.find(i); found != nil {
		if found.Absent != "" {
			return found.Absent, true
		}
		return found.differs(i), true
	}
	var versions []string
	for id, hi := range h.interfaces {
		if base, version, ok := strings.Cut(id, "@"); ok && !hi.Compatible && base == i.Namespace+":"+i.Package+"/"+i.Name {
			versions = append(versions, version)
		}
	}
	if len(versions) == 0 {
		return "", false
	}
	slices.Sort(versions)
	return fmt.Sprintf("this node provides it in the versions %s; build with one of those", strings.Join(versions, ", ")), true
}

// wasi lists the interfaces of a package of WASI 0.2.
func (h *hosts) wasi(pkg string) []string {
	var names []string
	for _, i := range h.compatible {
		if i.Type.Namespace == "wasi" && i.Type.Package == pkg {
			names = append(names, i.Type.Name)
		}
	}
	slices.Sort(names)
	return names
}

// provided lists what the node provides, for people.
func (h *hosts) provided() string {
	var ids []string
	for id, i := range h.interfaces {
		if i.Absent == "" && !i.Compatible && id == i.Type.ID {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return "this node provides wasi:cli, io, clocks, random, filesystem and sockets at 0.2, and " + strings.Join(ids, ", ")
}

// differs says what a component expects of the interface that it does not have. It is empty if it has all.
func (h *hostInterface) differs(i *wit.Interface) string {
	for _, f := range i.Functions {
		mine := h.functions[f.Name]
		if mine == nil {
			return fmt.Sprintf("this node's %s has no function %s; it has %s", h.Type.ID, f.Name, listText(h.functions))
		}
		if path, want, have := differentFunctions(f, mine.typ); path != "" && h.Compatible {
			return fmt.Sprintf("the component's %s%s is %s, where WASI has %s; build it with the WIT of WASI", f.Name, path, want, have)
		} else if path != "" {
			return fmt.Sprintf("the component's %s%s is %s, where this node has %s; build it with the WIT of weft (%s)", f.Name, path,
				want, have, mine.typ)
		}
	}
	for _, t := range i.Types {
		if t.Resource == nil {
			continue
		}
		if !slices.ContainsFunc(h.Type.Types, func(mine wit.NamedType) bool { return mine.Name == t.Name && mine.Resource != nil }) {
			return fmt.Sprintf("this node's %s has no resource %s", h.Type.ID, t.Name)
		}
	}
	return ""
}

// link gives a component the interfaces that it imports.
func (x *Executor) linkHosts(l *wasmtime.Linker, imports []*wit.Interface) error {
	var err error
	for _, i := range imports {
		found := x.hosts.find(i)
		if found == nil {
			continue
		}
		for _, f := range i.Functions {
			if mine := found.functions[f.Name]; mine != nil {
				err = errors.Join(err, l.Define(i.ID, f.Name, mine.bind(x)))
			}
		}
		for _, t := range found.Type.Types {
			if t.Resource != nil && t.Resource.Interface == found.Type && found.Absent == "" {
				err = errors.Join(err, l.DefineResource(i.ID, t.Name, x.hosts.resource(t.Resource)))
			}
		}
	}
	return err
}
