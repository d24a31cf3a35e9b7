package secrets

import (
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// key is the line of a key that is made of one byte.
func key(b byte) string {
	return base64.StdEncoding.EncodeToString(slices.Repeat([]byte{b}, keyBytes))
}

func ring(t *testing.T, keys ...byte) *Keyring {
	t.Helper()
	var lines []string
	for _, b := range keys {
		lines = append(lines, key(b))
	}
	r, err := ParseKeys(strings.Join(lines, "\n"))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestParseKeys(t *testing.T) {
	r, err := ParseKeys("# today's\n\n  " + key(0xfb) + "\r\n" + key(2) + "\n")
	if err != nil {
		t.Fatal(err)
	}
	if ids := r.IDs(); len(ids) != 2 || ids[0] != r.First() || ids[0] == ids[1] || len(ids[0]) != idDigits || !r.Has(ids[1]) || r.Has("x") {
		t.Fatalf("keys %q, first %q", ids, r.First())
	}
	for _, spelling := range []string{ // of the same key
		base64.RawStdEncoding.EncodeToString(slices.Repeat([]byte{0xfb}, keyBytes)),
		base64.URLEncoding.EncodeToString(slices.Repeat([]byte{0xfb}, keyBytes)),
		base64.RawURLEncoding.EncodeToString(slices.Repeat([]byte{0xfb}, keyBytes)),
	} {
		if other, err := ParseKeys(spelling); err != nil || other.First() != r.First() {
			t.Errorf("%s: %v, %v", spelling, other.IDs(), err)
		}
	}
	if first, again := ring(t, 3), ring(t, 3); first.First() != again.First() {
		t.Error("a key has two IDs")
	}
}

func TestBadKeys(t *testing.T) {
	secret := "correct-horse-battery-staple"
	var many []string
	for b := range maxKeys + 1 {
		many = append(many, key(byte(b)))
	}
	for name, tt := range map[string]struct{ text, says string }{
		"nothing":     {"\n# only a comment\n", "there is no key"},
		"no base64":   {secret + "!", "line 1: it is no base64"},
		"short":       {"# first\n" + base64.StdEncoding.EncodeToString([]byte(secret)), "line 2: a key has 32 bytes, this one has 28"},
		"long":        {base64.StdEncoding.EncodeToString(make([]byte, 64)), "line 1: a key has 32 bytes, this one has 64"},
		"twice":       {key(1) + "\n" + key(2) + "\n" + key(1), "line 3: key"},
		"many":        {strings.Join(many, "\n"), "17 keys are more than 16"},
		"a long line": {strings.Repeat("a", 2*maxKeyFile), "too long"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ParseKeys(tt.text)
			if err == nil || !strings.Contains(err.Error(), tt.says) {
				t.Fatalf("error %v", err)
			}
			for line := range strings.SplitSeq(tt.text, "\n") {
				if len(line) > 20 && strings.Contains(err.Error(), line[:20]) {
					t.Fatalf("the error shows the line: %v", err)
				}
			}
		})
	}
}

func TestLoadKeys(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	if _, err := LoadKeys(path); err == nil || !strings.Contains(err.Error(), path) {
		t.Fatalf("without a file: %v", err)
	}
	if err := os.WriteFile(path, []byte(key(1)), 0o600); err != nil {
		t.Fatal(err)
	}
	for mode, good := range map[os.FileMode]bool{0o600: true, 0o400: true, 0o440: true, 0o640: true, 0o644: false, 0o660: false, 0o604: false, 0o601: false} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		switch _, err := LoadKeys(path); {
		case good && err != nil:
			t.Errorf("mode %04o: %v", mode, err)
		case !good && (err == nil || !strings.Contains(err.Error(), "chmod 600 "+path)):
			t.Errorf("mode %04o: error %v", mode, err)
		}
	}
	for name, content := range map[string]string{"no keys": "x", "large": strings.Repeat("#\n", maxKeyFile)} {
		path := filepath.Join(t.TempDir(), "other")
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := LoadKeys(path); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

// TestKeysAreHidden prints a keyring in every way that Go has.
func TestKeysAreHidden(t *testing.T) {
	r := ring(t, 'k')
	holder := struct{ ring *Keyring }{r}
	plain := string(slices.Repeat([]byte{'k'}, keyBytes))
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%d"} {
		for _, what := range []any{r, *r, holder, &holder} {
			text := fmt.Sprintf(verb, what)
			for _, shown := range []string{plain, "6b6b6b6b", "107 107 107", "107, 107", "0x6b, 0x6b"} {
				if strings.Contains(text, shown) {
					t.Errorf("%s of %T shows the key: %s", verb, what, text)
				}
			}
		}
	}
}
