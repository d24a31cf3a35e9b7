package httpclient

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
)

// TestRedirects counts down, and follows to the end.
func TestRedirects(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if n, _ := strconv.Atoi(strings.TrimPrefix(r.URL.Path, "/")); n > 0 {
			http.Redirect(w, r, fmt.Sprintf("/%d", n-1), http.StatusFound)
			return
		}
		fmt.Fprintf(w, "%s %q", r.Header.Get("Authorization"), r.Header["Referer"])
	})
	c := newClient(t, plain(s), nil)
	request := get(s.URL + "/10")
	request.Header = []Field{{"authorization", "secret"}}
	r, err := c.Send(t.Context(), request, limit)
	if err != nil || string(r.Body) != "secret []" || r.URL != s.URL+"/0" {
		t.Errorf("answer is %+v, error %v", r, err)
	}
	_, err = c.Send(t.Context(), get(s.URL+"/11"), limit)
	refused(t, err, Redirect, "/11", "more than 10 redirects")
}

// TestRedirectOutOfTheList has an allowed host lead to one that is not.
func TestRedirectOutOfTheList(t *testing.T) {
	inner := serve(t, func(_ http.ResponseWriter, r *http.Request) { t.Errorf("%s reached the inner server", r.URL) })
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, inner.URL+r.URL.Path, http.StatusTemporaryRedirect)
	})
	c := newClient(t, plain(s), nil)
	_, err := c.Send(t.Context(), Request{Method: "POST", URL: s.URL + "/x", Body: []byte("b")}, limit)
	refused(t, err, NotAllowed, "redirect from "+s.URL+"/x", "--allow-host "+inner.URL)
}

// TestRedirectToAnotherOrigin looks at which headers go to another allowed host, and at what comes back from there.
func TestRedirectToAnotherOrigin(t *testing.T) {
	var back string
	show := func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		for _, name := range []string{"Authorization", "Cookie", "X-Api-Key", "Referer", "Accept", "Content-Type", "Traceparent", "User-Agent"} {
			if v := r.Header.Get(name); v != "" {
				fmt.Fprintf(w, "%s=%s ", name, v)
			}
		}
		fmt.Fprintf(w, "%s %s", r.Method, body)
	}
	other := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/back" {
			http.Redirect(w, r, back, http.StatusTemporaryRedirect)
			return
		}
		show(w, r)
	})
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/end" {
			show(w, r)
			return
		}
		http.Redirect(w, r, other.URL+r.URL.Path, http.StatusTemporaryRedirect)
	})
	back = s.URL + "/end"
	c := newClient(t, plain(s)+","+plain(other), nil)
	for _, path := range []string{"/", "/back"} {
		r, err := c.Send(t.Context(), Request{Method: "POST", URL: s.URL + path, Body: []byte("b"), Header: []Field{
			{"authorization", "secret"}, {"cookie", "secret"}, {"x-api-key", "secret"}, {"accept", "a"}, {"content-type", "c"},
			{"traceparent", "t"},
		}}, limit)
		if want := "Accept=a Content-Type=c Traceparent=t User-Agent=weft POST b"; err != nil || string(r.Body) != want {
			t.Errorf("%s: the other origin saw %q, error %v", path, r.Body, err)
		}
	}
}
