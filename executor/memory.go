package executor

import (
	"bufio"
	"bytes"
	"os"
	"strconv"
	"strings"
)

const (
	// unknownMemory is taken for the machine's memory where the system does not tell.
	unknownMemory = 2 << 30
	// shortMemory is the part of the machine's memory below which what is available is called short.
	shortMemory = 16
)

// memoryInfo reads two lines of /proc/meminfo (proc_meminfo(5)), in bytes. They are 0 where there is none.
func memoryInfo() (total, available uint64) {
	data, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0, 0
	}
	for lines := bufio.NewScanner(bytes.NewReader(data)); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if len(fields) < 2 {
			continue
		}
		kib, _ := strconv.ParseUint(fields[1], 10, 64)
		switch fields[0] {
		case "MemTotal:":
			total = kib << 10
		case "MemAvailable:":
			available = kib << 10
		}
	}
	return total, available
}

// totalMemory is how much memory the machine has, in bytes.
func totalMemory() uint64 {
	if total, _ := memoryInfo(); total > 0 {
		return total
	}
	return unknownMemory
}

// memoryIsShort tells whether little of the machine's memory is available.
func memoryIsShort() bool {
	total, available := memoryInfo()
	return available < total/shortMemory
}
