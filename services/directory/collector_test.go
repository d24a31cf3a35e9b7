package directory

import (
	"errors"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"

	"github.com/weft-run/weft/consensus"
	clusterv1 "github.com/weft-run/weft/proto/weft/cluster/v1"
	"github.com/weft-run/weft/services/placement"
)

// bench is the directory of a node that leads, in a bubble, with other nodes that are nothing but their reports.
type bench struct {
	*Directory
	t *testing.T

	mu      sync.Mutex
	leader  string        // guarded by mu
	changed chan struct{} // guarded by mu
	members []string      // guarded by mu
	gone    []string      // guarded by mu
	learned []string      // guarded by mu: addresses of cluster ports
}

func (b *bench) Leader() (string, <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.leader, b.changed
}

func (b *bench) lead(id string) {
	b.mu.Lock()
	b.leader = id
	close(b.changed)
	b.changed = make(chan struct{})
	b.mu.Unlock()
	synctest.Wait()
}

func (*bench) Conn(string) (grpc.ClientConnInterface, error) {
	return nil, errors.New("there are no others")
}

// newBench makes a directory that starts with what it knows of others, and is not started.
func newBench(t *testing.T, nodes ...*clusterv1.NodeState) *bench {
	t.Helper()
	b := &bench{t: t, leader: "self", changed: make(chan struct{})}
	var err error
	if b.Directory, err = New(Config{
		ID: "self", Leadership: b, Peers: b, Logger: slog.New(slog.DiscardHandler),
		Self: func() *clusterv1.Report {
			return &clusterv1.Report{Level: 3, Address: &clusterv1.Address{Incarnation: 1, Cluster: "self:1"}}
		},
		Members: func() []string {
			b.mu.Lock()
			defer b.mu.Unlock()
			return slices.Clone(b.members)
		},
		HashAt: func(index uint64) ([]byte, bool) { return []byte("ours"), index == 7 },
		Learn: func(all []consensus.Address) {
			b.mu.Lock()
			defer b.mu.Unlock()
			for _, a := range all {
				b.learned = append(b.learned, a.Cluster)
			}
		},
		Gone: func(id string) {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.gone = append(b.gone, id)
		},
	}); err != nil {
		t.Fatal(err)
	}
	v, err := ViewOf(&clusterv1.ExchangeResponse{Nodes: nodes})
	if err != nil {
		t.Fatal(err)
	}
	b.show(v)
	return b
}

func (b *bench) start() {
	b.Start()
	b.t.Cleanup(b.Close)
	synctest.Wait()
}

// hear gives the collector a report of a node.
func (b *bench) hear(id string, incarnation, number uint64, changes *clusterv1.RevisionChanges, more ...func(*clusterv1.Report)) error {
	r := &clusterv1.Report{Number: number, Level: 2, Address: &clusterv1.Address{Node: id, Incarnation: incarnation}}
	r.ClockUnixNanos = time.Now().Add(time.Minute).UnixNano()
	for _, f := range more {
		f(r)
	}
	return b.collecting().report(id, &clusterv1.ExchangeRequest{Report: r, Revisions: changes})
}

func (b *bench) mustHear(id string, incarnation, number uint64, changes *clusterv1.RevisionChanges, more ...func(*clusterv1.Report)) {
	b.t.Helper()
	if err := b.hear(id, incarnation, number, changes, more...); err != nil {
		b.t.Fatal(err)
	}
}

func TestSilentNodesAreLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.start()
		for i := range uint64(5) {
			b.mustHear("a", 1, i+1, map[bool]*clusterv1.RevisionChanges{true: all(1, 1)}[i == 0])
			time.Sleep(time.Second)
		}
		time.Sleep(time.Second) // A hiccup: two seconds since the last report.
		if n := b.View().Node("a"); !n.Alive || !n.Usable() {
			t.Fatalf("lost after two seconds: %+v", n)
		}
		time.Sleep(1600 * time.Millisecond)
		if n := b.View().Node("a"); n.Alive || b.View().ReadyAnywhere(keyNumber(1)) || !slices.Equal(b.View().Ready(keyNumber(1)), []string{"a"}) {
			t.Fatalf("alive after three and a half: %+v", n)
		}
		b.mustHear("a", 1, 6, nil)
		time.Sleep(gather + time.Millisecond)
		if !b.View().Node("a").Alive || !b.View().ReadyAnywhere(keyNumber(1)) {
			t.Fatal("it does not come back")
		}
		if n := b.View().Node("self"); n == nil || !n.Alive || n.Level != 3 {
			t.Errorf("the leader of itself: %+v", n)
		}
	})
}

