package conformance

import (
	"testing"

	"google.golang.org/grpc/codes"

	weft "github.com/weft-run/weft/clients/go"
)

// echo is one value in JSON, given to an echo function, which must return it.
type echo struct {
	method string // below test.conformance.v1
	value  string
}

var scalars = []echo{
	{"Scalars/EchoBool", `true`},
	{"Scalars/EchoBool", `false`},
	{"Scalars/EchoU8", `0`},
	{"Scalars/EchoU8", `255`},
	{"Scalars/EchoS8", `-128`},
	{"Scalars/EchoS8", `127`},
	{"Scalars/EchoU16", `65535`},
	{"Scalars/EchoS16", `-32768`},
	{"Scalars/EchoS16", `32767`},
	{"Scalars/EchoU32", `4294967295`},
	{"Scalars/EchoS32", `-2147483648`},
	{"Scalars/EchoS32", `2147483647`},
	{"Scalars/EchoU64", `"18446744073709551615"`},
	{"Scalars/EchoS64", `"-9223372036854775808"`},
	{"Scalars/EchoS64", `"9223372036854775807"`},
	{"Scalars/EchoF32", `-1.5`},
	{"Scalars/EchoF32", `3.4028235e38`},
	{"Scalars/EchoF32", `"NaN"`},
	{"Scalars/EchoF32", `"-Infinity"`},
	{"Scalars/EchoF64", `5e-324`},
	{"Scalars/EchoF64", `1.7976931348623157e308`},
	{"Scalars/EchoF64", `"NaN"`},
	{"Scalars/EchoF64", `"Infinity"`},
	{"Scalars/EchoF64", `-0.0`},
	{"Scalars/EchoChar", `"x"`},
	{"Scalars/EchoChar", `"\u0000"`},
	{"Scalars/EchoChar", `"🧵"`},
	{"Scalars/EchoString", `""`},
	{"Scalars/EchoString", `"Gewebe 織物 🧵 \u0000 end"`},
	{"Scalars/EchoBytes", `""`},
	{"Scalars/EchoBytes", `"AAECA/z9/v8="`},
}

const (
	leaf = `{"name": "oak", "weight": 2.25, "data": "AP8="}`

	everything = `{"a": true, "b": 255, "c": -128, "d": 65535, "e": -32768, "f": 4294967295, "g": -2147483648,
		"h": "18446744073709551615", "i": "-9223372036854775808", "j": 0.5, "k": -0.25, "l": "ß", "m": "text",
		"n": "3q2+7w==", "o": "LEVEL_HIGH", "p": {"read": true}, "q": "UNIT_FOOT"}`

	branch = `{"leaves": [` + leaf + `, {"name": "", "weight": 0, "data": ""}], "level": "LEVEL_MEDIUM", "best": ` + leaf + `,
		"at": {"x": -1, "y": 2147483647}, "sizes": {"f0": 1, "f1": "-2", "f2": "three"}, "outcome": {"err": "rotten"},
		"may": {"write": true}, "mark": "🌳"}`

	bareBranch = `{"level": "LEVEL_LOW", "at": {}, "sizes": {}, "outcome": {"ok": ` + leaf + `}, "may": {}, "mark": "."}`

	tree = `{"id": "7", "branches": [` + branch + `, ` + bareBranch + `],
		"names": [{"f0": "none"}, {"f0": "two", "f1": [1, 4294967295]}]}`
)

