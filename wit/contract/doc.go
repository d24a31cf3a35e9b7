// Package contract maps the types of a component to protobuf.
package contract
