//go:build !weft_next

package catalog

// Level is the highest format level that this build can apply.
//
//	1  functions, contracts, routes
//	2  nodes, join tokens, placements and where revisions are to run; a function keeps keptRevisions
//	3  bindings of imports to functions and services outside
//	4  secrets; those of a function go with it; functions that are linked with others
//	5  revisions whose instances answer several calls
const Level = 5
