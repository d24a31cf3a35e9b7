// Package near finds the names that somebody who mistyped one may have meant.
package near

import (
	"cmp"
	"iter"
	"slices"
	"strings"
)

// maxLooked bounds how many candidates are looked at: a typo of a stranger must not cost much.
const maxLooked = 4096

// maxShown is how many names are offered at most.
const maxShown = 3

// Names returns the candidates that are near to name, the nearest first, three at most. Near is what differs by case,
// by few letters, or only in the qualification before the last dot.
func Names(name string, candidates iter.Seq[string]) []string {
	type found struct {
		name     string
		distance int
	}
	var near []found
	lower := strings.ToLower(name)
	limit := max(2, min(len(name)/5, 5))
	looked := 0
	for candidate := range candidates {
		if looked++; looked > maxLooked {
			break
		}
		other := strings.ToLower(candidate)
		d := distance(lower, other, limit)
		if d > limit && last(lower) == last(other) {
			d = limit
		}
		if d <= limit && d < len(name) {
			near = append(near, found{candidate, d})
		}
	}
	slices.SortFunc(near, func(a, b found) int {
		return cmp.Or(cmp.Compare(a.distance, b.distance), strings.Compare(a.name, b.name))
	})
	var names []string
	for _, f := range near[:min(len(near), maxShown)] {
		names = append(names, f.name)
	}
	return names
}

// Hint puts names into a question, "; did you mean a, b or c?", to be put behind a message. It is empty for no names.
func Hint(names []string) string {
	switch len(names) {
	case 0:
		return ""
	case 1:
		return "; did you mean " + names[0] + "?"
	default:
		end := len(names) - 1
		return "; did you mean " + strings.Join(names[:end], ", ") + " or " + names[end] + "?"
	}
}

func last(name string) string { return name[strings.LastIndexByte(name, '.')+1:] }

// distance is the number of bytes to insert, delete, replace or swap with their neighbour to make b of a (the optimal
// string alignment distance), or limit+1 if it is over limit.
func distance(a, b string, limit int) int {
	if len(a)-len(b) > limit || len(b)-len(a) > limit {
		return limit + 1
	}
	before, previous, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range previous {
		previous[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		best := i
		for j := 1; j <= len(b); j++ {
			change := previous[j-1]
			if a[i-1] != b[j-1] {
				change++
			}
			row[j] = min(change, previous[j]+1, row[j-1]+1)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
			best = min(best, row[j])
		}
		if best > limit {
			return limit + 1
		}
		before, previous, row = previous, row, before
	}
	return min(previous[len(b)], limit+1)
}
