package control

import (
	"cmp"
	"context"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/weft-run/weft/consensus/catalog"
	"github.com/weft-run/weft/executor"
	catalogv1 "github.com/weft-run/weft/proto/weft/catalog/v1"
	weftv1 "github.com/weft-run/weft/proto/weft/v1"
	"github.com/weft-run/weft/wit/contract"
)

// describe tells all of a function, with the text of its transcoder if that is wanted. What only its component can tell is left out where this node can't read that; the
// state of the revision says why.
func (s *Server) describe(ctx context.Context, view *catalog.View, row *catalogv1.Function, text bool) *weftv1.Function {
	f := s.outline(row)
	f.Services = s.owned(view, row)
	current := catalog.Current(row)
	left := maxCalls
	f.Calls = calls(view, row.GetNamespace(), current.GetBindings(), shownCalls, &left)
	f.Callers = callers(view, row.GetNamespace(), row.GetName())
	var shown *weftv1.Revision
	for _, r := range row.GetRevisions() {
		described := s.revision(view, row, r)
		if r == current {
			shown = described
		}
		f.Revisions = append(f.Revisions, described)
	}
	if shown == nil {
		return f
	}
	r, err := s.config.Components.Revision(ctx, keyOf(row, current))
	if err != nil {
		shown.Reason = cmp.Or(shown.Reason, err.Error())
		return f
	}
	t := executor.DescribeTranscoding(r, plainEverywhere(shown.GetPlacements()))
	f.Transcoding = transcoding(t, text)
	shown.Bindings = bindings(view, row.GetNamespace(), r.World, current.GetBindings())
	f.Secrets = s.secretsFor(view, row.GetNamespace(), row.GetName(), r.World)
	var contracts []*weftv1.Contract
	for _, p := range current.GetPackages() {
		if c := view.Contract(row.GetNamespace(), p); c != nil {
			contracts = append(contracts, c)
		}
	}
	f.Services = s.services(view, row.GetNamespace(), contracts, r.Services, t.Paths)
	return f
}

// maxTranscoder is how much of a transcoder's text is sent, in bytes, besides the line that says what was left out.
const maxTranscoder = 2 << 20

// transcoding says how messages become values, with the code for it as text if that is wanted.
func transcoding(t *executor.Transcoding, text bool) *weftv1.Transcoding {
	out := &weftv1.Transcoding{Methods: t.Methods, FromBytes: uint32(t.FromBytes), Reason: t.Reason, Direct: t.Direct,
		Imports: t.Imports.Methods, DirectImports: t.Imports.Direct, PlainImports: t.Imports.Plain}
	for _, methods := range [][]string{out.Methods, out.Direct, out.Imports, out.DirectImports, out.PlainImports} {
		slices.Sort(methods)
	}
	if text {
		out.Text = cutText(t.Text(), maxTranscoder)
	}
	return out
}

// cutText is a text of WebAssembly, if it has more than limit bytes its first lines in so many, and a comment that says so.
func cutText(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	whole := text[:strings.LastIndexByte(text[:limit], '\n')+1]
	return fmt.Sprintf("%s;; cut here: the text has %d bytes, of which %d are not shown\n", whole, len(text), len(text)-len(whole))
}

// brief tells of a function what the catalog knows without its component.
func (s *Server) brief(view *catalog.View, row *catalogv1.Function) *weftv1.Function {
	f := s.outline(row)
	if current := catalog.Current(row); current != nil {
		f.Revisions = []*weftv1.Revision{s.revision(view, row, current)}
	}
	f.Services = s.owned(view, row)
	return f
}

func (s *Server) outline(row *catalogv1.Function) *weftv1.Function {
	return &weftv1.Function{Namespace: row.GetNamespace(), Name: row.GetName(), Revision: row.GetCurrent()}
}

// owned names the services of the current revision and their owners.
func (s *Server) owned(view *catalog.View, row *catalogv1.Function) []*weftv1.Service {
	var services []*weftv1.Service
	for _, name := range catalog.Current(row).GetServices() {
		services = append(services, &weftv1.Service{Name: name, Owner: view.Owner(row.GetNamespace(), name)})
	}
	return services
}

