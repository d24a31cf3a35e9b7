package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// keyFile writes keys for secrets, each made of one byte.
func keyFile(t *testing.T, keys ...byte) string {
	t.Helper()
	var lines []string
	for _, b := range keys {
		lines = append(lines, base64.StdEncoding.EncodeToString(slices.Repeat([]byte{b}, 32)))
	}
	return write(t, "secrets.key", []byte(strings.Join(lines, "\n")+"\n"))
}

// weft runs the command against the process, with something on stdin.
func (p *process) weft(t *testing.T, stdin string, args ...string) result {
	t.Helper()
	return weftWith(t, stdin, append(args, "--addr", p.addr)...)
}

type listedSecrets struct {
	KeyID   string `json:"keyId"`
	Secrets []struct {
		Key       string `json:"key"`
		Version   string `json:"version"`
		KeyID     string `json:"keyId"`
		SizeBytes int    `json:"sizeBytes"`
		Readable  bool   `json:"readable"`
	} `json:"secrets"`
}

func (p *process) secrets(t *testing.T) listedSecrets {
	t.Helper()
	var list listedSecrets
	if err := json.Unmarshal([]byte(p.weft(t, "", "secret", "list", "--json").ok().out), &list); err != nil {
		t.Fatal(err)
	}
	return list
}

