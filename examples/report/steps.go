package main

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"example.com/report/gen/demo/report/report"
	"example.com/report/gen/guest"
)

// apply takes a table through one step.
func apply(t report.Table, step report.Step) (report.Table, error) {
	switch step := step.(type) {
	case report.StepKeep:
		return keep(t, step.Value)
	case report.StepGroup:
		return group(t, step.Value)
	case report.StepSort:
		return sorted(t, step.Value.F0, step.Value.F1)
	case report.StepFirst:
		t.Rows = t.Rows[:min(len(t.Rows), int(step.Value))]
	}
	return t, nil
}

// column returns the index of a column.
func column(t report.Table, name string) (int, error) {
	n := slices.Index(t.Columns, name)
	if n < 0 {
		return 0, report.ProblemNotFound{Value: name}
	}
	return n, nil
}

// compare compares as numbers if both are numbers, else as text.
func compare(a, b string) int {
	x, errX := strconv.ParseFloat(a, 64)
	y, errY := strconv.ParseFloat(b, 64)
	if errX == nil && errY == nil {
		return cmp.Compare(x, y)
	}
	return strings.Compare(a, b)
}

func keep(t report.Table, c report.Condition) (report.Table, error) {
	at, err := column(t, c.Column)
	if err != nil {
		return t, err
	}
	holds := func(value string) bool {
		switch order := compare(value, c.Value); c.Is {
		case report.ComparisonEqual:
			return order == 0
		case report.ComparisonUnequal:
			return order != 0
		case report.ComparisonLess:
			return order < 0
		case report.ComparisonGreater:
			return order > 0
		default:
			return strings.Contains(value, c.Value)
		}
	}
	t.Rows = slices.DeleteFunc(t.Rows, func(row []string) bool { return !holds(row[at]) })
	return t, nil
}

func sorted(t report.Table, by string, order report.Order) (report.Table, error) {
	at, err := column(t, by)
	if err != nil {
		return t, err
	}
	slices.SortStableFunc(t.Rows, func(a, b []string) int {
		if order == report.OrderDescending {
			a, b = b, a
		}
		return compare(a[at], b[at])
	})
	return t, nil
}

// group makes one row of those that agree in some columns, in the order in which they come first.
func group(t report.Table, g report.Grouping) (report.Table, error) {
	var by []int
	for _, name := range g.By {
		at, err := column(t, name)
		if err != nil {
			return t, err
		}
		by = append(by, at)
	}
	groups := map[string][][]string{}
	var keys []string
	for _, row := range t.Rows {
		var key strings.Builder
		for _, at := range by {
			key.WriteString(strconv.Quote(row[at]))
		}
		if groups[key.String()] == nil {
			keys = append(keys, key.String())
		}
		groups[key.String()] = append(groups[key.String()], row)
	}
	grouped := report.Table{Columns: slices.Clone(g.By)}
	for _, a := range g.Values {
		grouped.Columns = append(grouped.Columns, a.Name)
	}
	for _, key := range keys {
		rows := groups[key]
		var row []string
		for _, at := range by {
			row = append(row, rows[0][at])
		}
		for _, a := range g.Values {
			value, err := aggregate(t, rows, a)
			if err != nil {
				return t, err
			}
			row = append(row, value)
		}
		grouped.Rows = append(grouped.Rows, row)
	}
	return grouped, nil
}

// aggregate computes one value of a group. A group has at least one row.
func aggregate(t report.Table, rows [][]string, a report.Aggregate) (string, error) {
	if a.Column == nil {
		if a.Function != report.FunctionCount {
			return "", report.ProblemInvalidArgument{Value: a.Function.String() + " needs a column"}
		}
		return strconv.Itoa(len(rows)), nil
	}
	at, err := column(t, *a.Column)
	if err != nil {
		return "", err
	}
	if a.Function == report.FunctionCount {
		rows = slices.DeleteFunc(slices.Clone(rows), func(row []string) bool { return row[at] == "" })
		return strconv.Itoa(len(rows)), nil
	}
	values := make([]float64, len(rows))
	for n, row := range rows {
		if values[n], err = strconv.ParseFloat(row[at], 64); err != nil {
			return "", report.ProblemNotANumber{Value: guest.Tuple2[string, string]{F0: *a.Column, F1: row[at]}}
		}
	}
	return number(fold(a.Function, values)), nil
}

func fold(f report.Function, values []float64) float64 {
	switch f {
	case report.FunctionLeast:
		return slices.Min(values)
	case report.FunctionGreatest:
		return slices.Max(values)
	}
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	if f == report.FunctionMean {
		return sum / float64(len(values))
	}
	return sum
}

func number(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }
