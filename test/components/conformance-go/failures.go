package main

import (
	"errors"

	"github.com/weft-run/weft/test/components/conformance-go/gen/guest"
	errortypes "github.com/weft-run/weft/test/components/conformance-go/gen/test/conformance/errors"
)

const value = 7

// failures fails with an error of each type.
type failures struct{}

func unless(fail bool, err error) (uint32, error) {
	if fail {
		return 0, err
	}
	return value, nil
}

func failure[E any](e E) error { return guest.Error[E]{Value: e} }

func (failures) AsString(fail bool) (uint32, error) { return unless(fail, errors.New("a string")) }

func (failures) AsEnum(code *errortypes.Code) (uint32, error) {
	if code != nil {
		return 0, *code
	}
	return value, nil
}

func (failures) AsRecord(fail bool) (uint32, error) {
	return unless(fail, errortypes.Problem{Code: 42, Text: "a record"})
}

func (failures) AsVariant(refusal errortypes.Refusal) (uint32, error) {
	return unless(refusal != nil, refusal)
}

func (failures) AsList(fail bool) (uint32, error) {
	return unless(fail, failure([]string{"one", "two"}))
}

func (failures) AsTuple(fail bool) (uint32, error) {
	return unless(fail, failure(guest.Tuple2[uint32, string]{F0: 42, F1: "a tuple"}))
}

func (failures) AsOption(fail bool) (uint32, error) {
	text := "an option"
	return unless(fail, failure(&text))
}

func (failures) AsNumber(fail bool) (uint32, error) { return unless(fail, failure[uint32](42)) }

func (failures) AsNothing(fail bool) (uint32, error) {
	return unless(fail, errors.New("for no reason"))
}

func (failures) NoValue(fail bool) error {
	_, err := unless(fail, errors.New("no value"))
	return err
}

func (failures) Neither(fail bool) error {
	_, err := unless(fail, errors.New("for no reason"))
	return err
}
