package artifacts

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/weft-run/weft/consensus/catalog"
)

// KeeperConfig configures a Keeper.
type KeeperConfig struct {
	// Node is this node's ID.
	Node    string
	Store   *Store
	Fetcher *Fetcher
	// View gives the catalog. Linearize returns once it shows all that was acknowledged before; it fails while there is no
	// leader.
	View      func() *catalog.View
	Linearize func(context.Context) error
	// SweepCode removes compiled code whose component keep does not want; executor.Executor.Sweep is one. It may be nil.
	SweepCode func(keep func(digest [32]byte) bool) error
	// Logger is told of what does not go well. Nil: slog.Default.
	Logger *slog.Logger

	// Every is how often the keeper looks, besides when the catalog changes. Default: 5 minutes.
	Every time.Duration
	// Grace is how long an artifact stays that no revision has named yet. Default: 1 hour. Named is how long one stays
	// that another node has sent, after it did and although the revision is gone that named it. Default: 1 minute.
	Grace, Named time.Duration
	// Cache is how many bytes of artifacts a node that is no scheduler keeps although nothing of them is placed on it, for
	// calls that name another revision. Default: 2 GiB.
	Cache int64
}

// Keeper brings this node's store in line with the catalog, as long as it runs. A scheduler has all that revisions name;
// what it lacks, because it was down or new, or the file was corrupt, it fetches from others, so that there is a majority
// again. And every node removes what no revision names; see the package's comment.
type Keeper struct {
	config KeeperConfig
	cancel context.CancelFunc
	done   sync.WaitGroup
}

const (
	// The pauses after a change of the catalog: changes come in flocks. A sweep asks the leader, and nothing waits for it.
	repairSettle = time.Second
	sweepSettle  = 15 * time.Second
	// firstRetry and maxRetry are pauses after what did not go well.
	firstRetry = 2 * time.Second
	maxRetry   = time.Minute
	// linearizeWait is how long a sweep waits for a leader.
	linearizeWait = 2 * time.Second
)

// NewKeeper makes a keeper that begins to work. It must be closed.
func NewKeeper(c KeeperConfig) *Keeper {
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.Every <= 0 {
		c.Every = 5 * time.Minute
	}
	if c.Grace <= 0 {
		c.Grace = time.Hour
	}
	if c.Named <= 0 {
		c.Named = time.Minute
	}
	if c.Cache <= 0 {
		c.Cache = 2 << 30
	}
	ctx, cancel := context.WithCancel(context.Background())
	k := &Keeper{config: c, cancel: cancel}
	k.done.Go(func() { k.loop(ctx, k.repair, repairSettle, nil) })
	k.done.Go(func() { k.loop(ctx, k.sweep, sweepSettle, c.Store.released) })
	return k
}

// Close stops the keeper and waits for what it does.
func (k *Keeper) Close() {
	k.cancel()
	k.done.Wait()
}

// loop does some work at once, when the catalog has changed, when it is asked for, and every now and then; sooner after it
// failed.
func (k *Keeper) loop(ctx context.Context, work func(context.Context) error, settle time.Duration, asked <-chan struct{}) {
	retry := firstRetry
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		changed := k.config.View().Changed()
		pause := k.config.Every
		if err := work(ctx); err != nil {
			pause, retry = min(retry, pause), min(2*retry, maxRetry)
		} else {
			retry = firstRetry
		}
		timer.Reset(pause)
		select {
		case <-changed:
			timer.Reset(min(settle, pause))
			select {
			case <-timer.C:
			case <-ctx.Done():
			}
		case <-asked:
		case <-timer.C:
		case <-ctx.Done():
		}
		if ctx.Err() != nil {
			return
		}
	}
}

// repair reads every artifact that this node is to have, once in the life of the process, and fetches what is not there.
func (k *Keeper) repair(ctx context.Context) error {
	view := k.config.View()
	if !view.Node(k.config.Node).GetScheduler() {
		return nil // an executor fetches what it loads
	}
	var failed error
	for d := range named(view) {
		if _, err := k.config.Store.Path(d); err == nil {
			continue
		}
		switch _, err := k.config.Fetcher.Fetch(ctx, d); {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			failed = err
			k.config.Logger.Warn("this scheduler lacks an artifact and can't get it now", "error", err)
		default:
			k.config.Logger.Info("fetched an artifact that this scheduler lacked", "digest", digestText(d))
		}
	}
	return failed
}

// sweep removes what nobody needs here.
func (k *Keeper) sweep(ctx context.Context) error {
	limited, cancel := context.WithTimeout(ctx, linearizeWait)
	defer cancel()
	// After a restart the catalog may be behind what was acknowledged, until it has caught up with the log.
	if err := k.config.Linearize(limited); err != nil {
		return err
	}
	view := k.config.View()
	all := named(view)
	policy := Policy{Wanted: func(d Digest) bool { return all[d] }, Grace: k.config.Grace, Named: k.config.Named}
	if n := view.Node(k.config.Node); n != nil && !n.GetScheduler() {
		here := placedHere(view, k.config.Node)
		policy.Wanted = func(d Digest) bool { return here[d] }
		policy.Cached, policy.CacheBytes = func(d Digest) bool { return all[d] }, k.config.Cache
	}
	err := k.config.Store.Sweep(policy)
	if k.config.SweepCode != nil {
		err = errors.Join(err, k.config.SweepCode(func(d Digest) bool { return policy.Wanted(d) || k.config.Store.Contains(d) }))
	}
	if err != nil {
		k.config.Logger.Warn("sweep artifacts", "error", err)
	}
	return err
}

// digestText is how a digest is written for people.
func digestText(d Digest) string { return fmt.Sprintf("sha256:%x", d) }
