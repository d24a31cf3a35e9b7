// Command report is a component that makes reports of tables.
package main

import "example.com/report/gen/demo/report/report"

func init() { report.Export(component{}) }

func main() {}

// component implements the interface demo:report/report.
type component struct{}

func (component) Query(sources []report.Source, steps []report.Step) (report.Table, error) {
	t, err := readAll(sources)
	if err != nil {
		return report.Table{}, err
	}
	for _, step := range steps {
		if t, err = apply(t, step); err != nil {
			return report.Table{}, err
		}
	}
	return t, nil
}

func (component) Render(template string, t report.Table) (string, error) {
	return render(template, t)
}
