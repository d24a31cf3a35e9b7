package weft

import (
	"cmp"
	"slices"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// maxNear is how many names a suggestion holds.
const maxNear = 3

// near suggests methods for a service name that no service has. An empty method stands for "any".
func (r *reflector) near(services []string, service, method string) []string {
	// Few services are looked into: each costs a request.
	likely := closest(services, service, func(s string) string {
		if strings.Contains(service, ".") {
			return s
		}
		return s[strings.LastIndexByte(s, '.')+1:]
	})
	if method == "" {
		likely = slices.DeleteFunc(slices.Clone(services), func(s string) bool {
			return strings.HasPrefix(s, "grpc.") || strings.HasPrefix(s, "weft.")
		})
		likely = likely[:min(len(likely), 20)]
	}
	var names []string
	for _, s := range likely {
		d, err := r.find(s)
		if err != nil {
			continue
		}
		sd, ok := d.(protoreflect.ServiceDescriptor)
		if !ok {
			continue
		}
		if method == "" {
			names = append(names, nearMethods(sd, service)...)
			continue
		}
		if found := nearMethods(sd, method); len(found) > 0 {
			names = append(names, found[0])
		}
	}
	return names[:min(len(names), maxNear)]
}

// nearMethods returns the full names of the methods of a service that are spelled like name.
func nearMethods(sd protoreflect.ServiceDescriptor, name string) []string {
	var names []string
	for i := range sd.Methods().Len() {
		names = append(names, string(sd.Methods().Get(i).Name()))
	}
	found := closest(names, name, func(s string) string { return s })
	for i, n := range found {
		found[i] = string(sd.FullName()) + "/" + n
	}
	return found
}

// closest returns the names whose key is spelled like word, the nearest first.
func closest(names []string, word string, key func(string) string) []string {
	type candidate struct {
		name     string
		distance int
	}
	var candidates []candidate
	word = strings.ToLower(word)
	for _, n := range names {
		k := strings.ToLower(key(n))
		if d := distance(k, word); d <= max(1, len(word)/3) {
			candidates = append(candidates, candidate{n, d})
		}
	}
	slices.SortStableFunc(candidates, func(a, b candidate) int { return cmp.Compare(a.distance, b.distance) })
	var out []string
	for _, c := range candidates[:min(len(candidates), maxNear)] {
		out = append(out, c.name)
	}
	return out
}

// distance is the number of letters to insert, remove, replace or swap with a neighbour to make b of a (optimal string
// alignment). Names over 128 bytes are not compared.
func distance(a, b string) int {
	if len(a) > 128 || len(b) > 128 {
		return max(len(a), len(b))
	}
	before, previous, current := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range previous {
		previous[j] = j
	}
	for i := 1; i <= len(a); i++ {
		current[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			current[j] = min(previous[j]+1, current[j-1]+1, previous[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				current[j] = min(current[j], before[j-2]+1)
			}
		}
		before, previous, current = previous, current, before
	}
	return previous[len(b)]
}
