package calls

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestCallContext(t *testing.T) {
	for name, test := range map[string]struct {
		deadline time.Duration
		end      time.Duration // 0: nobody ends it
		want     error
		after    time.Duration
	}{
		"deadline":          {time.Second, 0, context.DeadlineExceeded, time.Second},
		"canceled":          {0, time.Second, context.Canceled, time.Second},
		"canceled before":   {time.Minute, time.Second, context.Canceled, time.Second},
		"canceled too late": {time.Second, time.Minute, context.DeadlineExceeded, time.Second},
	} {
		for _, asked := range []string{"done", "err", "after", "derived", "late"} {
			t.Run(name+"/"+asked, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					began := time.Now()
					c := new(Context)
					if test.deadline > 0 {
						c.deadline = began.Add(test.deadline)
					}
					if test.end > 0 {
						time.AfterFunc(test.end, func() { c.End(context.Canceled) })
					}
					switch asked {
					case "done":
						<-c.Done()
					case "err":
						for c.Err() == nil {
							time.Sleep(time.Millisecond)
						}
					case "after":
						done := make(chan struct{})
						c.AfterFunc(func() { close(done) })
						never := c.AfterFunc(func() { t.Error("it was stopped") })
						if !never() || never() {
							t.Error("stop is wrong")
						}
						<-done
					case "derived":
						derived, cancel := context.WithTimeout(c, time.Hour)
						defer cancel()
						<-derived.Done()
						if !errors.Is(derived.Err(), test.want) {
							t.Errorf("the derived one ends with %v", derived.Err())
						}
					case "late":
						time.Sleep(time.Second)
						synctest.Wait()
					}
					if took := time.Since(began); took < test.after || took > test.after+time.Millisecond {
						t.Errorf("it took %v; want %v", took, test.after)
					}
					if !errors.Is(c.Err(), test.want) {
						t.Errorf("it ends with %v; want %v", c.Err(), test.want)
					}
					<-c.Done()
					ran := make(chan struct{})
					if c.AfterFunc(func() { close(ran) })() {
						t.Error("what runs already was stopped")
					}
					<-ran
					if time.Sleep(2 * time.Minute); !errors.Is(c.Err(), test.want) {
						t.Errorf("later it is %v", c.Err())
					}
				})
			})
		}
	}
}
