package control

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	weftv1 "github.com/weft-run/weft/proto/weft/v1"
	"github.com/weft-run/weft/services/failure"
	"github.com/weft-run/weft/wit/component"
)

const header = "\x00asm\x0d\x00\x01\x00"

func specPart(size uint64) *weftv1.DeployRequest {
	return &weftv1.DeployRequest{Part: &weftv1.DeployRequest_Spec{Spec: &weftv1.DeploySpec{Name: "calc", Size: size}}}
}

func chunkPart(data string) *weftv1.DeployRequest {
	return &weftv1.DeployRequest{Part: &weftv1.DeployRequest_Chunk{Chunk: []byte(data)}}
}

// script gives messages one after the other and then io.EOF, or what end says.
func script(end error, parts ...*weftv1.DeployRequest) func() (*weftv1.DeployRequest, error) {
	return func() (*weftv1.DeployRequest, error) {
		if len(parts) == 0 {
			return nil, end
		}
		next := parts[0]
		parts = parts[1:]
		return next, nil
	}
}

func TestReceive(t *testing.T) {
	gone := errors.New("the client is gone")
	tests := []struct {
		name   string
		end    error
		parts  []*weftv1.DeployRequest
		want   string         // the component
		reason failure.Reason // of a refusal that is a status
		err    error          // of one that is not
	}{
		{name: "whole", parts: []*weftv1.DeployRequest{specPart(0), chunkPart(header), chunkPart("rest"), chunkPart("")}, want: header + "rest"},
		{name: "byte by byte", parts: append([]*weftv1.DeployRequest{specPart(0)}, letters(header+"x")...), want: header + "x"},
		{name: "nothing at all", reason: InvalidRequest},
		{name: "no spec", parts: []*weftv1.DeployRequest{chunkPart(header)}, reason: InvalidRequest},
		{name: "no bytes", parts: []*weftv1.DeployRequest{specPart(0)}, reason: NotWasm},
		{name: "two specs", parts: []*weftv1.DeployRequest{specPart(0), chunkPart(header), specPart(0)}, reason: InvalidRequest},
		{name: "zeros", parts: []*weftv1.DeployRequest{specPart(1 << 30), chunkPart(strings.Repeat("\x00", 64))}, err: component.ErrNotWasm},
		{name: "core module", parts: []*weftv1.DeployRequest{specPart(0), chunkPart("\x00asm\x01\x00\x00\x00")}, err: component.ErrCoreModule},
		{name: "announced too large", parts: []*weftv1.DeployRequest{specPart(1 << 30), chunkPart(header)}, reason: TooLarge},
		{name: "client gone", end: gone, parts: []*weftv1.DeployRequest{specPart(0), chunkPart(header)}, err: gone},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.end == nil {
				tt.end = io.EOF
			}
			_, body, err := receive(t.Context(), script(tt.end, tt.parts...), time.Minute)
			var got []byte
			if err == nil {
				got, err = io.ReadAll(body)
			}
			switch {
			case tt.err != nil:
				if !errors.Is(err, tt.err) {
					t.Errorf("error %v, want %v", err, tt.err)
				}
			case failure.ReasonOf(err) != tt.reason:
				t.Errorf("error %v, want %s", err, tt.reason)
			case err == nil && string(got) != tt.want:
				t.Errorf("got %q", got)
			}
		})
	}
}

func letters(s string) (parts []*weftv1.DeployRequest) {
	for _, c := range []byte(s) {
		parts = append(parts, chunkPart(string(c)))
	}
	return parts
}

func TestUploadThatStandsStillEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		parts := make(chan *weftv1.DeployRequest)
		recv := func() (*weftv1.DeployRequest, error) {
			select {
			case p := <-parts:
				return p, nil
			case <-t.Context().Done():
				return nil, t.Context().Err()
			}
		}
		go func() {
			parts <- specPart(0)
			parts <- chunkPart(header)
			time.Sleep(50 * time.Second) // slow is not idle
			parts <- chunkPart("more")
		}()
		_, body, err := receive(t.Context(), recv, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		got, err := io.ReadAll(body)
		if status.Code(err) != codes.DeadlineExceeded || failure.ReasonOf(err) != Idle || string(got) != header+"more" {
			t.Errorf("%q, %v", got, err)
		}
		if took := time.Since(began); took != 110*time.Second {
			t.Errorf("ended after %v", took)
		}
	})
}
