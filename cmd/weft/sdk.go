package main

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"text/template"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/pluginpb"

	weft "github.com/weft-run/weft/clients/go"
	weftv1 "github.com/weft-run/weft/proto/weft/v1"
	"github.com/weft-run/weft/wit/contract"
)

//go:embed sdk
var sdkTemplates embed.FS

// sdkLanguage says how stubs are made in a language: by plugins, which weft runs as protoc does, or by a program that has
// protoc inside.
type sdkLanguage struct {
	plugins []sdkPlugin
	protoc  sdkProtoc
	stubs   string                             // where they go
	check   func(*weftv1.SchemaResponse) error // refuses what the language can't have; nil refuses nothing
	fix     func(code string) string           // what becomes of the program and of the stubs in fixed; nil for none
	fixed   func(proto string) string          // the file of a .proto file's stubs that is fixed
	program map[string]string                  // the templates of a program that makes a call, by file
	run     string                             // how that is run in the directory
}

type sdkPlugin struct {
	name, parameter string
	install         string // how to get it
}

type sdkProtoc struct {
	command []string
	install string // how to get it
}

var sdkLanguages = map[string]sdkLanguage{
	"go": {
		plugins: []sdkPlugin{
			{"protoc-gen-go", "module=weft.internal", "go install google.golang.org/protobuf/cmd/protoc-gen-go@v1.36.12"},
			{"protoc-gen-go-grpc", "module=weft.internal", "go install google.golang.org/grpc/cmd/protoc-gen-go-grpc@v1.6.2"},
		},
		program: map[string]string{"main.go": "main.go.tmpl"}, run: "go mod init weft.internal && go mod tidy && go run .",
	},
	"python": {
		protoc: sdkProtoc{
			[]string{"python3", "-m", "grpc_tools.protoc", "--python_out=.", "--pyi_out=.", "--grpc_python_out=."},
			"python3 -m pip install grpcio-tools==1.85.1",
		},
		check: checkPython, fix: importKeywords, fixed: pythonStubs,
		program: map[string]string{"main.py": "main.py"}, run: "python3 main.py",
	},
	"ts": {
		plugins: []sdkPlugin{
			{"protoc-gen-es", "target=js+dts,import_extension=js", "npm install --global @bufbuild/protoc-gen-es@2.17.0"},
		},
		program: map[string]string{"main.mjs": "main.mjs", "package.json": "package.json"}, run: "npm install && node main.mjs",
	},
	"java": {
		plugins: []sdkPlugin{
			{"protoc-gen-grpc-java", "@generated=omit", "see io.grpc:protoc-gen-grpc-java:1.83.1 in Maven's repository, a program"},
		},
		protoc: sdkProtoc{
			[]string{"protoc", "--java_out=."},
			"see com.google.protobuf:protoc:4.35.1 in Maven's repository, a program; an older one does not fit pom.xml",
		},
		stubs:   "src/main/java",
		program: map[string]string{"pom.xml": "pom.xml", "src/main/java/Main.java": "Main.java"},
		run:     "mvn -q compile dependency:copy-dependencies && java -cp 'target/classes:target/dependency/*' Main",
	},
}

