// A component over every WIT type, for tests: what test/components/conformance is in Rust.
package main

import (
	"github.com/weft-run/weft/test/components/conformance-go/gen/test/conformance/changes"
	"github.com/weft-run/weft/test/components/conformance-go/gen/test/conformance/errors"
	"github.com/weft-run/weft/test/components/conformance-go/gen/test/conformance/host"
	"github.com/weft-run/weft/test/components/conformance-go/gen/test/conformance/hostile"
	interfaces "github.com/weft-run/weft/test/components/conformance-go/gen/test/conformance/interface_"
	"github.com/weft-run/weft/test/components/conformance-go/gen/test/conformance/scalars"
	"github.com/weft-run/weft/test/components/conformance-go/gen/test/conformance/shapes"
	"github.com/weft-run/weft/test/components/conformance-go/gen/test/conformance/signatures"
	"github.com/weft-run/weft/test/components/conformance-go/gen/test/other/geometry"
)

func init() {
	scalars.Export(scalarValues{})
	shapes.Export(shapeValues{})
	changes.Export(changed{})
	signatures.Export(someSignatures{})
	errors.Export(failures{})
	interfaces.Export(keywords{})
	hostile.Export(misdeeds{})
	host.Export(&surroundings{})
	geometry.Export(mirror{})
}

func main() {}
