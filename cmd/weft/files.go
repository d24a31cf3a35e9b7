package main

import (
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
)

// writeFiles writes files into a directory, by their paths in it with slashes. It makes the directory if it is not there.
func writeFiles[T string | []byte](dir string, files map[string]T) error {
	if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // sources, for everybody
		return err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }()
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if !filepath.IsLocal(name) {
			return fmt.Errorf("a file is named %q, outside of the directory", name)
		}
		if err := root.MkdirAll(path.Dir(name), 0o755); err != nil {
			return err
		}
		if err := root.WriteFile(name, []byte(files[name]), 0o644); err != nil {
			return err
		}
	}
	return nil
}
