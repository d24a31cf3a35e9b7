package main

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	weftv1 "github.com/weft-run/weft/proto/weft/v1"
)

// pythonStubs is the file in which the services of a .proto file have their stubs.
func pythonStubs(proto string) string {
	return strings.NewReplacer("-", "_", ".", "/").Replace(strings.TrimSuffix(proto, ".proto")) + "_pb2_grpc.py"
}

// pythonKeywords are the words of The Python Language Reference, section 2.3.1, that can't be names.
var pythonKeywords = strings.Fields(`False None True and as assert async await break class continue def del elif else except
	finally for from global if import in is lambda nonlocal not or pass raise return try while with yield`)

// pythonImport is a line that imports one module.
var pythonImport = regexp.MustCompile(`(?m)^from ([\w.]+) import (\w+)(?: as (\w+))?$`)

// importKeywords has code import what a statement can't, as from school.class.v1. The generator of messages does so
// itself, that of stubs does not.
func importKeywords(code string) string {
	importlib := "import importlib\n"
	return pythonImport.ReplaceAllStringFunc(code, func(line string) string {
		m := pythonImport.FindStringSubmatch(line)
		if !slices.ContainsFunc(strings.Split(m[1], "."), isPythonKeyword) {
			return line
		}
		line = fmt.Sprintf("%s%s = importlib.import_module(%q)", importlib, cmp.Or(m[3], m[2]), m[1]+"."+m[2])
		importlib = ""
		return line
	})
}

func isPythonKeyword(word string) bool { return slices.Contains(pythonKeywords, word) }

// checkPython refuses services and methods that stubs would have to define by the name of a keyword.
func checkPython(schema *weftv1.SchemaResponse) error {
	for _, c := range schema.GetContracts() {
		for _, f := range c.GetFiles() {
			for _, s := range f.GetService() {
				name := c.GetPackage() + "." + s.GetName()
				if isPythonKeyword(s.GetName()) {
					return fmt.Errorf("%s can't have stubs in Python: %s is a keyword there", name, s.GetName())
				}
				for _, m := range s.GetMethod() {
					if isPythonKeyword(m.GetName()) {
						return fmt.Errorf("%s/%s can't have stubs in Python: %[2]s is a keyword there", name, m.GetName())
					}
				}
			}
		}
	}
	return nil
}
