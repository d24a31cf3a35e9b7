package main

import (
	"strconv"
	"strings"
	"text/template"

	"example.com/report/gen/demo/report/report"
)

// render fills a template with a table. Rows are maps by column.
func render(text string, t report.Table) (string, error) {
	data := struct {
		Columns []string
		Rows    []map[string]string
	}{Columns: t.Columns}
	for _, row := range t.Rows {
		byColumn := map[string]string{}
		for n, value := range row {
			if n < len(t.Columns) {
				byColumn[t.Columns[n]] = value
			}
		}
		data.Rows = append(data.Rows, byColumn)
	}
	parsed, err := template.New("report").Option("missingkey=error").Funcs(template.FuncMap{"sum": sum}).Parse(text)
	if err != nil {
		return "", report.ProblemInvalidArgument{Value: err.Error()}
	}
	var b strings.Builder
	if err := parsed.Execute(&b, data); err != nil {
		return "", report.ProblemInvalidArgument{Value: err.Error()}
	}
	return b.String(), nil
}

// sum is for templates: the sum of a column, without what is no number.
func sum(column string, rows []map[string]string) string {
	total := 0.0
	for _, row := range rows {
		if v, err := strconv.ParseFloat(row[column], 64); err == nil {
			total += v
		}
	}
	return number(total)
}
