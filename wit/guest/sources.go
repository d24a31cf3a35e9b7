//go:build !wasip1

package guest

import "embed"

// Sources are the files of this package that a component needs.
//
//go:embed arena_wasip1.go doc.go handle.go memory_wasip1.go tuples.go values.go
var Sources embed.FS