func TestANewLeaderWaitsBeforeItCallsAnybodyLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, stateOf("a", 1, 10, all(4, 1)), stateOf("b", 1, 10, all(4, 2)))
		b.leader = ""
		b.start()
		time.Sleep(time.Hour)
		b.lead("self")
		if b.Settled() {
			t.Fatal("settled at once")
		}
		time.Sleep(2900 * time.Millisecond)
		if !b.View().Node("a").Alive || !b.View().Node("b").Alive {
			t.Fatal("nodes are lost before they could report")
		}
		b.mustHear("a", 1, 11, all(4, 1))
		time.Sleep(time.Second)
		if !b.Settled() || !b.View().Node("a").Alive || b.View().Node("b").Alive {
			t.Fatal("a has reported and b has not")
		}
		b.lead("other")
		if b.Settled() {
			t.Fatal("settled without leading")
		}
	})
}

func TestALeaderThatSleptWaitsAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.start()
		b.mustHear("a", 1, 1, all(1))
		time.Sleep(2900 * time.Millisecond)
		c := b.collecting()
		c.mu.Lock()
		c.checked = c.checked.Add(-time.Hour) // as if it had not looked for that long
		c.mu.Unlock()
		time.Sleep(2900 * time.Millisecond)
		if !b.View().Node("a").Alive {
			t.Fatal("a node is lost while its reports may wait to be read")
		}
		time.Sleep(time.Second)
		if b.View().Node("a").Alive {
			t.Fatal("a is never lost")
		}
	})
}

func TestReportsThatDoNotFollowAreRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.start()
		if err := b.hear("a", 5, 1, delta(1, []int{1}, nil)); !errors.Is(err, errGap) {
			t.Errorf("a first report with changes only: %v", err)
		}
		b.mustHear("a", 5, 1, all(1, 1))
		for name, err := range map[string]error{
			"an earlier process":  b.hear("a", 4, 9, all(9, 9)),
			"an earlier report":   b.hear("a", 5, 1, all(1, 9)),
			"changes after a gap": b.hear("a", 5, 2, delta(3, []int{9}, nil)),
			"another's name":      b.collecting().report("b", &clusterv1.ExchangeRequest{Report: &clusterv1.Report{Address: &clusterv1.Address{Node: "a"}}}),
		} {
			if err == nil {
				t.Errorf("%s is taken", name)
			}
		}
		b.mustHear("a", 5, 3, delta(1, []int{2}, nil))
		b.mustHear("a", 5, 4, delta(2, nil, []int{1}))
		time.Sleep(2 * gather)
		if got := readyOn(t, b.View(), "a"); !slices.Equal(got, []int{2}) {
			t.Errorf("ready: %v", got)
		}
		b.mustHear("a", 6, 1, all(1, 3))
		time.Sleep(2 * gather)
		if got := readyOn(t, b.View(), "a"); !slices.Equal(got, []int{3}) {
			t.Errorf("ready in the new process: %v", got)
		}
	})
}

func TestNodesThatLeftAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.members = []string{"self", "a"}
		b.start()
		if err := b.hear("stranger", 1, 1, all(1, 1)); !errors.Is(err, errStranger) {
			t.Errorf("a stranger: %v", err)
		}
		b.mustHear("a", 1, 1, all(1, 1))
		time.Sleep(time.Second + time.Millisecond)
		if b.View().Node("a") == nil {
			t.Fatal("a is not known")
		}
		b.mu.Lock()
		b.members = []string{"self"}
		b.mu.Unlock()
		time.Sleep(1100 * time.Millisecond)
		b.mu.Lock()
		gone := slices.Clone(b.gone)
		b.mu.Unlock()
		if b.View().Node("a") != nil || len(b.View().Ready(keyNumber(1))) != 0 || !slices.Equal(gone, []string{"a"}) {
			t.Fatalf("a is still there; gone: %v", gone)
		}
		if err := b.hear("a", 1, 2, nil); !errors.Is(err, errGap) {
			t.Errorf("its next report: %v", err)
		}
		if err := b.hear("a", 1, 3, all(1, 1)); !errors.Is(err, errStranger) {
			t.Errorf("when it begins again: %v", err)
		}
	})
}

func TestLevelIsTheLowestOfAllMembers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, stateOf("b", 1, 1, all(1)))
		b.members = []string{"self", "a", "b"}
		b.start()
		b.mustHear("a", 1, 1, all(1))
		if _, ok := b.Level(); ok {
			t.Error("b has not reported to this leader")
		}
		b.mustHear("b", 1, 2, all(1), func(r *clusterv1.Report) { r.Level = 1 })
		if level, ok := b.Level(); !ok || level != 1 {
			t.Errorf("level %d, %t", level, ok)
		}
		b.mustHear("b", 1, 3, nil, func(r *clusterv1.Report) { r.Level = 4 })
		if level, ok := b.Level(); !ok || level != 2 {
			t.Errorf("level %d, %t", level, ok)
		}
	})
}

func TestWhatTheLeaderFindsOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.start()
		hash := func(index uint64, hash string) func(*clusterv1.Report) {
			return func(r *clusterv1.Report) { r.AppliedIndex, r.StateHash = index, []byte(hash) }
		}
		b.mustHear("a", 1, 1, all(1), hash(6, "theirs"))
		b.mustHear("b", 1, 1, all(1), hash(7, "theirs"))
		b.mustHear("c", 1, 1, all(1), hash(7, "ours"))
		b.SetUnplaced([]Unplaced{{Key: keyNumber(1), Missing: 2, Reason: "why"}})
		time.Sleep(2 * gather)
		v := b.View()
		if v.Node("a").Diverged || !v.Node("b").Diverged || v.Node("c").Diverged {
			t.Error("b, and only b, has diverged")
		}
		if offset := v.Node("a").ClockOffset; offset != time.Minute {
			t.Errorf("a's clock is ahead by %v", offset)
		}
		if u, ok := v.Unplaced(keyNumber(1)); !ok || u.Missing != 2 || u.Reason != "why" {
			t.Errorf("unplaced: %+v", u)
		}
		b.SetUnplaced(nil)
		time.Sleep(2 * gather)
		if _, ok := b.View().Unplaced(keyNumber(1)); ok {
			t.Error("it is still unplaced")
		}
		b.mu.Lock()
		defer b.mu.Unlock()
		if !slices.Contains(b.learned, "self:1") {
			t.Errorf("learned %v", b.learned)
		}
	})
}

// TestReadersAreToldOnlyWhatTheyLack joins readers that know more or less.
func TestReadersAreToldOnlyWhatTheyLack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, stateOf("silent", 1, 1, all(4, 1)))
		b.members = []string{"self", "a", "silent"}
		b.start()
		b.mustHear("a", 2, 1, all(1, 1))
		b.mustHear("a", 2, 2, delta(1, []int{2}, nil))
		time.Sleep(2 * gather)
		for name, test := range map[string]struct {
			known []*clusterv1.Known
			want  map[string]string // node → "whole", "state"
			gone  int
		}{
			"nothing": {nil, map[string]string{"a": "whole", "self": "whole", "silent": "whole"}, 0},
			"all": {
				[]*clusterv1.Known{{Id: "a", Incarnation: 2, Sequence: 2}, {Id: "self", Incarnation: 1, Sequence: 1}, {Id: "silent", Incarnation: 1, Sequence: 4}},
				map[string]string{"a": "state", "self": "state"}, 0,
			},
			"older, newer than the leader, and one that left": {
				[]*clusterv1.Known{{Id: "a", Incarnation: 1, Sequence: 9}, {Id: "self", Incarnation: 1, Sequence: 1}, {Id: "silent", Incarnation: 1, Sequence: 5}, {Id: "left"}},
				map[string]string{"a": "whole", "self": "state"}, 1,
			},
		} {
			r, messages := b.collecting().join(test.known)
			got, gone := map[string]string{}, 0
			for _, m := range messages {
				gone += len(m.GetGone())
				for _, s := range m.GetNodes() {
					got[s.GetId()] = map[bool]string{true: "whole", false: "state"}[s.GetRevisions().GetWhole()]
				}
			}
			if len(got) != len(test.want) || gone != test.gone {
				t.Errorf("who knows %s gets %v and %d gone; want %v and %d", name, got, gone, test.want, test.gone)
			}
			for id, want := range test.want {
				if got[id] != want {
					t.Errorf("who knows %s gets %q of %s; want %q", name, got[id], id, want)
				}
			}
			b.collecting().leave(r)
		}
	})
}

func TestSlowReadersAreCutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.start()
		r, _ := b.collecting().join(nil)
		time.Sleep((backlog + 2) * time.Second) // one heartbeat each
		count := 0
		for range r.batches {
			count++
		}
		if count != backlog {
			t.Errorf("%d batches were kept for it", count)
		}
	})
}

func TestFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "directory")
	v, err := ViewOf(&clusterv1.ExchangeResponse{
		Nodes: []*clusterv1.NodeState{stateOf("a", 3, 2, all(5, 1, 2)), stateOf("b", 1, 1, all(1))},
		Unplaced: &clusterv1.UnplacedSet{Revisions: []*clusterv1.Unplaced{
			{Namespace: "default", Name: "f9", Revision: 1, Missing: 1, Reason: "why"},
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := write(path, v); err != nil {
		t.Fatal(err)
	}
	got, err := load(path)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(readyOn(t, got, "a"), []int{1, 2}) || got.Node("a").sequence != 5 || got.Node("b").Name != "b-1" {
		t.Errorf("read back: %+v", got.Node("a"))
	}
	if u, ok := got.Unplaced(keyNumber(9)); !ok || u.Reason != "why" {
		t.Errorf("unplaced: %+v", u)
	}
	data, err := encode(v)
	if err != nil {
		t.Fatal(err)
	}
	for i := range data {
		damaged := slices.Clone(data)
		damaged[i] ^= 1
		if _, err := decode(damaged); err == nil {
			t.Errorf("a flipped bit in byte %d of %d is not noticed", i, len(data))
		}
		if _, err := decode(data[:i]); err == nil {
			t.Errorf("%d of %d bytes are taken for the whole", i, len(data))
		}
	}
	if v, err := load(filepath.Join(t.TempDir(), "none")); err != nil || v.Len() != 0 {
		t.Errorf("no file: %v", err)
	}
}

func TestReportsAreDeltas(t *testing.T) {
	states := &snapshot{}
	r := newReports(Config{Self: func() *clusterv1.Report { return &clusterv1.Report{} }, Placements: states})
	states.set(1, placement.StateReady)
	states.set(2, placement.StateLoading)
	first := r.next(false, false)
	if c := first.GetRevisions(); c.GetBase() != 0 || c.GetSequence() != 1 || len(c.GetChanged()) != 2 {
		t.Errorf("first: %v", c)
	}
	if c := r.next(false, true); c.GetRevisions() != nil || c.GetReport().GetNumber() != 2 || !c.GetReport().GetStopping() {
		t.Errorf("nothing has changed: %v", c)
	}
	states.set(2, placement.StateReady)
	states.set(1, placement.StateIdle)
	if c := r.next(false, false).GetRevisions(); c.GetBase() != 1 || c.GetSequence() != 2 || len(c.GetChanged()) != 1 || len(c.GetGone()) != 1 {
		t.Errorf("changes: %v", c)
	}
	states.set(3, placement.StateFailed)
	if c := r.next(true, false).GetRevisions(); !c.GetWhole() || c.GetSequence() != 3 || len(c.GetChanged()) != 2 || len(c.GetGone()) != 0 {
		t.Errorf("whole: %v", c)
	}
	if c := r.next(false, false).GetRevisions(); c != nil {
		t.Errorf("what the whole had comes again: %v", c)
	}
	empty := newReports(Config{Self: func() *clusterv1.Report { return &clusterv1.Report{} }, Placements: nothing{}})
	if c := empty.next(true, false).GetRevisions(); !c.GetWhole() || c.GetSequence() != 1 {
		t.Errorf("a node without revisions: %v", c)
	}
}

// snapshot is placements that do not tell when they change.
type snapshot struct {
	states map[int]string
	news   []Revision
}

func (s *snapshot) set(i int, state string) {
	if s.states == nil {
		s.states = map[int]string{}
	}
	if s.states[i] = state; state == placement.StateIdle {
		delete(s.states, i)
	}
	s.news = append(s.news, Revision{Key: keyNumber(i), State: state})
}

func (s *snapshot) Snapshot() []Revision {
	var list []Revision
	for i, state := range s.states {
		list = append(list, Revision{Key: keyNumber(i), State: state})
	}
	return list
}

func (s *snapshot) News() []Revision {
	news := s.news
	s.news = nil
	return news
}

func (*snapshot) Changed() <-chan struct{} { return nil }

// stuck is placements that answer once, and then not until they are let go.
type stuck struct {
	nothing

	asked bool
	free  chan struct{}
}

func (s *stuck) News() []Revision {
	if s.asked {
		<-s.free
	}
	s.asked = true
	return nil
}

// TestTheLeaderIsNotLost: a node that leads is not lost to itself, however long its own report takes on a machine that is busy.
func TestTheLeaderIsNotLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		s := &stuck{free: make(chan struct{})}
		b.config.Placements = s
		b.start()
		defer close(s.free)
		b.mustHear("a", 1, 1, all(1, 1))
		time.Sleep(time.Minute)
		if n := b.View().Node("self"); n == nil || !n.Alive {
			t.Errorf("the leader of itself: %+v", n)
		}
		if n := b.View().Node("a"); n == nil || n.Alive {
			t.Errorf("one that is silent: %+v", n)
		}
	})
}
