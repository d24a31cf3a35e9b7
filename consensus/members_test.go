package consensus

import (
	"testing"

	"github.com/hashicorp/raft"
)

// servers makes members from words of a letter, the ID, and marks:
// v votes, + alive, * alive and stable, x dead, g gone from the catalog.
func servers(words ...string) (members []member) {
	for _, word := range words {
		m := member{id: raft.ServerID(word[:1]), wanted: true}
		for _, mark := range word[1:] {
			switch mark {
			case 'v':
				m.voter = true
			case '+':
				m.alive = true
			case '*':
				m.alive, m.stable = true, true
			case 'x':
				m.dead = true
			case 'g':
				m.wanted = false
			}
		}
		members = append(members, m)
	}
	return members
}

func TestPlan(t *testing.T) {
	for name, tt := range map[string]struct {
		members []member
		fresh   []raft.ServerID
		want    step
	}{
		"alone":                              {servers("av*"), nil, step{}},
		"a new scheduler":                    {servers("av*"), []raft.ServerID{"b", "c"}, step{add, "b"}},
		"it is not stable yet":               {servers("av*", "b+"), nil, step{}},
		"it is":                              {servers("av*", "b*"), nil, step{promote, "b"}},
		"a new one does not wait for it":     {servers("av*", "b*"), []raft.ServerID{"c"}, step{add, "c"}},
		"five voters are enough":             {servers("av*", "bv*", "cv*", "dv*", "ev*", "f*", "g*"), nil, step{}},
		"a silent voter keeps its vote":      {servers("av*", "bv*", "cv*", "dv", "ev*", "f*"), nil, step{}},
		"a dead one makes room":              {servers("av*", "bv*", "cv*", "dvx", "ev*", "f*"), nil, step{demote, "d"}},
		"which a standby takes":              {servers("av*", "bv*", "cv*", "dx", "ev*", "f*"), nil, step{promote, "f"}},
		"it is back, and stands by":          {servers("av*", "bv*", "cv*", "d*", "ev*", "fv*"), nil, step{}},
		"a dead one of four":                 {servers("av*", "bv*", "cv*", "dvx"), nil, step{demote, "d"}},
		"a dead one of three stays":          {servers("av*", "bv*", "cvx"), nil, step{}},
		"unless somebody takes its place":    {servers("av*", "bv*", "cvx", "d*"), nil, step{promote, "d"}},
		"two dead of five":                   {servers("av*", "bv*", "cv*", "dvx", "evx"), nil, step{demote, "d"}},
		"no majority would be left":          {servers("av*", "bv+", "cv", "dvx", "ev"), nil, step{}},
		"who left the catalog":               {servers("av*", "bv*", "cv*g"), nil, step{remove, "c"}},
		"a standby that left":                {servers("av*", "bg"), nil, step{remove, "b"}},
		"not while the others are out":       {servers("av*", "bv*g", "cv"), nil, step{}},
		"removals come first":                {servers("av*", "b*", "cgx"), []raft.ServerID{"d"}, step{remove, "c"}},
		"the leader left":                    {servers("av*g", "bv+", "cv*"), nil, step{transfer, "b"}},
		"the leader left, a standby is next": {servers("av*g", "b*"), nil, step{promote, "b"}},
		"the last one left":                  {servers("av*g"), nil, step{}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := plan("a", tt.members, tt.fresh); got != tt.want {
				t.Errorf("plan = %v, want %v", got, tt.want)
			}
		})
	}
}
