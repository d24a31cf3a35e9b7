package main

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// machine is what a run was on.
type machine struct {
	CPU    string `json:"cpu"`
	Cores  int    `json:"cores"`
	System string `json:"system"`
	Date   string `json:"date"`
	// Load is how many processes wanted a core in the minute before the run, of others too: getloadavg(3).
	Load string `json:"load"`
}

// String is one line about all of it.
func (m machine) String() string {
	return fmt.Sprintf("%s, %d cores, %s; %s; load before the run %s", m.CPU, m.Cores, m.System, m.Date, m.Load)
}

func thisMachine() machine {
	m := machine{CPU: runtime.GOARCH, Cores: runtime.NumCPU(), System: runtime.GOOS, Date: time.Now().UTC().Format("2006-01-02 15:04 UTC")}
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(text)) {
			if name, value, _ := strings.Cut(line, ":"); strings.TrimSpace(name) == "model name" {
				m.CPU = strings.TrimSpace(value)
				break
			}
		}
	}
	var uts unix.Utsname
	if err := unix.Uname(&uts); err == nil {
		version, _, _ := strings.Cut(unix.ByteSliceToString(uts.Release[:]), "-")
		m.System = unix.ByteSliceToString(uts.Sysname[:]) + " " + version
	}
	if text, err := os.ReadFile("/proc/loadavg"); err == nil {
		m.Load, _, _ = strings.Cut(string(text), " ")
	}
	return m
}
