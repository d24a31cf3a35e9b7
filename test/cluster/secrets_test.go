package cluster

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/weft-run/weft/test/components"
)

// keyFile writes keys for secrets, one per line.
func keyFile(t *testing.T, keys ...string) Spec {
	t.Helper()
	path := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(path, []byte(strings.Join(keys, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	return Spec{Args: []string{"--secrets-key", path}}
}

func newKey() string {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // it never fails
	return base64.StdEncoding.EncodeToString(key)
}

// reads wants the function to see a value on a node.
func (n *Node) reads(key, want string) error {
	r := n.Weft("call", "Reader/Get", fmt.Sprintf(`{"key": %q}`, key))
	if r.Code != 0 || !strings.Contains(r.Out, fmt.Sprintf("%q", want)) {
		return fmt.Errorf("%s: %s is not %q there: %s%s", n.Name, key, want, r.Out, r.Err)
	}
	return nil
}

// TestSecrets sets secrets on one node and reads them on others, through restarts, a change of keys, and a backup. Nothing that
// the nodes leave behind has a secret in it.
func TestSecrets(t *testing.T) {
	c := New(t)
	first, second := newKey(), newKey()
	nodes := c.Grow(3, keyFile(t, first))
	nodes[0].Must("deploy", components.Path(t, "config"), "--name", "reader", "--replicas", "all")
	everywhere := func(key, want string) {
		t.Helper()
		for _, n := range nodes {
			c.Eventually("the secret", func() error { return n.reads(key, want) })
		}
	}
	nodes[0].Must("secret", "set", "password", "very-secret-one")
	everywhere("password", "very-secret-one")
	nodes[1].Must("secret", "set", "password", "very-secret-two") // nothing is deployed anew
	nodes[2].Must("secret", "set", "password", "very-secret-three", "-n", "elsewhere")
	everywhere("password", "very-secret-two")

	for _, n := range nodes {
		n.Stop()
	}
	for _, n := range nodes {
		n.Restart()
	}
	c.Settle()
	everywhere("password", "very-secret-two")
	nodes[1].Kill()
	nodes[0].Must("secret", "set", "password", "very-secret-four", "--function", "reader")
	nodes[1].Restart()
	c.Settle()
	everywhere("password", "very-secret-four")

	// One node after the other gets the new key, and then all of them encrypt with it.
	for _, spec := range []Spec{keyFile(t, first, second), keyFile(t, second, first)} {
		for _, n := range nodes {
			n.Stop()
			n.Restart(func(s *Spec) { s.Args = spec.Args })
			c.Settle()
			everywhere("password", "very-secret-four")
		}
	}
	for _, namespace := range []string{"default", "elsewhere"} {
		nodes[2].Must("secret", "reseal", "-n", namespace)
	}
	spec := keyFile(t, second)
	for _, n := range nodes {
		n.Stop()
		n.Restart(func(s *Spec) { s.Args = spec.Args })
	}
	c.Settle()
	everywhere("password", "very-secret-four")

	backup := filepath.Join(t.TempDir(), "backup")
	nodes[0].Must("backup", backup)
	for _, n := range nodes {
		n.Stop()
		if strings.Contains(n.Log(), "very-secret") {
			t.Errorf("the log of %s holds a secret", n.Name)
		}
		if err := hides(n.Dir); err != nil {
			t.Error(err)
		}
	}
	if err := hides(backup); err != nil {
		t.Error(err)
	}
	restored := New(t)
	lone := restored.node(Spec{Name: "restored", Binary: Faulty, Args: keyFile(t, second).Args})
	if out, err := exec.Command(Faulty.path(t), "restore", backup, "--data-dir", lone.Dir).CombinedOutput(); err != nil {
		t.Fatalf("restore: %v: %s", err, out)
	}
	lone.Restart()
	restored.Eventually("the secret after a restore", func() error { return lone.reads("password", "very-secret-four") })
	lone.Stop()
	lone.Restart(func(s *Spec) { s.Args = keyFile(t, first).Args })
	restored.Eventually("an error with the wrong key", func() error {
		if r := lone.Weft("call", "Reader/Get", `{"key": "password"}`); r.Code == 0 || !strings.Contains(r.Err, "which this node does not have") {
			return errors.New(r.Out + r.Err)
		}
		return nil
	})
}

// hides walks over what a node left behind.
func hides(root string) error {
	return filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		if err == nil && bytes.Contains(data, []byte("very-secret")) {
			err = fmt.Errorf("%s holds a secret", path)
		}
		return err
	})
}
