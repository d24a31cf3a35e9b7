package main

import (
	"errors"
	"reflect"
	"testing"

	"example.com/report/gen/demo/report/report"
	"example.com/report/gen/guest"
)

var sales = []report.Source{
	{Name: "north", Format: report.FormatCsv, Data: []byte("city,goods,price\nKiel,yarn,8.5\nKiel,loom,240\nBremen,yarn,9\n")},
	{Name: "south", Format: report.FormatJSON, Data: []byte(`[{"city": "Ulm", "goods": "yarn", "price": 7.25}]`)},
	{Name: "stream", Format: report.FormatJSONLines, Data: []byte("{\"city\":\"Ulm\",\"goods\":\"yarn\",\"price\":8}\n")},
}

// The bindings compile outside of components too, so that what a component does has plain Go tests.
func TestQuery(t *testing.T) {
	price := "price"
	got, err := component{}.Query(sales, []report.Step{
		report.StepKeep{Value: report.Condition{Column: "price", Is: report.ComparisonLess, Value: "100"}},
		report.StepGroup{Value: report.Grouping{By: []string{"city"}, Values: []report.Aggregate{
			{Function: report.FunctionCount, Name: "sold"}, {Column: &price, Function: report.FunctionSum, Name: "total"},
		}}},
		report.StepSort{Value: guest.Tuple2[string, report.Order]{F0: "total", F1: report.OrderDescending}},
		report.StepFirst{Value: 2},
	})
	want := report.Table{Columns: []string{"city", "sold", "total"}, Rows: [][]string{{"Ulm", "2", "15.25"}, {"Bremen", "1", "9"}}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v, %v; want %v", got, err, want)
	}
}

func TestProblems(t *testing.T) {
	goods := "goods"
	for _, tt := range []struct {
		step report.Step
		want report.Problem
	}{
		{report.StepSort{Value: guest.Tuple2[string, report.Order]{F0: "weight"}}, report.ProblemNotFound{Value: "weight"}},
		{
			report.StepGroup{Value: report.Grouping{Values: []report.Aggregate{{Column: &goods, Function: report.FunctionMean}}}},
			report.ProblemNotANumber{Value: guest.Tuple2[string, string]{F0: "goods", F1: "yarn"}},
		},
	} {
		_, err := component{}.Query(sales, []report.Step{tt.step})
		if got := report.Problem(nil); !errors.As(err, &got) || got != tt.want {
			t.Errorf("%v, want %v", err, tt.want)
		}
	}
}