// TestSecretCommands sets secrets in every way and looks for them wherever a server leaves something behind.
func TestSecretCommands(t *testing.T) {
	dir := t.TempDir()
	p := startProcess(t, dir, "--secrets-key", keyFile(t, 1))
	const secret = "correct-horse-battery-staple"
	file := write(t, "secret.txt", []byte(secret+"\r\n"))

	p.weft(t, secret+"\n", "secret", "set", "stdin").ok().prints("set stdin (version 1)\n")
	p.weft(t, secret+"\r\n", "secret", "set", "stdin", "-").ok().prints("set stdin (version 2)\n")
	p.weft(t, secret+"\n\n", "secret", "set", "lines").ok()
	p.weft(t, "", "secret", "set", "argument", secret).ok()
	p.weft(t, "", "secret", "set", "db/password", "@"+file, "--function", "orders").ok().prints("set db/password of orders (version 1)\n")
	p.weft(t, strings.Repeat("x", 64<<10)+"\n", "secret", "set", "largest").ok()
	if got := p.weft(t, secret, "secret", "set", "json", "--json").ok().out; !strings.Contains(got, `"version": "1"`) {
		t.Errorf("JSON %s", got)
	}
	p.weft(t, "", "secret", "list").ok().prints("db/password  orders", "(all)", "ENCRYPTED WITH", "64KiB")
	sizes := map[string]int{}
	for _, s := range p.secrets(t).Secrets {
		sizes[s.Key] = s.SizeBytes
		if !s.Readable {
			t.Errorf("%s can't be read", s.Key)
		}
	}
	for key, more := range map[string]int{"stdin": 0, "lines": 1, "argument": 0, "db/password": 2, "json": 0} {
		if sizes[key] != len(secret)+more {
			t.Errorf("%s has %d bytes, want %d", key, sizes[key], len(secret)+more)
		}
	}

	mib := write(t, "mib", bytes.Repeat([]byte("x"), 1<<20))
	for _, args := range [][]string{{"@" + mib}, {"-"}, {}} {
		p.weft(t, strings.Repeat("x", 1<<20), append([]string{"secret", "set", "large"}, args...)...).exits(exitFailure).complains("secret large", "64 KiB")
	}
	p.weft(t, strings.Repeat("x", 64<<10+1), "secret", "set", "large").exits(exitFailure).complains("64 KiB")
	p.weft(t, "\xff\xfe", "secret", "set", "binary").exits(exitFailure).complains("INVALID_ARGUMENT", "UTF-8", "base64")
	p.weft(t, "\n", "secret", "set", "empty").exits(exitFailure).complains("empty", "delete it")
	p.weft(t, "", "secret", "set", "gone", "@"+file+".gone").exits(exitFailure).complains("secret gone", "no such file")
	p.weft(t, "", "secret", "set", "a b", "c").exits(exitFailure).complains("letters, digits")
	p.weft(t, "", "secret", "set", "a", "b", "--function", "A").exits(exitFailure).complains("function name")
	p.weft(t, "", "secret", "set").exits(exitUsage).complains("KEY [VALUE|@FILE|-]")
	weftWith(t, "", "secret", "lst").exits(exitUsage).complains("did you mean set or list")
	p.weft(t, "", "secret", "delete", "sdtin").exits(exitFailure).complains("NOT_FOUND", "did you mean stdin?")
	p.weft(t, "", "secret", "delete", "stdin", "--function", "orders").exits(exitFailure).complains("function orders", "no secret stdin of its own")
	p.weft(t, "", "secret", "delete", "stdin").ok().prints("deleted stdin\n")
	p.weft(t, "", "secret", "delete", "db/password", "--function", "orders", "--json").ok().prints("{}")
	p.weft(t, "", "secret", "reseal").ok().prints("resealed 0 secrets with key " + p.secrets(t).KeyID)
	p.weft(t, "", "secret", "list", "-n", "elsewhere").ok()

	backup := filepath.Join(t.TempDir(), "weft.backup")
	p.weft(t, "", "backup", backup).ok()
	metrics, err := http.Get("http://" + p.http + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	var page bytes.Buffer
	if _, err := page.ReadFrom(metrics.Body); err != nil || metrics.Body.Close() != nil {
		t.Fatal(err)
	}
	if !strings.Contains(page.String(), `weft_secrets{readable="true"} 4`) {
		t.Error("the metric does not count the secrets")
	}
	rest := p.terminate(t)
	for what, data := range map[string][]byte{"stdout": []byte(rest), "the log": p.log.Bytes(), "/metrics": page.Bytes(), "the backup": read(t, backup)} {
		hides(t, what, data, secret)
	}
	err = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() {
			hides(t, path, read(t, path), secret)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// hides wants no spelling of a secret in some data.
func hides(t *testing.T, what string, data []byte, secret string) {
	t.Helper()
	for _, spelling := range []string{secret, base64.StdEncoding.EncodeToString([]byte(secret))[:30], base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{1}, 32))} {
		if bytes.Contains(data, []byte(spelling)) {
			t.Errorf("%s holds %s", what, spelling)
		}
	}
}

// TestSecretKeys starts servers with keys that are good and bad, and rotates them.
func TestSecretKeys(t *testing.T) {
	dir := t.TempDir()
	p := startProcess(t, dir)
	p.weft(t, "x", "secret", "set", "k").exits(exitFailure).complains("FAILED_PRECONDITION (NO_KEY)", "--secrets-key", "WEFT_SECRETS_KEY", "openssl rand")
	p.weft(t, "", "secret", "list").ok()
	p.terminate(t)

	p = startProcess(t, dir, "--secrets-key", keyFile(t, 1))
	p.weft(t, "x", "secret", "set", "k").ok()
	p.weft(t, "y", "secret", "set", "l", "--function", "orders").ok()
	old := p.secrets(t).KeyID
	p.terminate(t)

	p = startProcess(t, dir, "--secrets-key", keyFile(t, 2)) // without the old one
	p.weft(t, "", "secret", "list").ok().prints(old + " (not on this node)")
	p.weft(t, "", "secret", "reseal").ok().prints("resealed 0 secrets")
	p.terminate(t)

	p = startProcess(t, dir, "--secrets-key", keyFile(t, 2, 1))
	p.weft(t, "", "secret", "list").ok().prints(old + " (older)")
	p.weft(t, "", "secret", "reseal").ok().prints("resealed 2 secrets")
	p.terminate(t)

	t.Setenv("WEFT_SECRETS_KEY", base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{2}, 32)))
	p = startProcess(t, dir)
	list := p.secrets(t)
	if list.KeyID == old || len(list.Secrets) != 2 {
		t.Fatalf("secrets %+v", list)
	}
	for _, s := range list.Secrets {
		if !s.Readable || s.KeyID != list.KeyID || s.Version != "2" {
			t.Errorf("secret %+v", s)
		}
	}
	p.terminate(t)

	t.Setenv("WEFT_SECRETS_KEY", "no key")
	weftWith(t, "", "server", "--data-dir", dir).exits(exitFailure).complains("WEFT_SECRETS_KEY", "line 1", "openssl rand")
	if _, ok := os.LookupEnv("WEFT_SECRETS_KEY"); ok {
		t.Error("child processes would inherit the key")
	}
	open := keyFile(t, 1)
	if err := os.Chmod(open, 0o644); err != nil {
		t.Fatal(err)
	}
	weftWith(t, "", "server", "--data-dir", dir, "--secrets-key", open).exits(exitFailure).complains("read by others", "chmod 600 "+open)
	weftWith(t, "", "server", "--data-dir", dir, "--secrets-key", open+".gone").exits(exitFailure).complains(open + ".gone")
}