func (s *Server) revision(view *catalog.View, row *catalogv1.Function, r *catalogv1.Revision) *weftv1.Revision {
	k := keyOf(row, r)
	placements := s.placements(view, k)
	state, reason := s.state(view, k, placements)
	return &weftv1.Revision{
		Number:      r.GetNumber(),
		Digest:      digestText(r.GetDigest()),
		SizeBytes:   r.GetSizeBytes(),
		Created:     timestamppb.New(time.Unix(0, r.GetCreatedUnixNanos())),
		Environment: r.GetEnvironment(),
		Limits: &weftv1.Limits{
			MemoryBytes:  r.GetMemoryBytes(),
			Timeout:      durationpb.New(time.Duration(r.GetTimeoutNanos())),
			Concurrency:  r.GetConcurrency(),
			Queue:        r.GetQueue(),
			MessageBytes: r.GetMessageBytes(),
			Reuse:        max(r.GetReuse(), 1),
		},
		State:      state,
		Reason:     reason,
		Scheduling: schedulingOf(r),
		Placements: placements,
	}
}

// services describes bound services, ordered by name, with the paths of their messages where those are known.
func (s *Server) services(view *catalog.View, ns string, contracts []*weftv1.Contract,
	bound []*contract.Service, paths map[*contract.Method]executor.Path,
) []*weftv1.Service {
	samples := newSampler(contracts)
	services := make([]*weftv1.Service, 0, len(bound))
	for _, b := range bound {
		service := &weftv1.Service{Name: b.Name, Interface: b.Interface, Owner: view.Owner(ns, b.Name)}
		for _, m := range b.Methods {
			method := &weftv1.Method{
				Name:         m.Name,
				Signature:    m.Function.String(),
				RequestType:  m.Request,
				ResponseType: m.Response,
				Sample:       samples.request(m),
				Path:         paths[m].Name,
				PathReason:   paths[m].Why,
			}
			if m.Error != nil {
				method.ErrorType = m.Error.Message
			}
			service.Methods = append(service.Methods, method)
		}
		services = append(services, service)
	}
	slices.SortFunc(services, func(a, b *weftv1.Service) int { return cmp.Compare(a.GetName(), b.GetName()) })
	return services
}

// rehearsal answers a dry run: the function as it would be, without what only a commit gives.
func (s *Server) rehearsal(p *plan, spec *weftv1.DeploySpec) *weftv1.DeployResponse {
	row := newRow(spec, p)
	f := &catalogv1.Function{Namespace: spec.GetNamespace(), Name: spec.GetName()}
	revision := s.revision(p.view, f, row)
	revision.Created, revision.State, revision.Reason, revision.Placements = nil, "", "", nil
	revision.Bindings = bindings(p.view, spec.GetNamespace(), p.artifact.world, row.GetBindings())
	left := maxCalls
	services := s.services(p.view, spec.GetNamespace(), p.built.Contracts, p.built.Services, nil)
	for _, service := range services {
		service.Owner = p.view.OwnerWith(spec.GetNamespace(), service.GetName(), spec.GetName())
	}
	return &weftv1.DeployResponse{
		Function: &weftv1.Function{
			Namespace: spec.GetNamespace(),
			Name:      spec.GetName(),
			Revisions: []*weftv1.Revision{revision},
			Services:  services,
			Calls:     calls(p.view, spec.GetNamespace(), row.GetBindings(), shownCalls, &left),
			Callers:   callers(p.view, spec.GetNamespace(), spec.GetName()),
		},
		Changes:  p.changes,
		Warnings: append(p.notes, "dry run: nothing was deployed"),
	}
}

func keyOf(f *catalogv1.Function, r *catalogv1.Revision) executor.Key {
	return executor.Key{Namespace: f.GetNamespace(), Function: f.GetName(), Revision: r.GetNumber()}
}

func digestText(digest []byte) string { return "sha256:" + hex.EncodeToString(digest) }
