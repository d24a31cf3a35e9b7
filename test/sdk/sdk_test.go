//go:build !race

package sdk

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestClients runs all languages against one node.
func TestClients(t *testing.T) {
	w := newWorld(t)
	t.Run("python", w.python)
	t.Run("typescript", w.typescript)
	t.Run("java", w.java)
}

// schema writes the schema of orders, as any user does, from a namespace of its own: .proto files, or descriptors, which
// hold what the .proto files import.
func (w *world) schema(t *testing.T, format string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "schema")
	w.node.Must("deploy", w.env["WEFT_COMPONENT"], "--name", "orders", "--namespace", "schema")
	w.node.Must("schema", "orders", "--namespace", "schema", "-o", dir, "--format", format)
	return dir
}

// example checks what a client's example says.
func (w *world) example(t *testing.T, said string) {
	t.Helper()
	for _, want := range []string{"demo.orders.v1.Orders/Place", "unobtainium", "demo.orders.v1.Refusal"} {
		if !strings.Contains(said, want) {
			t.Errorf("the example does not say %q:\n%s", want, said)
		}
	}
}

// python installs the client with pip and runs pytest.
func (w *world) python(t *testing.T) {
	modules := w.tool(t, "clients.sh", "python")
	client := w.copyOf(t, "clients/python")
	installed, stubs, schema := t.TempDir(), t.TempDir(), w.schema(t, "proto")
	w.run(t, client, map[string]string{"PYTHONPATH": modules}, "python3", "-m", "pip", "install", "--quiet", "--no-deps",
		"--no-build-isolation", "--target", installed, ".")
	w.run(t, schema, map[string]string{"PYTHONPATH": modules}, "python3", "-m", "grpc_tools.protoc", "-I.",
		"--python_out="+stubs, "--pyi_out="+stubs, "--grpc_python_out="+stubs, "demo/orders/v1/orders.proto")
	path := map[string]string{
		"PYTHONPATH": installed + string(os.PathListSeparator) + stubs + string(os.PathListSeparator) + modules,
	}
	w.run(t, client, path, "python3", "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests")
	w.example(t, w.run(t, client, path, "python3", "example.py", w.env["WEFT_COMPONENT"]))
	w.run(t, client, path, "python3", "-m", "mypy", "--cache-dir", t.TempDir())
}

// typescript builds the client with npm, and runs its tests and example.
func (w *world) typescript(t *testing.T) {
	packages, generators := w.tool(t, "clients.sh", "typescript"), w.tool(t, "clients.sh", "generators")
	client, schema := w.copyOf(t, "clients/typescript"), w.schema(t, "proto")
	if err := os.Symlink(filepath.Join(packages, "node_modules"), filepath.Join(client, "node_modules")); err != nil {
		t.Fatal(err)
	}
	stubs := filepath.Join(client, "test", "stubs")
	if err := os.Mkdir(stubs, 0o700); err != nil {
		t.Fatal(err)
	}
	w.run(t, schema, nil, filepath.Join(generators, "grpc-tools-protoc"), "-I.",
		"--plugin="+filepath.Join(generators, "protoc-gen-es"), "--es_out="+stubs, "--es_opt=target=ts,import_extension=js",
		"demo/orders/v1/orders.proto")
	w.run(t, client, nil, "npm", "run", "prepare")
	w.run(t, client, nil, "npm", "test")
	w.example(t, w.run(t, client, nil, "node", "example.mjs", w.env["WEFT_COMPONENT"]))
}

// java builds the client with Maven, and runs its tests and example.
func (w *world) java(t *testing.T) {
	generators := w.tool(t, "clients.sh", "generators")
	client, schema, stubs := w.copyOf(t, "clients/java"), w.schema(t, "descriptors"), t.TempDir()
	w.run(t, schema, nil, filepath.Join(generators, "maven-protoc"), "--descriptor_set_in=schema.binpb",
		"--plugin="+filepath.Join(generators, "protoc-gen-grpc-java"), "--java_out="+stubs,
		"--grpc-java_out=@generated=omit:"+stubs, "demo/orders/v1/orders.proto")
	w.run(t, client, nil, "mvn", "--batch-mode", "--quiet", "-Pnode", "-Dtest.stubs="+stubs, "package",
		"dependency:copy-dependencies", "-DincludeScope=runtime")
	target := filepath.Join(client, "target")
	classes := filepath.Join(target, "weft-client-0.1.0.jar") + string(os.PathListSeparator) + filepath.Join(target, "dependency", "*")
	w.example(t, w.run(t, client, nil, "java", "-cp", classes, filepath.Join("example", "Example.java"), w.env["WEFT_COMPONENT"]))
}

// TestStubs has weft sdk write stubs in every language, and runs the programs that come with them.
func TestStubs(t *testing.T) {
	w := newWorld(t)
	w.node.Must("deploy", w.env["WEFT_COMPONENT"], "--name", "orders", "--wait", "1m")
	generators, modules := w.tool(t, "clients.sh", "generators"), w.tool(t, "clients.sh", "python")
	tools := t.TempDir()
	if err := os.Symlink(filepath.Join(generators, "maven-protoc"), filepath.Join(tools, "protoc")); err != nil {
		t.Fatal(err)
	}
	path := strings.Join([]string{tools, generators, w.tool(t, "go-tools.sh", "protoc-gen-go", "protoc-gen-go-grpc"), os.Getenv("PATH")},
		string(os.PathListSeparator))
	env := map[string]string{"PATH": path, "PYTHONPATH": modules}
	t.Setenv("PATH", path)
	t.Setenv("PYTHONPATH", modules)
	for language, run := range map[string]string{
		"python": `python3 main.py "$WEFT_ADDR"`,
		"ts":     `ln -s "$(` + w.root + `/examples/toolchains/clients.sh typescript)/node_modules" . && node main.mjs "$WEFT_ADDR"`,
		"go": `sed 's#^module .*#module weft.internal#' ` + w.root + `/go.mod >go.mod && cp ` + w.root + `/go.sum . &&
			go run -mod=mod . "$WEFT_ADDR"`,
		"java": `mvn -q -B compile dependency:copy-dependencies && java -cp 'target/classes:target/dependency/*' Main "$WEFT_ADDR"`,
	} {
		t.Run(language, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "stubs")
			w.node.Must("sdk", "orders", "--lang", language, "-o", dir)
			if out := w.run(t, dir, env, "bash", "-c", run); !strings.Contains(out, "book-loom") {
				t.Errorf("the program says\n%s", out)
			}
		})
	}
}
