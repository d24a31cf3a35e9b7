package load

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestHTTP(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/hello" {
			w.WriteHeader(http.StatusNotFound)
		}
		_, _ = io.WriteString(w, "hello")
	}))
	defer server.Close()
	for path, wanted := range map[string]bool{"/hello": true, "/nobody": false} {
		result, err := RunHTTP(t.Context(), Config{
			Address: strings.TrimPrefix(server.URL, "http://"), Method: path, InFlight: 4, Duration: 100 * time.Millisecond,
		})
		if err != nil {
			t.Fatal(err)
		}
		if (result.Calls > 0) != wanted || (result.Failed > 0) == wanted {
			t.Errorf("%s: calls %d, failed %d (%s)", path, result.Calls, result.Failed, result.FirstError)
		}
	}
}