var named = []echo{
	{"Shapes/EchoLevel", `"LEVEL_LOW"`},
	{"Shapes/EchoLevel", `"LEVEL_HIGH"`},
	{"Shapes/EchoUnit", `"UNIT_FOOT"`},
	{"Shapes/EchoPermissions", `{}`},
	{"Shapes/EchoPermissions", `{"p00": true, "p31": true}`},
	{"Shapes/EchoPermissions", `{"p07": true, "p08": true, "p15": true, "p16": true, "p23": true, "p24": true}`},
	{"Shapes/EchoSeveral", `{}`},
	{"Shapes/EchoSeveral", `{"b0": true, "b7": true, "b8": true, "b9": true}`},
	{"Shapes/EchoFew", `{"read": true, "write": true}`},
	{"Shapes/EchoPoint", `{"x": -5, "y": 5}`},
	{"Shapes/EchoLeaf", leaf},
	{"Shapes/EchoLeaf", `{}`},
	{"Shapes/EchoTree", tree},
	{"Shapes/EchoEverything", everything},
	{"Shapes/EchoEmpties", `{}`},
	{"Shapes/EchoEmpties", `{"note": "", "tags": ["", "x"]}`},
	{"Shapes/EchoAlias", `[` + leaf + `, {}]`},

	{"Shapes/EchoShape", `{"nothing": {}}`},
	{"Shapes/EchoShape", `{"circle": 0}`},
	{"Shapes/EchoShape", `{"rect": {"f0": 1.5, "f1": -2}}`},
	{"Shapes/EchoShape", `{"named": ` + leaf + `}`},
	{"Shapes/EchoShape", `{"many": {}}`},
	{"Shapes/EchoShape", `{"many": {"items": [{"gap": {}}, {"dot": {"x": 1}}]}}`},
	{"Shapes/EchoShape", `{"maybe": {}}`},
	{"Shapes/EchoShape", `{"maybe": {"value": 0}}`},
	{"Shapes/EchoShape", `{"tried": {"ok": 3}}`},
	{"Shapes/EchoShape", `{"tried": {"err": "no"}}`},
	{"Shapes/EchoShape", `{"level": "LEVEL_MEDIUM"}`},
	{"Shapes/EchoShape", `{"data": "AAA="}`},
	{"Shapes/EchoShape", `{"letter": "é"}`},
	{"Shapes/EchoShapes", `[]`},
	{"Shapes/EchoShapes", `[{"nothing": {}}, {"circle": 1}, {"letter": "z"}, {"many": {"items": [{"gap": {}}]}}]`},
}

var unnamed = []echo{
	{"Shapes/EchoPair", `{"f0": 255, "f1": "x"}`},
	{"Shapes/EchoDeepPair", `{"f0": {"f0": 1, "f1": 2}, "f1": {"f0": "x", "f1": {"f0": true}}}`},

	{"Shapes/EchoOption", `0`},
	{"Shapes/EchoOption", `null`},
	{"Shapes/EchoOptionString", `""`},
	{"Shapes/EchoOptionString", `null`},
	{"Shapes/EchoOptionLeaf", leaf},
	{"Shapes/EchoOptionLeaf", `null`},
	{"Shapes/EchoOptionOption", `null`},
	{"Shapes/EchoOptionOption", `{}`},
	{"Shapes/EchoOptionOption", `{"value": 0}`},
	{"Shapes/EchoOptionOptionOption", `{}`},
	{"Shapes/EchoOptionOptionOption", `{"value": {}}`},
	{"Shapes/EchoOptionOptionOption", `{"value": {"value": "deep"}}`},
	{"Shapes/EchoOptionList", `null`},
	{"Shapes/EchoOptionList", `{}`},
	{"Shapes/EchoOptionList", `{"items": [1, 0, 2]}`},
	{"Shapes/EchoOptionBytes", `null`},
	{"Shapes/EchoOptionBytes", `""`},
	{"Shapes/EchoOptionBytes", `"/w=="`},

	{"Shapes/EchoListBool", `[true, false, true]`},
	{"Shapes/EchoListS8", `[-128, 0, 127]`},
	{"Shapes/EchoListS16", `[-32768, 0, 32767]`},
	{"Shapes/EchoListU16", `[0, 65535]`},
	{"Shapes/EchoListS32", `[-2147483648, 0, 2147483647]`},
	{"Shapes/EchoListU32", `[0, 4294967295]`},
	{"Shapes/EchoListU64", `["0", "9223372036854775808", "18446744073709551615"]`},
	{"Shapes/EchoListS64", `["-9223372036854775808", "9223372036854775807"]`},
	{"Shapes/EchoListF32", `[0.5, "NaN", "Infinity"]`},
	{"Shapes/EchoListF64", `[0.1, "-Infinity", -0.0]`},
	{"Shapes/EchoListChar", `["a", "ß", "🧵"]`},
	{"Shapes/EchoListString", `["", "a", ""]`},
	{"Shapes/EchoListBytes", `["", "AA==", "/////w=="]`},
	{"Shapes/EchoListLevel", `["LEVEL_LOW", "LEVEL_HIGH", "LEVEL_LOW"]`},
	{"Shapes/EchoListList", `[{}, {"items": [1, 2]}, {"items": [0]}]`},
	{"Shapes/EchoListListList", `[{}, {"items": [{}, {"items": ["", "x"]}]}]`},
	{"Shapes/EchoListOption", `[{}, {"value": ""}, {"value": "x"}]`},
	{"Shapes/EchoListResult", `[{"ok": 0}, {"err": ""}, {"ok": 5}]`},
	{"Shapes/EchoListTuple", `[{"f0": "a", "f1": 1}, {}]`},
	{"Shapes/EchoListFew", `[{}, {"read": true}, {"read": true, "write": true}]`},
	{"Shapes/EchoResultResult", `[{"ok": {"ok": 0}}, {"ok": {"err": "LEVEL_LOW"}}, {"err": {}}, {"err": {"value": ""}}]`},
}

