package executor

import (
	"os"
	"path/filepath"
	"testing"
)

// TestMemory reads what there is from trees of files as Linux has them.
func TestMemory(t *testing.T) {
	machine := "MemTotal:       16384 kB\nMemFree:         1024 kB\nMemAvailable:    8192 kB\n"
	const mib = 1 << 20
	for name, c := range map[string]struct {
		files map[string]string
		want  memoryInfo
		short bool
	}{
		"nothing is told": {},
		"a machine":       {files: map[string]string{"proc/meminfo": machine}, want: memoryInfo{16 * mib, 8 * mib}},
		"a machine short of memory": {
			files: map[string]string{"proc/meminfo": "MemTotal: 16384 kB\nMemAvailable: 1000 kB\n"}, want: memoryInfo{16 * mib, 1000 << 10}, short: true,
		},
		"version 2, no limit": {
			files: map[string]string{"proc/self/cgroup": "0::/a\n", "sys/fs/cgroup/a/memory.max": "max\n", "sys/fs/cgroup/a/memory.current": "4096\n"},
			want:  memoryInfo{16 * mib, 8 * mib},
		},
		"version 2, in a container": {
			files: map[string]string{
				"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "4194304\n", "sys/fs/cgroup/memory.current": "4128768\n",
				"sys/fs/cgroup/memory.stat": "anon 4096\ninactive_file 4096\nactive_file 9\n",
			},
			want: memoryInfo{4 * mib, 4*mib - 4128768 + 4096}, short: true,
		},
		"version 2, the group around it is tighter": {
			files: map[string]string{
				"proc/self/cgroup": "0::/a/b\n", "sys/fs/cgroup/a/b/memory.max": "8388608\n", "sys/fs/cgroup/a/b/memory.current": "1048576\n",
				"sys/fs/cgroup/a/memory.max": "4194304\n", "sys/fs/cgroup/a/memory.current": "3145728\n",
			},
			want: memoryInfo{4 * mib, mib},
		},
		"version 2, over its limit": {
			files: map[string]string{"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "1048576", "sys/fs/cgroup/memory.current": "2097152"},
			want:  memoryInfo{mib, 0}, short: true,
		},
		"version 1, with the path outside of the container": {
			files: map[string]string{
				"proc/self/cgroup":                             "9:cpu,cpuacct:/docker/x\n4:memory:/docker/x\n",
				"sys/fs/cgroup/memory/memory.limit_in_bytes":   "2097152\n",
				"sys/fs/cgroup/memory/memory.usage_in_bytes":   "1572864\n",
				"sys/fs/cgroup/memory/memory.stat":             "inactive_file 1\ntotal_inactive_file 524288\n",
				"sys/fs/cgroup/docker/x/memory.max":            "1\n",
				"sys/fs/cgroup/docker/x/memory.current":        "1\n",
				"sys/fs/cgroup/cpu/docker/x/memory.max":        "1\n",
				"sys/fs/cgroup/memory/other/memory.limit_in_b": "1\n",
			},
			want: memoryInfo{2 * mib, mib},
		},
		"version 1, no limit": {
			files: map[string]string{
				"proc/self/cgroup": "4:memory:/\n", "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
				"sys/fs/cgroup/memory/memory.usage_in_bytes": "4194304\n",
			},
			want: memoryInfo{16 * mib, 8 * mib},
		},
		"what makes no sense": {
			files: map[string]string{"proc/self/cgroup": "memory\n::\n0::../../etc\n", "sys/fs/cgroup/memory.max": "-1", "sys/fs/cgroup/memory.current": "x"},
			want:  memoryInfo{16 * mib, 8 * mib},
		},
	} {
		root := t.TempDir()
		if c.files != nil {
			if _, own := c.files["proc/meminfo"]; !own {
				c.files["proc/meminfo"] = machine
			}
		}
		for file, text := range c.files {
			file = filepath.Join(root, file)
			if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if got := system(root).memory(); got != c.want || got.short() != c.short {
			t.Errorf("%s: %+v (short: %t), want %+v (short: %t)", name, got, got.short(), c.want, c.short)
		}
	}
	if TotalMemory() == 0 {
		t.Error("this machine has no memory")
	}
}
