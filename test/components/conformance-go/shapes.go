package main

import (
	"fmt"
	"strings"

	"github.com/weft-run/weft/test/components/conformance-go/gen/guest"
	interfaces "github.com/weft-run/weft/test/components/conformance-go/gen/test/conformance/interface_"
	"github.com/weft-run/weft/test/components/conformance-go/gen/test/conformance/shapes"
	"github.com/weft-run/weft/test/components/conformance-go/gen/test/other/geometry"
)

// scalarValues returns its arguments.
type scalarValues struct{}

func (scalarValues) EchoBool(v bool) bool       { return v }
func (scalarValues) EchoU8(v uint8) uint8       { return v }
func (scalarValues) EchoS8(v int8) int8         { return v }
func (scalarValues) EchoU16(v uint16) uint16    { return v }
func (scalarValues) EchoS16(v int16) int16      { return v }
func (scalarValues) EchoU32(v uint32) uint32    { return v }
func (scalarValues) EchoS32(v int32) int32      { return v }
func (scalarValues) EchoU64(v uint64) uint64    { return v }
func (scalarValues) EchoS64(v int64) int64      { return v }
func (scalarValues) EchoF32(v float32) float32  { return v }
func (scalarValues) EchoF64(v float64) float64  { return v }
func (scalarValues) EchoChar(v rune) rune       { return v }
func (scalarValues) EchoString(v string) string { return v }
func (scalarValues) EchoBytes(v []byte) []byte  { return v }

// shapeValues returns its arguments.
type shapeValues struct{}

func (shapeValues) EchoLevel(v shapes.Level) shapes.Level                              { return v }
func (shapeValues) EchoUnit(v geometry.Unit) geometry.Unit                             { return v }
func (shapeValues) EchoPermissions(v shapes.Permissions) shapes.Permissions            { return v }
func (shapeValues) EchoSeveral(v shapes.Several) shapes.Several                        { return v }
func (shapeValues) EchoFew(v shapes.Few) shapes.Few                                    { return v }
func (shapeValues) EchoPoint(v geometry.Point) geometry.Point                          { return v }
func (shapeValues) EchoLeaf(v shapes.Leaf) shapes.Leaf                                 { return v }
func (shapeValues) EchoTree(v shapes.Tree) shapes.Tree                                 { return v }
func (shapeValues) EchoEverything(v shapes.Everything) shapes.Everything               { return v }
func (shapeValues) EchoEmpties(v shapes.Empties) shapes.Empties                        { return v }
func (shapeValues) EchoShape(v shapes.Shape) shapes.Shape                              { return v }
func (shapeValues) EchoShapes(v []shapes.Shape) []shapes.Shape                         { return v }
func (shapeValues) EchoAlias(v []shapes.Leaf) []shapes.Leaf                            { return v }
func (shapeValues) EchoPair(v guest.Tuple2[uint8, string]) guest.Tuple2[uint8, string] { return v }
func (shapeValues) EchoDeepPair(v guest.Tuple2[guest.Tuple2[uint8, uint8], guest.Tuple2[string, guest.Tuple1[bool]]]) guest.Tuple2[guest.Tuple2[uint8, uint8], guest.Tuple2[string, guest.Tuple1[bool]]] {
	return v
}
func (shapeValues) EchoOption(v *uint32) *uint32                  { return v }
func (shapeValues) EchoOptionString(v *string) *string            { return v }
func (shapeValues) EchoOptionLeaf(v *shapes.Leaf) *shapes.Leaf    { return v }
func (shapeValues) EchoOptionOption(v **uint32) **uint32          { return v }
func (shapeValues) EchoOptionOptionOption(v ***string) ***string  { return v }
func (shapeValues) EchoOptionList(v *[]uint32) *[]uint32          { return v }
func (shapeValues) EchoOptionBytes(v *[]byte) *[]byte             { return v }
func (shapeValues) EchoListBool(v []bool) []bool                  { return v }
func (shapeValues) EchoListS8(v []int8) []int8                    { return v }
func (shapeValues) EchoListS16(v []int16) []int16                 { return v }
func (shapeValues) EchoListU16(v []uint16) []uint16               { return v }
func (shapeValues) EchoListS32(v []int32) []int32                 { return v }
func (shapeValues) EchoListU32(v []uint32) []uint32               { return v }
func (shapeValues) EchoListU64(v []uint64) []uint64               { return v }
func (shapeValues) EchoListS64(v []int64) []int64                 { return v }
func (shapeValues) EchoListF32(v []float32) []float32             { return v }
func (shapeValues) EchoListF64(v []float64) []float64             { return v }
func (shapeValues) EchoListChar(v []rune) []rune                  { return v }
func (shapeValues) EchoListString(v []string) []string            { return v }
func (shapeValues) EchoListBytes(v [][]byte) [][]byte             { return v }
func (shapeValues) EchoListLevel(v []shapes.Level) []shapes.Level { return v }
func (shapeValues) EchoListList(v [][]uint32) [][]uint32          { return v }
func (shapeValues) EchoListListList(v [][][]string) [][][]string  { return v }
func (shapeValues) EchoListOption(v []*string) []*string          { return v }
func (shapeValues) EchoListResult(v []guest.Result[uint32, string]) []guest.Result[uint32, string] {
	return v
}
func (shapeValues) EchoListTuple(v []guest.Tuple2[string, uint32]) []guest.Tuple2[string, uint32] {
	return v
}
func (shapeValues) EchoListFew(v []shapes.Few) []shapes.Few { return v }