func (a *app) sdkCommand() *cobra.Command {
	var dir, language string
	c := &cobra.Command{
		Use:   "sdk NAME",
		Short: "Write stubs of a function, and a program that calls it",
		Long: `Write what a caller of a function needs into a directory: the .proto files of its services, stubs in a language, and a
small program that makes a sample call. The stubs are written by the language's own generator, which must be installed: if
it is not, the error says how. They call any server that has the function, with gRPC alone; the clients in weft's repository
offer more.`,
		Example: `  weft sdk orders --lang python -o orders && python3 orders/main.py`,
		Args:    exactly(1),
		RunE: func(c *cobra.Command, args []string) error {
			l, known := sdkLanguages[language]
			if !known {
				names := strings.Join(slices.Sorted(maps.Keys(sdkLanguages)), ", ")
				return usagef(c, "--lang %q: weft sdk writes %s", language, names)
			}
			if dir == "" {
				return usagef(c, "-o DIR says where to write to")
			}
			return a.with(func(client *weft.Client) error {
				function, err := client.Get(c.Context(), args[0])
				if err != nil {
					return err
				}
				schema, err := client.Schema(c.Context(), args[0])
				if err != nil {
					return err
				}
				return a.writeSDK(l, dir, function.GetFunction(), schema)
			})
		},
		ValidArgsFunction: a.complete(0, functionNames),
	}
	c.Flags().StringVar(&language, "lang", "", "`LANGUAGE` of the stubs: go, python, ts or java")
	c.Flags().StringVarP(&dir, "output", "o", "", "`DIR` to write to, created if it is not there")
	must(c.MarkFlagDirname("output"))
	must(c.RegisterFlagCompletionFunc("lang", cobra.FixedCompletions(slices.Sorted(maps.Keys(sdkLanguages)), cobra.ShellCompDirectiveNoFileComp)))
	return a.remote(c)
}

// writeSDK writes .proto files, stubs and the program, and says how to run that.
func (a *app) writeSDK(l sdkLanguage, dir string, function *weftv1.Function, schema *weftv1.SchemaResponse) error {
	if l.check != nil {
		if err := l.check(schema); err != nil {
			return err
		}
	}
	files, err := contract.Print(schema.GetFiles())
	if err != nil {
		return err
	}
	if err := writeFiles(filepath.Join(dir, "proto"), files); err != nil {
		return err
	}
	for _, plugin := range l.plugins {
		stubs, err := plugin.generate(schema)
		if err != nil {
			return err
		}
		if err := writeFiles(filepath.Join(dir, l.stubs), stubs); err != nil {
			return err
		}
	}
	if l.protoc.command != nil {
		if err := l.protoc.generate(filepath.Join(dir, l.stubs), schema); err != nil {
			return err
		}
	}
	if l.fix != nil {
		if err := l.fixStubs(filepath.Join(dir, l.stubs), schema); err != nil {
			return err
		}
	}
	call, ok := sampleCall(function, schema)
	if !ok {
		_, err := fmt.Fprintf(a.out, "%s has stubs of %s, but no program: no method's request has fields and a sample\n", dir, function.GetName())
		return err
	}
	program := map[string]string{}
	for file, name := range l.program {
		t, err := template.ParseFS(sdkTemplates, "sdk/"+name)
		if err != nil {
			return err
		}
		var text strings.Builder
		if err := t.Execute(&text, call); err != nil {
			return err
		}
		program[file] = text.String()
		if l.fix != nil {
			program[file] = l.fix(program[file])
		}
	}
	if err := writeFiles(dir, program); err != nil {
		return err
	}
	_, err = fmt.Fprintf(a.out, "%s has stubs of %s, and a program that calls it:\n  cd %s && %s\n", dir, function.GetName(), quote(dir), l.run)
	return err
}

// fixStubs fixes those of the stubs in a directory that need it.
func (l sdkLanguage) fixStubs(dir string, schema *weftv1.SchemaResponse) error {
	stubs := map[string]string{}
	for _, name := range generated(schema) {
		file := l.fixed(name)
		code, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil {
			return err
		}
		stubs[file] = l.fix(string(code))
	}
	return writeFiles(dir, stubs)
}

// generated are the files to generate code for: the contracts' own, not what they import from elsewhere.
func generated(schema *weftv1.SchemaResponse) []string {
	var names []string
	for _, c := range schema.GetContracts() {
		for _, f := range c.GetFiles() {
			names = append(names, f.GetName())
		}
	}
	return names
}