// call is a request in JSON and the response that is expected.
type call struct {
	method, request, response string
}

var calls = []call{
	{"test.conformance.v1.Shapes/EchoResults",
		`{"a": {"ok": 1}, "b": {"ok": 2}, "c": {"ok": {}}, "d": {"ok": {}}}`,
		`{"value": {"f0": {"ok": 1}, "f1": {"ok": 2}, "f2": {"ok": {}}, "f3": {"ok": {}}}}`},
	{"test.conformance.v1.Shapes/EchoResults",
		`{"a": {"err": "a"}, "b": {"err": {}}, "c": {"err": "c"}, "d": {"err": {}}}`,
		`{"value": {"f0": {"err": "a"}, "f1": {"err": {}}, "f2": {"err": "c"}, "f3": {"err": {}}}}`},

	{"test.conformance.v1.Signatures/Nothing", ``, `{}`},
	{"test.conformance.v1.Signatures/Consume", `{"v": "x"}`, `{}`},
	{"test.conformance.v1.Signatures/Produce", `{}`, `{"value": "produced"}`},
	{"test.conformance.v1.Signatures/Add", `{"a": 4294967295, "b": 1}`, `{"value": "4294967296"}`},
	{"test.conformance.v1.Signatures/Many",
		`{"a": 1, "b": "b", "c": [3, 4], "d": "d", "e": true, "f": {"f0": 6, "f1": 6}, "g": "g", "h": 0.5, "i": "i",
			"j": "-10", "k": "k", "l": 12}`,
		`{"value": "1 b 3,4 d true 6,6 g 0.5 i -10 k 12"}`},

	{"test.conformance.v1.Interface/Func",
		`{"import": {"type": "t", "package": 1, "message": true, "oneof": -1, "class": "c", "self": "s"},
			"export": {"result": 5}, "use": "ENUM_OPTION"}`,
		`{"value": {"f0": {"type": "t", "package": 1, "message": true, "oneof": -1, "class": "c", "self": "s"},
			"f1": {"result": 5}, "f2": "ENUM_OPTION"}}`},
	{"test.conformance.v1.Interface/Func",
		`{"import": {}, "export": {"kind": {}}, "use": "ENUM_ENUM_UNSPECIFIED"}`,
		`{"value": {"f0": {}, "f1": {"kind": {}}, "f2": "ENUM_ENUM_UNSPECIFIED"}}`},
	{"test.conformance.v1.Interface/ABC1", `{"x_y_z2": 9}`, `{"value": 9}`},

	{"test.other.v0_3.Geometry/Mirror",
		`{"at": {"x": 1, "y": 2}, "unit": "UNIT_METER"}`,
		`{"value": {"f0": {"x": 2, "y": 1}, "f1": "UNIT_METER"}}`},

	{"test.conformance.v1.Errors/AsVariant", `{}`, `{"value": 7}`},
	{"test.conformance.v1.Errors/NoValue", `{}`, `{}`},
	{"test.conformance.v1.Errors/Neither", `{}`, `{}`},
}

