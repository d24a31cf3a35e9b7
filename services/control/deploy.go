package control

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"

	"github.com/weft-run/weft/consensus"
	"github.com/weft-run/weft/executor"
	weftv1 "github.com/weft-run/weft/proto/weft/v1"
	"github.com/weft-run/weft/services/failure"
	"github.com/weft-run/weft/services/placement"
	"github.com/weft-run/weft/wit"
	"github.com/weft-run/weft/wit/doc"
)

// Deploy implements weft.v1.FunctionService.
func (s *Server) Deploy(stream grpc.ClientStreamingServer[weftv1.DeployRequest, weftv1.DeployResponse]) error {
	ctx := stream.Context()
	leave, err := s.enter(ctx)
	if err != nil {
		return s.changeStatus(ctx, err)
	}
	leave = sync.OnceFunc(leave)
	defer leave()
	spec, body, err := receive(ctx, stream.Recv, s.config.Idle)
	if err != nil {
		return s.changeStatus(ctx, err)
	}
	response, err := s.deploy(ctx, spec, body, leave)
	if err != nil {
		return s.changeStatus(ctx, err)
	}
	return stream.SendAndClose(response)
}

// Diff implements weft.v1.FunctionService.
func (s *Server) Diff(stream grpc.ClientStreamingServer[weftv1.DiffRequest, weftv1.DiffResponse]) error {
	ctx := stream.Context()
	leave, err := s.enter(ctx)
	if err != nil {
		return s.status(ctx, err)
	}
	defer leave()
	spec, body, err := receive(ctx, stream.Recv, s.config.Idle)
	if err != nil {
		return s.status(ctx, err)
	}
	response, err := s.diff(ctx, spec, body)
	if err != nil {
		return s.status(ctx, err)
	}
	return stream.SendAndClose(response)
}

// enter waits for a place among the deploys that run.
func (s *Server) enter(ctx context.Context) (leave func(), err error) {
	select {
	case s.uploads <- struct{}{}:
		return func() { <-s.uploads }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// deploy makes a component a revision. It gives its place among the deploys that run back once all work is done, before it waits
// for the revision to become ready.
func (s *Server) deploy(ctx context.Context, spec *weftv1.DeploySpec, body io.Reader, leave func()) (_ *weftv1.DeployResponse, err error) {
	c, err := s.inspect(ctx, spec, body)
	if err != nil {
		return nil, err
	}
	defer func() { s.release(c, !errors.Is(err, consensus.ErrOutcomeUnknown)) }()
	if err := s.catchUp(ctx, spec.GetDryRun()); err != nil {
		return nil, err
	}
	p, err := s.plan(ctx, c, spec, spec.GetAllowBreaking())
	if err != nil {
		return nil, err
	}
	if err := s.config.Executor.Try(ctx, p.runnable(spec)); err != nil {
		return nil, err
	}
	if spec.GetDryRun() {
		return s.rehearsal(p, spec), nil
	}
	limit, err := wait(spec.GetWait())
	if err != nil {
		return nil, err
	}
	if err := s.config.Replicas.Replicate(ctx, p.artifact.digest); err != nil {
		return nil, err
	}
	number, p, err := s.commit(ctx, c, spec, p)
	if err != nil {
		return nil, err
	}
	leave()
	function, ready, warnings, err := s.settled(ctx, executor.Key{
		Namespace: spec.GetNamespace(), Function: spec.GetName(), Revision: number,
	}, limit)
	if err != nil {
		return nil, err
	}
	s.config.Logger.Info("deployed", "namespace", spec.GetNamespace(), "function", spec.GetName(), "revision", number,
		"digest", digestText(p.artifact.digest[:]), "ready", ready)
	return &weftv1.DeployResponse{Function: function, Changes: p.changes, Ready: ready, Warnings: slices.Concat(p.notes, warnings)}, nil
}

func (s *Server) diff(ctx context.Context, spec *weftv1.DeploySpec, body io.Reader) (*weftv1.DiffResponse, error) {
	c, err := s.inspect(ctx, spec, body)
	if err != nil {
		return nil, err
	}
	defer s.release(c, true)
	if err := s.catchUp(ctx, true); err != nil {
		return nil, err
	}
	p, err := s.plan(ctx, c, spec, true)
	if err != nil {
		return nil, err
	}
	response := &weftv1.DiffResponse{Changes: p.changes}
	for _, change := range p.changes {
		response.Breaking = response.Breaking || change.GetBreaking()
	}
	return response, nil
}

// artifact is a component in the store.
type artifact struct {
	digest [32]byte
	size   uint64
	path   string
	world  *wit.World
}

// candidate is a component that may become a revision.
type candidate struct {
	artifact

	foreign  []*wit.Interface // imports that weft does not provide
	comments doc.Comments
	// held are the artifacts to be released: the component, and what it was linked into.
	held [][32]byte
}

// inspect stores a component and reads what it is. Without an error, the candidate is to be released.
func (s *Server) inspect(ctx context.Context, spec *weftv1.DeploySpec, body io.Reader) (_ *candidate, err error) {
	comments, err := readWit(spec.GetWit())
	if err != nil {
		return nil, err
	}
	a, err := s.keep(ctx, body)
	if err != nil {
		return nil, err
	}
	c := &candidate{artifact: a, comments: comments, held: [][32]byte{a.digest}}
	if c.foreign, err = s.foreign(a.world); err != nil {
		s.release(c, true)
		return nil, err
	}
	return c, nil
}

// keep stores a component. Without an error, it is to be released.
func (s *Server) keep(ctx context.Context, body io.Reader) (_ artifact, err error) {
	digest, size, err := s.config.Artifacts.Put(ctx, body, MaxComponent)
	if err != nil {
		return artifact{}, err
	}
	defer func() {
		if err != nil {
			s.config.Artifacts.Release(digest, true)
		}
	}()
	path, err := s.config.Artifacts.Path(digest)
	if err != nil {
		return artifact{}, err
	}
	world, err := placement.ReadWorld(path)
	return artifact{digest: digest, size: uint64(size), path: path, world: world}, err
}

// release ends the holds of a candidate.
func (s *Server) release(c *candidate, settled bool) {
	for _, digest := range c.held {
		s.config.Artifacts.Release(digest, settled)
	}
}

// runnable is what a plan deploys as the executor wants it, with the limits that it is to have.
func (p *plan) runnable(spec *weftv1.DeploySpec) executor.Revision {
	k := executor.Key{Namespace: spec.GetNamespace(), Function: spec.GetName()}
	return placement.Runnable(k, newRow(spec, p), p.artifact.path, p.artifact.world, p.built.Services, p.imports)
}

func readWit(files []*weftv1.WitFile) (doc.Comments, error) {
	content := make(map[string][]byte, len(files))
	for _, f := range files {
		content[f.GetPath()] = f.GetContent()
	}
	comments, err := doc.Parse(content)
	if err != nil {
		return nil, invalid("WIT: %v", err)
	}
	return comments, nil
}

// settled waits for a new revision to become ready and describes its function.
func (s *Server) settled(ctx context.Context, k executor.Key, limit time.Duration) (
	function *weftv1.Function, ready bool, warnings []string, err error,
) {
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	if limit > 0 {
		s.await(limited, k) // the state below says what came of it
	}
	view := s.view()
	row := view.Function(k.Namespace, k.Function)
	state, reason := s.state(view, k, s.placements(view, k))
	ready = state == StateReady
	switch {
	case ready && reason != "":
		warnings = append(warnings, fmt.Sprintf("revision %d runs on fewer nodes than it should: %s", k.Revision, reason))
	case ready:
	case state == StateFailed:
		warnings = append(warnings, fmt.Sprintf("revision %d failed to load: %s", k.Revision, reason))
	case state == StateUnplaced:
		warnings = append(warnings, fmt.Sprintf("revision %d runs nowhere yet: %s", k.Revision, reason))
	case state == StateIdle:
		warnings = append(warnings, fmt.Sprintf("revision %d was committed, and replaced by revision %d before it was ready",
			k.Revision, row.GetCurrent()))
	case limit > 0:
		warnings = append(warnings, fmt.Sprintf("revision %d is not ready after %v; it answers as soon as it is", k.Revision, limit))
	}
	if row == nil {
		return nil, false, nil, failure.Newf(codes.Aborted, Conflict,
			"revision %d of %s was committed, and the function was deleted right after", k.Revision, k.Function)
	}
	return s.describe(ctx, view, row, false), ready, warnings, nil
}
