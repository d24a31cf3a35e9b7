package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// maxSecret is how many bytes a secret may have. The server checks too; this is to say so before anything is sent.
const maxSecret = 64 << 10

// secretValue reads the value of a secret: the second argument, the file that it names with @, or stdin.
func (a *app) secretValue(args []string) ([]byte, error) {
	switch {
	case len(args) < 2 || args[1] == "-":
		return a.secretInput(args[0])
	case strings.HasPrefix(args[1], "@"):
		f, err := os.Open(args[1][1:])
		if err != nil {
			return nil, fmt.Errorf("secret %s: %w", args[0], err)
		}
		defer func() { _ = f.Close() }()
		return readSecret(args[0], f)
	default:
		return readSecret(args[0], strings.NewReader(args[1]))
	}
}

// secretInput reads stdin, less one newline at its end.
func (a *app) secretInput(key string) ([]byte, error) {
	if terminal(a.in) {
		a.say("value of %s: ", key)
		value, err := term.ReadPassword(int(a.in.(*os.File).Fd())) //nolint:forcetypeassert // it is a terminal
		a.say("\n")
		return value, err
	}
	// One newline more than a secret may have is none of it.
	value, err := io.ReadAll(io.LimitReader(a.in, maxSecret+3))
	if err != nil {
		return nil, fmt.Errorf("secret %s: stdin: %w", key, err)
	}
	if rest, ok := bytes.CutSuffix(value, []byte("\n")); ok {
		value = bytes.TrimSuffix(rest, []byte("\r"))
	}
	return value, checkSecretSize(key, value)
}

func readSecret(key string, from io.Reader) ([]byte, error) {
	value, err := io.ReadAll(io.LimitReader(from, maxSecret+1))
	if err != nil {
		return nil, fmt.Errorf("secret %s: %w", key, err)
	}
	return value, checkSecretSize(key, value)
}

func checkSecretSize(key string, value []byte) error {
	if len(value) > maxSecret {
		return fmt.Errorf("secret %s: the value is larger than %d bytes (64 KiB), which is the most that a secret may have", key, maxSecret)
	}
	return nil
}
