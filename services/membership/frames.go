package membership

import (
	"errors"

	"golang.org/x/net/http2"
)

// maxContinuations is how many frames may continue a header block, each of them however small. Those of clients are full, and all that may be
// sent here is in the first.
const maxContinuations = 16

// errContinuations is why a client that sends more is cut off.
var errContinuations = errors.New("too many CONTINUATION frames")

// frameHeader is the length of what every frame begins with: RFC 9113, section 4.1.
const frameHeader = 9

// frames follows the frames of HTTP/2 in what a client sends. grpc-go counts the bytes of a header block only, so empty frames without end
// would keep it busy: CVE-2023-45288.
type frames struct {
	skip      int // bytes until the next frame
	header    [frameHeader]byte
	have      int // bytes of header
	continued int // frames that have continued the header block
}

func newFrames() frames { return frames{skip: len(http2.ClientPreface)} }

// follow is given what comes, in pieces of any size. Its error is errContinuations.
func (f *frames) follow(data []byte) error {
	for len(data) > 0 {
		if f.skip > 0 {
			n := min(f.skip, len(data))
			f.skip, data = f.skip-n, data[n:]
			continue
		}
		n := copy(f.header[f.have:], data)
		f.have, data = f.have+n, data[n:]
		if f.have < frameHeader {
			break
		}
		f.have, f.skip = 0, int(f.header[0])<<16|int(f.header[1])<<8|int(f.header[2])
		if http2.FrameType(f.header[3]) != http2.FrameContinuation {
			f.continued = 0
		} else if f.continued++; f.continued > maxContinuations {
			return errContinuations
		}
	}
	return nil
}
