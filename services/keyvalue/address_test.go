package keyvalue

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

func TestAddress(t *testing.T) {
	for text, want := range map[string]string{
		"embedded":                             "embedded",
		"redis://:s3cret@127.0.0.1:6379/2":     "redis://127.0.0.1:6379",
		"rediss://user:s3cret@example.com":     "rediss://example.com",
		"nats://s3cret@a:4222,b:4222?prefix=x": "nats://a:4222,b:4222",
		"tls://user:s3cret@a:4222":             "tls://a:4222",
	} {
		a, err := ParseAddress(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		var log bytes.Buffer
		slog.New(slog.NewTextHandler(&log, nil)).Info("x", "address", a)
		config := struct{ Address Address }{a}
		for _, printed := range []string{a.String(), fmt.Sprint(config), fmt.Sprintf("%+v %#v", config, config), log.String()} {
			if strings.Contains(printed, "s3cret") || !strings.Contains(printed, want) {
				t.Errorf("%s is printed as %s", text, printed)
			}
		}
	}
	for _, text := range []string{"", "redis", "memcached://s3cret@x", "redis://", "redis://u:s3cret/x@h:1", "nats://u:%zzs3cret@h", "u:s3cret@h", "s3cret", "redis://u:s3cret@h:x"} {
		if _, err := ParseAddress(text); err == nil || strings.Contains(err.Error(), "s3cret") && text != "s3cret" {
			t.Errorf("%s: %v", text, err)
		}
	}
}
