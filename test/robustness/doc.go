// Package robustness checks what weft promises while its nodes and what lies between them fail; see README.md.
package robustness