// generate runs the plugin as protoc does.
func (p sdkPlugin) generate(schema *weftv1.SchemaResponse) (map[string]string, error) {
	program, err := exec.LookPath(p.name)
	if err != nil {
		return nil, fmt.Errorf("%s is not on the PATH; install it with: %s", p.name, p.install)
	}
	request, err := proto.Marshal(&pluginpb.CodeGeneratorRequest{
		FileToGenerate: generated(schema), Parameter: proto.String(p.parameter), ProtoFile: schema.GetFiles().GetFile(),
	})
	if err != nil {
		return nil, err
	}
	command := exec.Command(program)
	command.Stdin = bytes.NewReader(request)
	out, err := command.Output()
	if err != nil {
		return nil, fmt.Errorf("%s: %w%s", p.name, err, said(err))
	}
	var response pluginpb.CodeGeneratorResponse
	if err := proto.Unmarshal(out, &response); err != nil {
		return nil, fmt.Errorf("%s: %w", p.name, err)
	}
	if response.Error != nil {
		return nil, fmt.Errorf("%s: %s", p.name, response.GetError())
	}
	files := map[string]string{}
	for _, f := range response.GetFile() {
		files[f.GetName()] = f.GetContent()
	}
	return files, nil
}

// generate has protoc write the stubs into a directory.
func (p sdkProtoc) generate(dir string, schema *weftv1.SchemaResponse) error {
	set, err := proto.Marshal(schema.GetFiles())
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // sources, for everybody
		return err
	}
	file, err := os.CreateTemp("", "weft-sdk-*.binpb")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(file.Name()) }()
	_, err = file.Write(set)
	if err := errors.Join(err, file.Close()); err != nil {
		return err
	}
	args := append(slices.Clone(p.command[1:]), "--descriptor_set_in="+file.Name())
	command := exec.Command(p.command[0], append(args, generated(schema)...)...)
	command.Dir = dir
	if _, err := command.Output(); err != nil {
		name := strings.Join(p.command, " ")
		return fmt.Errorf("%s: %w; if it is not installed: %s%s", name, err, p.install, said(err))
	}
	return nil
}

// said is what a program that failed wrote to stderr.
func said(err error) string {
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && len(exit.Stderr) > 0 {
		return "\n" + strings.TrimSpace(string(exit.Stderr))
	}
	return ""
}

// sdkCall is what the templates know of the sample call.
type sdkCall struct {
	Namespace, Function      string
	Package, Path, File      string // "demo.orders.v1", "demo/orders/v1", "orders"
	Service, Method, Request string // "Orders", "Find", "FindRequest"
	LowerMethod              string // "find"
	Sample                   string // the request in JSON, as a string literal of all these languages
}

// sampleCall chooses the first method that has a sample and a request of its own.
func sampleCall(function *weftv1.Function, schema *weftv1.SchemaResponse) (sdkCall, bool) {
	for _, service := range function.GetServices() {
		file := ""
		for _, f := range schema.GetFiles().GetFile() {
			for _, s := range f.GetService() {
				if f.GetPackage()+"."+s.GetName() == service.GetName() {
					file = f.GetName()
				}
			}
		}
		dot := strings.LastIndexByte(service.GetName(), '.')
		pkg := service.GetName()[:max(dot, 0)]
		for _, m := range service.GetMethods() {
			request, own := strings.CutPrefix(m.GetRequestType(), pkg+".")
			if file == "" || !own || m.GetSample() == "" {
				continue
			}
			return sdkCall{
				Namespace: function.GetNamespace(), Function: function.GetName(),
				Package: pkg, Path: path.Dir(file), File: strings.TrimSuffix(path.Base(file), ".proto"),
				Service: service.GetName()[dot+1:], Method: m.GetName(), Request: request,
				LowerMethod: strings.ToLower(m.GetName()[:1]) + m.GetName()[1:],
				Sample:      strconv.QuoteToASCII(m.GetSample()),
			}, true
		}
	}
	return sdkCall{}, false
}
