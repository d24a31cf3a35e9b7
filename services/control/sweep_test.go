package control

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestSweepWaitsForDeploys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sweeps := 0
		s := newSweeper(func(context.Context) error { sweeps++; return nil })
		defer s.close()
		endOne, endOther := s.begin(), s.begin()
		s.ask()
		synctest.Wait()
		endOne(false)
		synctest.Wait()
		if sweeps != 0 {
			t.Fatal("swept during a deploy")
		}
		endOther(false)
		synctest.Wait()
		if sweeps != 1 {
			t.Fatalf("%d sweeps after the last deploy", sweeps)
		}
		s.begin()(false)
		synctest.Wait()
		if sweeps != 1 {
			t.Error("swept although nobody asked")
		}
		s.begin()(true)
		synctest.Wait()
		if sweeps != 2 {
			t.Error("not swept after a deploy that failed")
		}
	})
}

func TestSweepIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sweeps := 0
		s := newSweeper(func(context.Context) error {
			if sweeps++; sweeps < 3 {
				return errors.New("no leader")
			}
			return nil
		})
		defer s.close()
		s.ask()
		time.Sleep(10 * sweepRetry)
		synctest.Wait()
		if sweeps != 3 {
			t.Errorf("%d sweeps", sweeps)
		}
	})
}
