package project

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"google.golang.org/protobuf/proto"

	weftv1 "github.com/weft-run/weft/proto/weft/v1"
	"github.com/weft-run/weft/wit/component"
	"github.com/weft-run/weft/wit/contract"
	"github.com/weft-run/weft/wit/doc"
	"github.com/weft-run/weft/wit/resolve"
)

// contractFile is where a project keeps its contract, beside the .wit files.
const contractFile = "wit/contract.binpb"

// extend builds the contract of a component on that of the project, and returns the contract as it is to be written.
func extend(dir, name string, binary []byte, allowBreaking bool) ([]byte, []*weftv1.Change, error) {
	world, err := component.Decode(binary)
	if err != nil {
		return nil, nil, err
	}
	files, err := resolve.Files(os.DirFS(filepath.Join(dir, "wit")))
	if err != nil {
		return nil, nil, err
	}
	comments, err := doc.Parse(files)
	if err != nil {
		return nil, nil, err
	}
	stored, err := readContract(filepath.Join(dir, contractFile))
	if err != nil {
		return nil, nil, err
	}
	built, err := contract.Build(contract.Input{
		Function: name, World: world, Comments: comments, Stored: stored, AllowBreaking: allowBreaking,
	})
	if err != nil {
		if breaking := new(contract.BreakingError); errors.As(err, &breaking) {
			return nil, nil, fmt.Errorf("not what %s has: %w", contractFile, err)
		}
		return nil, nil, err
	}
	for _, c := range built.Contracts {
		stored[c.GetPackage()] = c
	}
	set := &weftv1.ContractSet{}
	for _, pkg := range slices.Sorted(maps.Keys(stored)) {
		set.Contracts = append(set.Contracts, stored[pkg])
	}
	data, err := proto.MarshalOptions{Deterministic: true}.Marshal(set)
	return data, built.Changes, err
}

// readContract reads the contracts of a project by package. There are none before the first build.
func readContract(file string) (map[string]*weftv1.Contract, error) {
	contracts := make(map[string]*weftv1.Contract)
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return contracts, nil
	}
	if err != nil {
		return nil, err
	}
	var set weftv1.ContractSet
	if err := proto.Unmarshal(data, &set); err != nil {
		return nil, fmt.Errorf("%s is damaged: take it from version control, or remove it to start with new numbers: %w", file, err)
	}
	for _, c := range set.GetContracts() {
		contracts[c.GetPackage()] = c
	}
	return contracts, nil
}
