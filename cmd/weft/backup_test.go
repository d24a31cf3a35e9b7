package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/weft-run/weft/test/wat"
)

// TestBackupAndRestore makes a new cluster of a backup, in which functions answer as in the old one.
func TestBackupAndRestore(t *testing.T) {
	old := startServer(t)
	calc := wat.Guest{}.File(t)
	old.weft("deploy", calc, "--name", "calc").ok()
	old.weft("deploy", calc, "--name", "calc", "--env", "A=1").ok()
	old.weft("deploy", calc, "--name", "other", "-n", "elsewhere").ok()
	old.weft("deploy", calc, "--name", "gone").ok()
	old.weft("delete", "gone").ok()

	file := filepath.Join(t.TempDir(), "weft.backup")
	if err := os.WriteFile(file, []byte("an older one"), 0o600); err != nil {
		t.Fatal(err)
	}
	old.weft("backup", file).ok().prints(file, "2 functions, 3 revisions, 1 component")
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("%v, %v", info, err)
	}
	old.stop()

	dir := filepath.Join(t.TempDir(), "data")
	weftWith(t, "", "restore", file, "--data-dir", dir).ok().prints("2 functions, 3 revisions, 1 component", "weft server --data-dir "+dir)
	s := startServerIn(t, dir)
	for _, namespace := range []string{"default", "elsewhere"} {
		waitUntil(t, "the functions are placed and answer", func() bool {
			return s.weft("call", "Calc/Add", `{"a":1,"b":2}`, "-n", namespace).code == exitOK
		})
	}
	s.weft("revisions", "calc").ok().prints("2         current")
	s.weft("deploy", calc, "--name", "calc").ok().prints("calc revision 3")
	s.weft("deploy", calc, "--name", "gone").ok().prints("gone revision 2") // the number is not given again

	// Not over what is there, in use or not.
	weftWith(t, "", "restore", file, "--data-dir", dir).exits(exitFailure).complains("not empty", dir)
	s.stop()
	weftWith(t, "", "restore", file, "--data-dir", dir, "--json").exits(exitFailure).complains("not empty", `"message"`)
	startServerIn(t, dir).weft("revisions", "calc").ok().prints("3         current")
}

// TestBackupToLink: the backup takes the place of the file that the link leads to; the link stays.
func TestBackupToLink(t *testing.T) {
	s := startServer(t)
	file := write(t, "old.backup", []byte("an older one"))
	link := filepath.Join(t.TempDir(), "latest")
	if err := os.Symlink(file, link); err != nil {
		t.Fatal(err)
	}
	s.weft("backup", link).ok().prints(link)
	if info, err := os.Lstat(link); err != nil || info.Mode().Type() != os.ModeSymlink {
		t.Errorf("the link: %v, %v", info, err)
	}
	weftWith(t, "", "restore", file, "--data-dir", filepath.Join(t.TempDir(), "data")).ok()
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	s.weft("backup", link).exits(exitFailure).complains("no such file")
}

// TestBackupThroughPipes has - stand for stdout and stdin, and not for a file.
func TestBackupThroughPipes(t *testing.T) {
	s := startServer(t)
	s.weft("deploy", wat.Guest{}.File(t), "--name", "calc").ok()
	work := t.TempDir()
	t.Chdir(work)
	made := s.weft("backup", "-").ok()
	if !strings.Contains(made.err, "-: 1 function, 1 revision, 1 component") {
		t.Errorf("stderr has %q", made.err)
	}
	var told struct {
		Bytes int `json:"bytes"`
	}
	if json := s.weft("backup", "-", "--json").ok(); unmarshal(t, json.err, &told).Bytes != len(json.out) {
		t.Errorf("%d bytes, and it says %s", len(json.out), json.err)
	}
	weftWith(t, made.out, "restore", "-", "--data-dir", "data").ok().prints("1 function, 1 revision, 1 component")
	weftWith(t, made.out[:len(made.out)/2], "restore", "-", "--data-dir", "none").exits(exitFailure).complains("stdin: ", "cut off at byte")
	weftWith(t, "", "backup", "-", "--addr", "127.0.0.1:1").exits(exitFailure).complains("no answer")
	if entries, err := os.ReadDir(work); err != nil || len(entries) != 1 {
		t.Errorf("there are %v, %v", entries, err)
	}
}

// unmarshal reads JSON, and gives what it was read into.
func unmarshal[T any](t *testing.T, text string, into *T) *T {
	t.Helper()
	if err := json.Unmarshal([]byte(text), into); err != nil {
		t.Fatal(err)
	}
	return into
}

