package conformance

import (
	"errors"
	"testing"

	"google.golang.org/grpc/codes"

	weft "github.com/weft-run/weft/clients/go"
)

// ownError is a call whose function returns its error.
type ownError struct {
	method, request string // below test.conformance.v1.Errors
	code            codes.Code
	message         string
	detail          string // type of the detail, below test.conformance.v1
	json            string // the detail
}

var failures = []ownError{
	{"AsString", `{"fail": true}`, codes.FailedPrecondition, `a string`, "AsStringError", `{"value":"a string"}`},
	{"AsEnum", `{"code": "CODE_NOT_FOUND"}`, codes.NotFound, `not-found`, "AsEnumError", `{"value":"CODE_NOT_FOUND"}`},
	{"AsEnum", `{"code": "CODE_PERMISSION_DENIED"}`, codes.PermissionDenied, `permission-denied`, "AsEnumError",
		`{"value":"CODE_PERMISSION_DENIED"}`},
	{"AsEnum", `{"code": "CODE_ODD"}`, codes.FailedPrecondition, `odd`, "AsEnumError", `{"value":"CODE_ODD"}`},
	{"AsRecord", `{"fail": true}`, codes.FailedPrecondition, `{code: 42, text: "a record"}`, "Problem",
		`{"code":42,"text":"a record"}`},
	{"AsVariant", `{"refusal": {"notFound": "the thing"}}`, codes.NotFound, `the thing`, "Refusal",
		`{"notFound":"the thing"}`},
	{"AsVariant", `{"refusal": {"invalidArgument": {"code": 1, "text": "x"}}}`, codes.InvalidArgument,
		`invalid-argument({code: 1, text: "x"})`, "Refusal", `{"invalidArgument":{"code":1,"text":"x"}}`},
	{"AsVariant", `{"refusal": {"resourceExhausted": {}}}`, codes.ResourceExhausted, `resource-exhausted`, "Refusal",
		`{"resourceExhausted":{}}`},
	{"AsVariant", `{"refusal": {"outOfLuck": 13}}`, codes.FailedPrecondition, `out-of-luck(13)`, "Refusal",
		`{"outOfLuck":13}`},
	{"AsList", `{"fail": true}`, codes.FailedPrecondition, `["one", "two"]`, "AsListError", `{"value":["one","two"]}`},
	{"AsTuple", `{"fail": true}`, codes.FailedPrecondition, `(42, "a tuple")`, "AsTupleError",
		`{"value":{"f0":42,"f1":"a tuple"}}`},
	{"AsOption", `{"fail": true}`, codes.FailedPrecondition, `some("an option")`, "AsOptionError",
		`{"value":"an option"}`},
	{"AsNumber", `{"fail": true}`, codes.FailedPrecondition, `42`, "AsNumberError", `{"value":42}`},
	{"NoValue", `{"fail": true}`, codes.FailedPrecondition, `no value`, "NoValueError", `{"value":"no value"}`},
	{"AsNothing", `{"fail": true}`, codes.FailedPrecondition, ``, "", ``},
	{"Neither", `{"fail": true}`, codes.FailedPrecondition, ``, "", ``},
}

func (f *ownError) check(t *testing.T, got *weft.Error) {
	t.Helper()
	if got.Code != f.code || f.detail != "" && got.Message != f.message {
		t.Errorf("%v %q, want %v %q", got.Code, got.Message, f.code, f.message)
	}
	if f.detail == "" {
		return // an error without a payload is told by its code alone
	}
	if len(got.Details) != 1 || got.Details[0].Type != "test.conformance.v1."+f.detail || string(got.Details[0].JSON) != f.json {
		t.Errorf("details %+v, want one %s %s", got.Details, f.detail, f.json)
	}
}

// fails calls a method and returns its error.
func fails(t *testing.T, m *weft.Method, request string, options ...weft.CallOption) *weft.Error {
	t.Helper()
	answer, err := m.Call(t.Context(), []byte(request), options...)
	var failed *weft.Error
	if !errors.As(err, &failed) {
		t.Fatalf("answered %s, %v; want an error of the function", answer, err)
	}
	return failed
}