// changed are calls whose function looks into its arguments.
var changed = []call{
	{"test.conformance.v1.Changes/Not", `{"v": true}`, `{}`},
	{"test.conformance.v1.Changes/Add", `{"a": "18446744073709551615", "b": "3"}`, `{"value": "2"}`},
	{"test.conformance.v1.Changes/Add", `{"a": "9007199254740993", "b": "2"}`, `{"value": "9007199254740995"}`},
	{"test.conformance.v1.Changes/Negate", `{"v": "9223372036854775807"}`, `{"value": "-9223372036854775807"}`},
	{"test.conformance.v1.Changes/Negate", `{"v": "-9223372036854775808"}`, `{"value": "-9223372036854775808"}`},
	{"test.conformance.v1.Changes/Halve", `{"v": 5}`, `{"value": 2.5}`},
	{"test.conformance.v1.Changes/Halve", `{"v": "-Infinity"}`, `{"value": "-Infinity"}`},
	{"test.conformance.v1.Changes/Next", `{"v": "🧵"}`, `{"value": "🧶"}`},
	{"test.conformance.v1.Changes/Join", `{"v": ["織", "", "物"], "by": "\u0000"}`, `{"value": "織\u0000\u0000物"}`},
	{"test.conformance.v1.Changes/Join", `{"v": [], "by": ","}`, `{}`},
	{"test.conformance.v1.Changes/Reverse", `{"v": "AAH+/w=="}`, `{"value": "//4BAA=="}`},
	{"test.conformance.v1.Changes/Reverse", `{}`, `{}`},
	{"test.conformance.v1.Changes/Swap", `{"v": {"f0": 255, "f1": "x"}}`, `{"value": {"f0": "x", "f1": 255}}`},
	{"test.conformance.v1.Changes/Raise", `{"v": "LEVEL_MEDIUM"}`, `{"value": "LEVEL_HIGH"}`},
	{"test.conformance.v1.Changes/Raise", `{"v": "LEVEL_HIGH"}`, `{}`},
	{"test.conformance.v1.Changes/Complement",
		`{"v": {"p00": true, "p02": true, "p03": true, "p04": true, "p05": true, "p06": true, "p07": true, "p08": true,
			"p09": true, "p10": true, "p11": true, "p12": true, "p13": true, "p14": true, "p15": true, "p16": true,
			"p17": true, "p18": true, "p19": true, "p20": true, "p21": true, "p22": true, "p23": true, "p24": true,
			"p25": true, "p26": true, "p27": true, "p28": true, "p29": true, "p30": true}}`,
		`{"value": {"p01": true, "p31": true}}`},
	{"test.conformance.v1.Changes/Both", `{"a": {"read": true}, "b": {"write": true}}`, `{"value": {"read": true, "write": true}}`},
	{"test.conformance.v1.Changes/Both", `{"a": {"read": true}, "b": {"read": true}}`, `{"value": {"read": true}}`},
	{"test.conformance.v1.Changes/Flip", `{"v": [{"ok": 0}, {"err": "x"}, {"err": ""}]}`,
		`{"value": [{"err": 0}, {"ok": "x"}, {"ok": ""}]}`},
	{"test.conformance.v1.Changes/Depth", `{}`, `{}`},
	{"test.conformance.v1.Changes/Depth", `{"v": {}}`, `{"value": 1}`},
	{"test.conformance.v1.Changes/Depth", `{"v": {"value": {}}}`, `{"value": 2}`},
	{"test.conformance.v1.Changes/Depth", `{"v": {"value": {"value": ""}}}`, `{"value": 3}`},
	{"test.conformance.v1.Changes/Name", `{"v": {"nothing": {}}}`, `{"value": "nothing"}`},
	{"test.conformance.v1.Changes/Name", `{"v": {"rect": {"f0": 1}}}`, `{"value": "rect"}`},
	{"test.conformance.v1.Changes/Name", `{"v": {"many": {"items": [{"gap": {}}, {"dot": {}}]}}}`, `{"value": "many:2"}`},
	{"test.conformance.v1.Changes/Name", `{"v": {"tried": {"err": "no"}}}`, `{"value": "tried"}`},
	{"test.conformance.v1.Changes/Name", `{"v": {"data": "AAAA"}}`, `{"value": "data:3"}`},
	{"test.conformance.v1.Changes/Weigh", `{"v": ` + tree + `}`, `{"value": 2.25}`},
	{"test.conformance.v1.Changes/Weigh", `{"v": {}}`, `{}`},
	{"test.conformance.v1.Changes/Increment", `{"v": ` + everything + `}`,
		`{"value": {"a": true, "c": -127, "e": -32767, "g": -2147483647, "i": "-9223372036854775807", "j": 1.5, "k": 0.75,
			"l": "ß", "m": "text", "n": "3q2+7w==", "o": "LEVEL_HIGH", "p": {"read": true}, "q": "UNIT_FOOT"}}`},
}

func TestHost(t *testing.T) { inEachLanguage(t, map[string]string{"COLOR": "indigo"}, testHost) }

func testHost(t *testing.T, client *weft.Client) {
	t.Helper()
	for _, c := range []call{
		{"test.conformance.v1.Host/Environment", ``, `{"value": [{"f0": "COLOR", "f1": "indigo"}]}`},
		{"test.conformance.v1.Host/Count", ``, `{"value": 1}`},
		{"test.conformance.v1.Host/Count", ``, `{"value": 1}`},
	} {
		t.Run(c.method, func(t *testing.T) {
			m := method(t, client, c.method)
			got, err := m.Call(t.Context(), []byte(c.request))
			if err != nil {
				t.Fatal(err)
			}
			equal(t, m, got, []byte(c.response))
		})
	}
	t.Run("there are no files", func(t *testing.T) {
		got := fails(t, method(t, client, "test.conformance.v1.Host/Open"), `{"path": "/etc/passwd"}`)
		if got.Code != codes.FailedPrecondition || len(got.Details) != 1 {
			t.Errorf("%v %q, want the function's own error", got.Code, got.Message)
		}
	})
}