// TestNoBackupOnTerminals refuses to print a backup where somebody reads, and to wait for one to be typed.
func TestNoBackupOnTerminals(t *testing.T) {
	terminal, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Skip(err)
	}
	defer func() { _ = terminal.Close() }()
	for _, command := range []string{"backup", "restore"} {
		var errs bytes.Buffer
		if code := run(t.Context(), []string{command, "-"}, terminal, terminal, &errs); code != exitUsage || !strings.Contains(errs.String(), "is a terminal") {
			t.Errorf("%s: exit status %d: %s", command, code, errs.String())
		}
	}
}

func TestBackupAndRestoreJSON(t *testing.T) {
	s := startServer(t)
	s.weft("deploy", wat.Guest{}.File(t), "--name", "calc").ok()
	file, dir := filepath.Join(t.TempDir(), "b"), filepath.Join(t.TempDir(), "data")
	var made, restored struct {
		File          string `json:"file"`
		Cluster       string `json:"cluster"`
		Node          string `json:"node"`
		BackupCluster string `json:"backupCluster"`
		Bytes         int64  `json:"bytes"`
		Functions     int    `json:"functions"`
		Revisions     int    `json:"revisions"`
	}
	if err := json.Unmarshal([]byte(s.weft("backup", file, "--json", "--stale").ok().out), &made); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(file)
	if err != nil || made.File != file || made.Bytes != info.Size() || made.Functions != 1 || made.BackupCluster == "" {
		t.Errorf("backup prints %+v, %v", made, err)
	}
	out := weftWith(t, "", "restore", file, "--data-dir", dir, "--json").ok().out
	if err := json.Unmarshal([]byte(out), &restored); err != nil || restored.Revisions != 1 || restored.Node == "" ||
		restored.BackupCluster != made.BackupCluster || restored.Cluster == made.BackupCluster {
		t.Errorf("restore prints %s, %v", out, err)
	}
}

// TestBackupFails leaves an older backup as it is, and nothing beside it.
func TestBackupFails(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "weft.backup")
	if err := os.WriteFile(file, []byte("an older one"), 0o600); err != nil {
		t.Fatal(err)
	}
	weftWith(t, "", "backup", file, "--addr", "127.0.0.1:1").exits(exitFailure).complains("no answer from 127.0.0.1:1")
	s := startServer(t)
	s.weft("deploy", wat.Guest{}.File(t), "--name", "calc").ok()
	for _, artifact := range artifactFiles(t, s.dir) {
		if err := os.Remove(artifact); err != nil {
			t.Fatal(err)
		}
	}
	s.weft("backup", file).exits(exitFailure).complains("calc", "sha256:")
	s.weft("backup", filepath.Join(dir, "missing", "b")).exits(exitFailure).complains("no such file or directory")
	s.weft("backup", dir).exits(exitFailure).complains("is no file")
	entries, err := os.ReadDir(dir)
	if got, readErr := os.ReadFile(file); string(got) != "an older one" || readErr != nil || len(entries) != 1 {
		t.Errorf("left: %q, %v, %v, %v", got, readErr, entries, err)
	}
}

func TestRestoreDamaged(t *testing.T) {
	s := startServer(t)
	s.weft("deploy", wat.Guest{}.File(t), "--name", "calc").ok()
	file := filepath.Join(t.TempDir(), "weft.backup")
	s.weft("backup", file).ok()
	good, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "data")
	flipped := append([]byte(nil), good...)
	flipped[len(good)-100] ^= 1
	for name, tt := range map[string]struct {
		data []byte
		want string
	}{
		"flipped":   {flipped, "artifact 1 of 1"},
		"cut":       {good[:len(good)/2], "cut off at byte"},
		"no backup": {[]byte("hello"), "cut off"},
		"another":   {make([]byte, 1000), "no backup of weft"},
	} {
		bad := write(t, "bad.backup", tt.data)
		weftWith(t, "", "restore", bad, "--data-dir", dir).exits(exitFailure).complains(bad, tt.want)
		if _, err := os.Stat(dir); !os.IsNotExist(err) {
			t.Errorf("%s: the directory is there", name)
		}
	}
	weftWith(t, "", "restore", filepath.Join(dir, "none")).exits(exitFailure).complains("no such file")
}

// TestBackupOnFullDisk needs the right to mount a file system.
func TestBackupOnFullDisk(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=64k"); err != nil {
		t.Skipf("a small file system can't be mounted here: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	s := startServer(t)
	big := wat.Guest{}.Bytes(t)
	for range 100_000 {
		big = append(big, "\x00\x03\x01mx"...) // custom sections
	}
	s.weft("deploy", write(t, "big.wasm", big), "--name", "big").ok()
	s.weft("backup", filepath.Join(dir, "weft.backup")).exits(exitFailure).complains("no space left")
	if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
		t.Errorf("left: %v, %v", entries, err)
	}
}
