package scheduler

import (
	"fmt"
	"slices"
	"strings"
)

// why says what keeps a revision from having all the executors that it should have: "of 3 executors: 2 lack region=eu,
// 1 is draining".
func (p *Planner) why(r *revision, o outcome) string {
	executors := 0
	var reasons tally
	for i := range p.nodes {
		n := &p.nodes[i]
		if !n.Executor {
			continue
		}
		executors++
		_, placed := slices.BinarySearch(o.nodes, int32(i))
		lacks := lacks(n.Node, r.Scheduling.GetRequire())
		switch {
		case lacks != "":
			reasons.add("lacks "+lacks, "lack "+lacks)
		case !n.fits(r.Revision):
			reasons.add("has less memory than "+size(r.MemoryBytes), "have less memory than "+size(r.MemoryBytes))
		case n.Health == Lost:
			reasons.add("is lost", "are lost")
		case n.Draining:
			reasons.add("is draining", "are draining")
		case placed:
			reasons.add("has it", "have it")
		case n.Health == Silent:
			reasons.add("is not heard of", "are not heard of")
		case r.on(int32(i)) == failed:
			reasons.add("has failed to load it", "have failed to load it")
		default:
			reasons.add("has no room for "+size(r.CodeBytes)+" of code", "have no room for "+size(r.CodeBytes)+" of code")
		}
	}
	if executors == 0 {
		return "there are no executors"
	}
	noun := "executors"
	if executors == 1 {
		noun = "executor"
	}
	return fmt.Sprintf("of %d %s: %s", executors, noun, reasons.String())
}

// tally counts reasons, in words for one and for several.
type tally []struct {
	one, many string
	count     int
}

func (t *tally) add(one, many string) {
	for i := range *t {
		if (*t)[i].one == one {
			(*t)[i].count++
			return
		}
	}
	*t = append(*t, struct {
		one, many string
		count     int
	}{one, many, 1})
}

// String has the most frequent reasons first, and eight of them at most.
func (t *tally) String() string {
	all := slices.Clone(*t)
	slices.SortFunc(all, func(a, b struct {
		one, many string
		count     int
	}) int {
		if a.count != b.count {
			return b.count - a.count
		}
		return strings.Compare(a.one, b.one)
	})
	var parts []string
	for _, r := range all[:min(len(all), 8)] {
		words := r.many
		if r.count == 1 {
			words = r.one
		}
		parts = append(parts, fmt.Sprintf("%d %s", r.count, words))
	}
	return strings.Join(parts, ", ")
}

// size writes a number of bytes for people.
func size(bytes uint64) string {
	const units = "KMGTPE"
	if bytes < 1<<10 {
		return fmt.Sprintf("%d B", bytes)
	}
	value, unit := float64(bytes)/1024, 0
	for value >= 1024 && unit < len(units)-1 {
		value, unit = value/1024, unit+1
	}
	return strings.Replace(fmt.Sprintf("%.1f %ciB", value, units[unit]), ".0 ", " ", 1)
}
