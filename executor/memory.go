package executor

import (
	"bufio"
	"bytes"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
)

const (
	// unknownMemory is taken for the memory that there is where the system does not tell.
	unknownMemory = 2 << 30
	// shortMemory is the part of the memory below which what is available is called short.
	shortMemory = 16
)

// memoryInfo is how much memory this process and its like may have in all, and what of that is available, in bytes: those of the
// machine, or of the container that it runs in where that has less. They are 0 where the system does not tell.
type memoryInfo struct{ total, available uint64 }

func (m memoryInfo) short() bool { return m.available < m.total/shortMemory }

// within is what there is inside of a limit of which some is used.
func (m memoryInfo) within(limit, used uint64) memoryInfo {
	return memoryInfo{min(m.total, limit), min(m.available, limit-min(used, limit))}
}

// TotalMemory is how much memory functions and the node may have in all, in bytes: that of the machine, or the limit of the container.
func TotalMemory() uint64 {
	if m := system("/").memory(); m.total > 0 {
		return m.total
	}
	return unknownMemory
}

// memoryIsShort tells whether little of that is available.
func memoryIsShort() bool { return system("/").memory().short() }

// system is the root of the files that tell of memory.
type system string

func (s system) read(name string) []byte {
	data, err := os.ReadFile(filepath.Join(string(s), name))
	if err != nil {
		return nil // where it is not there, it limits nothing
	}
	return data
}

// number reads a file with a number; ok is false where it is not there, or has none, as in "max".
func (s system) number(name string) (n uint64, ok bool) {
	n, err := strconv.ParseUint(string(bytes.TrimSpace(s.read(name))), 10, 64)
	return n, err == nil
}

// values reads some of the values of a file with a name and a number in each line, and maybe a unit after them.
func values(data []byte, names ...string) []uint64 {
	all := make([]uint64, len(names))
	for lines := bufio.NewScanner(bytes.NewReader(data)); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		for i, name := range names {
			if len(fields) >= 2 && fields[0] == name {
				all[i], _ = strconv.ParseUint(fields[1], 10, 64) // the kernel writes numbers
			}
		}
	}
	return all
}

// memory reads /proc/meminfo (proc_meminfo(5)), and the limits of the control groups that this process is in.
func (s system) memory() memoryInfo {
	kib := values(s.read("proc/meminfo"), "MemTotal:", "MemAvailable:")
	m := memoryInfo{kib[0] << 10, kib[1] << 10}
	for line := range strings.Lines(string(s.read("proc/self/cgroup"))) {
		fields := strings.SplitN(strings.TrimSpace(line), ":", 3) // cgroups(7): ID, controllers and path
		if len(fields) < 3 {
			continue
		}
		switch {
		case fields[1] == "": // version 2
			m = s.limited(m, group{"sys/fs/cgroup", "memory.max", "memory.current", "inactive_file"}, fields[2])
		case strings.Contains(","+fields[1]+",", ",memory,"):
			m = s.limited(m, group{"sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"}, fields[2])
		}
	}
	return m
}

// group is where a version of control groups has its directories, and its names for what a group may use, uses, and of that could
// give back at once since it is files that were not read lately.
type group struct{ dir, limit, usage, reclaimable string }

// limited takes in the limits of a group and of those that it is in. In a container, paths may be those outside, of which only the
// top is there.
func (s system) limited(m memoryInfo, g group, within string) memoryInfo {
	for at := path.Clean("/" + within); ; at = path.Dir(at) {
		dir := path.Join(g.dir, at)
		limit, limited := s.number(path.Join(dir, g.limit))
		if usage, ok := s.number(path.Join(dir, g.usage)); limited && ok {
			files := values(s.read(path.Join(dir, "memory.stat")), g.reclaimable)[0]
			m = m.within(limit, usage-min(files, usage))
		}
		if at == "/" {
			return m
		}
	}
}
