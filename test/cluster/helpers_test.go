package cluster

import (
	"bufio"
	"io"
	"strconv"
	"strings"
	"testing"
)

func readPid(n *Node) string { return strconv.Itoa(n.pid()) }

// firstPid is the number in the first line that begins with "pid ".
func firstPid(t *testing.T, r io.Reader) string {
	t.Helper()
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		if pid, ok := strings.CutPrefix(lines.Text(), "pid "); ok {
			return pid
		}
	}
	t.Fatal("the process says no pid")
	return ""
}
