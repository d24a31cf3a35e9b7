package main

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

//go:embed testdata/caller
var caller embed.FS

// stubs generates Go stubs for everything that is deployed, from nothing but what `weft schema` writes, builds a program
// on them and runs it. The module that holds both is a stranger to weft: of this repository it has the versions of
// gRPC and protobuf alone, so that nothing is downloaded.
func stubs(ctx context.Context, shell *shell, dir string) error {
	schema := filepath.Join(dir, "schema")
	if err := shell.run(ctx, "weft", "schema", "-o", schema); err != nil {
		return err
	}
	protos, err := protoFiles(schema)
	if err != nil {
		return err
	}
	protoc := append([]string{
		"protoc", "-I", schema, "--go_out=" + dir, "--go_opt=module=" + modulePath,
		"--go-grpc_out=" + dir, "--go-grpc_opt=module=" + modulePath,
	}, protos...)
	if err := shell.run(ctx, protoc...); err != nil {
		return err
	}
	if err := writeModule(dir); err != nil {
		return err
	}
	program := filepath.Join(dir, "call")
	if err := shell.quietly(ctx, os.Stdout, dir, "go", "build", "-mod=mod", "-o", program, "./caller"); err != nil {
		return err
	}
	return shell.run(ctx, program, shell.addr)
}

// modulePath is the module that the schemas' go_package names.
const modulePath = "weft.internal"

// writeModule makes a Go module of the stubs and the program.
func writeModule(dir string) error {
	mod, err := os.ReadFile("go.mod")
	if err != nil {
		return err
	}
	_, rest, found := strings.Cut(string(mod), "\n")
	if !found {
		return fmt.Errorf("go.mod: no module line")
	}
	sum, err := os.ReadFile("go.sum")
	if err != nil {
		return err
	}
	program, err := caller.ReadFile("testdata/caller/main.go")
	if err != nil {
		return err
	}
	if err := os.Mkdir(filepath.Join(dir, "caller"), 0o700); err != nil {
		return err
	}
	for name, content := range map[string][]byte{
		"go.mod": []byte("module " + modulePath + "\n" + rest), "go.sum": sum, "caller/main.go": program,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// protoFiles lists the .proto files below a directory, relative to it.
func protoFiles(dir string) ([]string, error) {
	var files []string
	err := fs.WalkDir(os.DirFS(dir), ".", func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && filepath.Ext(path) == ".proto" {
			files = append(files, path)
		}
		return err
	})
	return files, err
}
