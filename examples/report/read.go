package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"example.com/report/gen/demo/report/report"
)

// readAll reads the sources side by side and joins their rows: the columns are those of all.
func readAll(sources []report.Source) (report.Table, error) {
	type answer struct {
		rows []map[string]string
		// columns are in the order of the source.
		columns []string
		err     error
	}
	answers := make([]chan answer, len(sources))
	for n, s := range sources {
		answers[n] = make(chan answer, 1)
		go func() {
			columns, rows, err := read(s)
			answers[n] <- answer{rows, columns, err}
		}()
	}
	var t report.Table
	var all []map[string]string
	for n, s := range sources {
		a := <-answers[n]
		if a.err != nil {
			return t, report.ProblemInvalidArgument{Value: fmt.Sprintf("%s: %v", s.Name, a.err)}
		}
		for _, c := range a.columns {
			if !slices.Contains(t.Columns, c) {
				t.Columns = append(t.Columns, c)
			}
		}
		all = append(all, a.rows...)
	}
	for _, row := range all {
		values := make([]string, len(t.Columns))
		for n, c := range t.Columns {
			values[n] = row[c]
		}
		t.Rows = append(t.Rows, values)
	}
	return t, nil
}

func read(s report.Source) (columns []string, rows []map[string]string, err error) {
	switch s.Format {
	case report.FormatCsv:
		return readCSV(s.Data)
	case report.FormatJSON:
		var objects []map[string]any
		if err := decoder(s.Data).Decode(&objects); err != nil {
			return nil, nil, err
		}
		columns, rows = flatten(objects)
		return columns, rows, nil
	default:
		var objects []map[string]any
		for lines := decoder(s.Data); ; {
			var object map[string]any
			if err := lines.Decode(&object); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				return nil, nil, fmt.Errorf("object %d: %w", len(objects)+1, err)
			}
			objects = append(objects, object)
		}
		columns, rows = flatten(objects)
		return columns, rows, nil
	}
}

// decoder reads JSON and keeps numbers as they are written.
func decoder(data []byte) *json.Decoder {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	return d
}

func readCSV(data []byte) (columns []string, rows []map[string]string, err error) {
	records, err := csv.NewReader(bytes.NewReader(data)).ReadAll()
	if err != nil {
		return nil, nil, err
	}
	if len(records) == 0 {
		return nil, nil, errors.New("there is no line of column names")
	}
	for _, record := range records[1:] {
		row := map[string]string{}
		for n, value := range record {
			row[records[0][n]] = value
		}
		rows = append(rows, row)
	}
	return records[0], rows, nil
}

// flatten makes rows of JSON objects. Columns are in the order of the alphabet, since objects have none.
func flatten(objects []map[string]any) (columns []string, rows []map[string]string) {
	seen := map[string]bool{}
	for _, object := range objects {
		row := map[string]string{}
		for name, value := range object {
			seen[name] = true
			if value != nil {
				row[name] = fmt.Sprint(value)
			}
		}
		rows = append(rows, row)
	}
	return slices.Sorted(maps.Keys(seen)), rows
}