func (shapeValues) EchoResults(a guest.Result[uint32, string], b guest.Result[uint32, struct{}], c guest.Result[struct{}, string], d guest.Result[struct{}, struct{}]) guest.Tuple4[guest.Result[uint32, string], guest.Result[uint32, struct{}], guest.Result[struct{}, string], guest.Result[struct{}, struct{}]] {
	return guest.Tuple4[guest.Result[uint32, string], guest.Result[uint32, struct{}], guest.Result[struct{}, string], guest.Result[struct{}, struct{}]]{F0: a, F1: b, F2: c, F3: d}
}

func (shapeValues) EchoResultResult(v []guest.Result[guest.Result[uint8, shapes.Level], *string]) []guest.Result[guest.Result[uint8, shapes.Level], *string] {
	return v
}

type someSignatures struct{}

func (someSignatures) Nothing() {}

func (someSignatures) Consume(string) {}

func (someSignatures) Produce() string { return "produced" }

func (someSignatures) Add(a, b uint32) uint64 { return uint64(a) + uint64(b) }

func (someSignatures) Many(a uint8, b string, c []uint32, d *string, e bool, f guest.Tuple2[uint8, uint8], g string, h float64,
	i rune, j int64, k string, l uint16,
) string {
	var numbers []string
	for _, number := range c {
		numbers = append(numbers, fmt.Sprint(number))
	}
	option := "-"
	if d != nil {
		option = *d
	}
	return fmt.Sprintf("%d %s %s %s %t %d,%d %s %v %c %d %s %d", a, b, strings.Join(numbers, ","), option, e, f.F0, f.F1, g, h, i, j, k, l)
}

type keywords struct{}

func (keywords) Func(record interfaces.Record, variant interfaces.Variant, enum interfaces.Enum) guest.Tuple3[interfaces.Record, interfaces.Variant, interfaces.Enum] {
	return guest.Tuple3[interfaces.Record, interfaces.Variant, interfaces.Enum]{F0: record, F1: variant, F2: enum}
}

func (keywords) ABC1(v uint32) uint32 { return v }

type mirror struct{}

func (mirror) Mirror(at geometry.Point, unit geometry.Unit) guest.Tuple2[geometry.Point, geometry.Unit] {
	return guest.Tuple2[geometry.Point, geometry.Unit]{F0: geometry.Point{X: at.Y, Y: at.X}, F1: unit}
}
