package contract

import (
	"github.com/weft-run/weft/wit"
)

// reach walks a type once, wherever it is used, and gives its extent.
func (s *surveyor) reach(t *wit.Type, at *place, depth int) (extent, error) {
	if e, ok := s.seen[t]; ok {
		if depth+e.depth > maxDepth {
			return e, at.refuse("types nest more than %d deep, which is the limit", maxDepth)
		}
		return e, nil
	}
	if depth > maxDepth {
		return extent{}, at.refuse("types nest more than %d deep, which is the limit", maxDepth)
	}
	var e extent
	var err error
	switch t.Kind {
	case wit.Record, wit.Variant, wit.Enum, wit.Flags:
		e, err = s.named(t, depth)
	case wit.List, wit.Option:
		e, err = s.sum(e, t.Elem, at.at(map[wit.Kind]string{wit.List: "[]", wit.Option: "?"}[t.Kind]), depth)
	case wit.Tuple:
		for i, f := range t.Fields {
			if e, err = s.sum(e, f.Type, at.at("."+tupleField(i)), depth); err != nil {
				break
			}
		}
	case wit.Result:
		if e, err = s.sum(e, t.Ok, at.at(".ok"), depth); err == nil {
			e, err = s.sum(e, t.Err, at.at(".err"), depth)
		}
	default:
		if msg := unsupported[t.Kind]; msg != "" {
			err = at.refuse("%s", msg)
		} else if t.Kind < wit.Bool || t.Kind > wit.FixedList {
			err = at.refuse("a type of unknown kind")
		}
	}
	if err == nil {
		s.seen[t] = e
	}
	return e, err
}

// unsupported says why a kind of type is refused.
var unsupported = map[wit.Kind]string{
	wit.Own:          "a resource handle: " + noResources,
	wit.Borrow:       "a resource handle: " + noResources,
	wit.Stream:       "a stream: streams are not supported; use a list",
	wit.Future:       "a future: futures are not supported; return the value",
	wit.ErrorContext: "an error-context: error-contexts are not supported; use a string or a variant",
	wit.Map:          "a map: maps are not supported; use a list of tuples",
	wit.FixedList:    "a list of fixed length: those are not supported; use a list or a tuple",
}

// sum adds one field of a type without a name to its extent; t may be nil.
func (s *surveyor) sum(e extent, t *wit.Type, at *place, depth int) (extent, error) {
	e.fields++
	e.depth = max(e.depth, 1)
	if t != nil {
		inner, err := s.reach(t, at, depth+1)
		if err != nil {
			return e, err
		}
		e.fields += inner.fields
		e.depth = max(e.depth, inner.depth+1)
	}
	if e.fields > maxFields {
		return e, at.refuse("the type unfolds to more than %d protobuf fields, which is the limit", maxFields)
	}
	return e, nil
}

// named walks a type that has a name. Its members count once.
func (s *surveyor) named(t *wit.Type, depth int) (extent, error) {
	at := typePlace(t)
	if !kebab.MatchString(t.Name) {
		return extent{}, at.refuse("%q is no WIT name", t.Name)
	}
	u, err := s.unit(t.Interface)
	if err != nil {
		return extent{}, err
	}
	e := extent{depth: 1}
	members := membersOf(t)
	if len(members) == 0 && t.Kind != wit.Record {
		return e, at.refuse("has no cases")
	}
	if err := s.count(1+len(members), at); err != nil {
		return e, err
	}
	names := make(map[string]bool, len(members))
	for _, m := range members {
		at := at.at("." + m.Name)
		if err := checkName(names, m.Name, at); err != nil {
			return e, err
		}
		if m.Type == nil {
			continue
		}
		inner, err := s.reach(m.Type, at, depth+1)
		if err == nil {
			err = s.count(inner.fields, at)
		}
		if err != nil {
			return e, err
		}
		e.depth = max(e.depth, inner.depth+1)
	}
	u.types = append(u.types, t)
	s.homes[t] = u
	return e, nil
}

// membersOf returns the fields of a record, or the cases of a variant, an enum or flags.
func membersOf(t *wit.Type) []wit.Case {
	if t.Kind != wit.Record {
		return t.Cases
	}
	members := make([]wit.Case, len(t.Fields))
	for i, f := range t.Fields {
		members[i] = wit.Case(f)
	}
	return members
}
