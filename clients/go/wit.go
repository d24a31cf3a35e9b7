package weft

import (
	"fmt"
	"io/fs"
	"path"

	weftv1 "github.com/weft-run/weft/proto/weft/v1"
)

// maxWit bounds the WIT text of one deploy, in bytes.
const maxWit = 2 << 20

// WitFiles reads the .wit files of a directory and those below it, for DeploySpec.Wit: their doc comments go into
// reflection and schemas.
func WitFiles(dir fs.FS) ([]*weftv1.WitFile, error) {
	var files []*weftv1.WitFile
	total := 0
	err := fs.WalkDir(dir, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || path.Ext(name) != ".wit" {
			return err
		}
		content, err := fs.ReadFile(dir, name)
		if err != nil {
			return err
		}
		if total += len(content); total > maxWit {
			return fmt.Errorf("%s: the .wit files have over %d MiB together", name, maxWit>>20)
		}
		files = append(files, &weftv1.WitFile{Path: name, Content: content})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("weft: read WIT: %w", err)
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("weft: read WIT: no .wit file in the directory")
	}
	return files, nil
}
