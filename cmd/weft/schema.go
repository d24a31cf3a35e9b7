package main

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/proto"

	weft "github.com/weft-run/weft/clients/go"
	weftv1 "github.com/weft-run/weft/proto/weft/v1"
	"github.com/weft-run/weft/wit/contract"
)

func (a *app) schemaCommand() *cobra.Command {
	var dir, format string
	c := &cobra.Command{
		Use:   "schema [NAME]",
		Short: "Write the protobuf schema of a function, or of the whole namespace",
		Long: `Write the protobuf schema of a function's services, or of all contracts of the namespace. It goes to stdout, or with -o to
a directory: .proto files with a buf.yaml (--format proto), or schema.binpb, a FileDescriptorSet (--format
descriptors). A contract.binpb beside them holds every name and number: weft deploy --contract starts from it, so that
another cluster gives the same ones.`,
		Example: `  weft schema orders -o schema && buf lint schema
  weft schema orders --format descriptors > orders.binpb`,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usagef(c, "%s takes %s; %d given", c.CommandPath(), argumentsOf(c), len(args))
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			if format != "proto" && format != "descriptors" {
				return usagef(c, "--format %q: write proto or descriptors", format)
			}
			name := ""
			if len(args) == 1 {
				name = args[0]
			}
			return a.with(func(client *weft.Client) error {
				schema, err := client.Schema(c.Context(), name)
				if err != nil {
					return err
				}
				files, err := schemaFiles(schema, format)
				if err != nil {
					return err
				}
				switch {
				case dir != "":
					return a.writeSchema(dir, files, schema)
				case a.json:
					return a.printJSON(schema)
				default:
					return a.printSchema(files)
				}
			})
		},
		ValidArgsFunction: a.complete(0, functionNames),
	}
	c.Flags().StringVarP(&dir, "output", "o", "", "`DIR` to write to, created if it is not there")
	c.Flags().StringVar(&format, "format", "proto", "`FORMAT`: proto or descriptors")
	must(c.MarkFlagDirname("output"))
	must(c.RegisterFlagCompletionFunc("format", cobra.FixedCompletions([]string{"proto", "descriptors"}, cobra.ShellCompDirectiveNoFileComp)))
	return a.remote(c)
}

// schemaFiles are the files of a schema by path, without contract.binpb.
func schemaFiles(schema *weftv1.SchemaResponse, format string) (map[string]string, error) {
	if format == "proto" {
		return contract.Print(schema.GetFiles())
	}
	data, err := proto.MarshalOptions{Deterministic: true}.Marshal(schema.GetFiles())
	return map[string]string{"schema.binpb": string(data)}, err
}

// printSchema prints the files one after the other.
func (a *app) printSchema(files map[string]string) error {
	if data, ok := files["schema.binpb"]; ok {
		if terminal(a.out) {
			return fmt.Errorf("descriptors are binary: send them to a file or name a directory with -o")
		}
		_, err := fmt.Fprint(a.out, data)
		return err
	}
	for _, path := range slices.Sorted(maps.Keys(files)) {
		if filepath.Ext(path) != ".proto" {
			continue
		}
		if _, err := fmt.Fprintf(a.out, "// %s\n%s\n", path, files[path]); err != nil {
			return err
		}
	}
	return nil
}

// writeSchema writes the files and contract.binpb into a directory, and says which.
func (a *app) writeSchema(dir string, files map[string]string, schema *weftv1.SchemaResponse) error {
	set, err := proto.MarshalOptions{Deterministic: true}.Marshal(&weftv1.ContractSet{Contracts: schema.GetContracts()})
	if err != nil {
		return err
	}
	files["contract.binpb"] = string(set)
	if err := writeFiles(dir, files); err != nil {
		return err
	}
	if a.json {
		return a.printJSON(schema)
	}
	for _, path := range slices.Sorted(maps.Keys(files)) {
		if _, err := fmt.Fprintln(a.out, filepath.Join(dir, path)); err != nil {
			return err
		}
	}
	return nil
}
