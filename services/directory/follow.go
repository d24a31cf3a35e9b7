package directory

import (
	"context"
	"fmt"
	"sync"
	"time"

	"google.golang.org/grpc"

	clusterv1 "github.com/weft-run/weft/proto/weft/cluster/v1"
)

// follow reports to a leader and takes in what it sends, until ctx is done or the stream ends. Well is called when the
// first news has come.
func (d *Directory) follow(ctx context.Context, leader string, r *reports, well func()) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	conn, err := d.config.Peers.Conn(leader)
	if err != nil {
		return err
	}
	stream, err := clusterv1.NewDirectoryServiceClient(conn).Exchange(ctx)
	if err != nil {
		return err
	}
	pace := d.newPace()
	defer pace.stop()
	first := r.next(true, d.isStopping())
	first.Known = d.View().known()
	if err := stream.Send(first); err != nil {
		return streamError(stream, err)
	}
	received := &receiver{directory: d, stream: stream, began: time.Now()}
	var receiving sync.WaitGroup
	receiving.Go(func() {
		defer cancel()
		received.run(well)
	})
	defer receiving.Wait()
	defer cancel()
	for pace.wait(ctx.Done()) {
		if silent := received.silent(); silent > d.config.Grace {
			return fmt.Errorf("directory: the leader has been silent for %v", silent.Round(time.Millisecond))
		}
		if err := stream.Send(r.next(false, d.isStopping())); err != nil {
			break // the receiver knows why
		}
	}
	cancel()
	receiving.Wait()
	return received.err
}

// receiver takes in what a leader sends.
type receiver struct {
	directory *Directory
	stream    grpc.BidiStreamingClient[clusterv1.ExchangeRequest, clusterv1.ExchangeResponse]
	began     time.Time
	err       error // why it ended

	mu   sync.Mutex
	last time.Time // guarded by mu: when news came
}

func (r *receiver) run(well func()) {
	for {
		news, err := r.stream.Recv()
		if err == nil {
			err = r.directory.take(news)
		}
		if err != nil {
			r.err = err
			return
		}
		r.mu.Lock()
		if r.last.IsZero() {
			well()
		}
		r.last = time.Now()
		r.mu.Unlock()
	}
}

// silent is how long nothing has come.
func (r *receiver) silent() time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.last.IsZero() {
		return time.Since(r.began)
	}
	return time.Since(r.last)
}

// streamError gives the reason why a Send failed.
func streamError(stream grpc.BidiStreamingClient[clusterv1.ExchangeRequest, clusterv1.ExchangeResponse], err error) error {
	if _, why := stream.Recv(); why != nil {
		return why
	}
	return err
}
