package cluster

import (
	"encoding/binary"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// inode returns the number by which Linux knows the socket at the other end of a connection over loopback; empty if
// that is gone already. See proc(5), /proc/net/tcp.
func inode(conn net.Conn) string {
	remote, ok := conn.RemoteAddr().(*net.TCPAddr)
	if !ok {
		return ""
	}
	table, err := os.ReadFile("/proc/net/tcp")
	if err != nil {
		return ""
	}
	local, peer := hexAddr(remote), hexAddr(conn.LocalAddr().(*net.TCPAddr))
	for line := range strings.Lines(string(table)) {
		if f := strings.Fields(line); len(f) > 9 && f[1] == local && f[2] == peer {
			return f[9]
		}
	}
	return ""
}

// hexAddr is an IPv4 address as /proc/net/tcp has it, on a little-endian machine.
func hexAddr(a *net.TCPAddr) string {
	return fmt.Sprintf("%08X:%04X", binary.LittleEndian.Uint32(a.IP.To4()), a.Port)
}

// holds tells whether a process has a socket open.
func holds(pid int, inode string) bool {
	if inode == "" || inode == "0" {
		return false
	}
	dir := filepath.Join("/proc", strconv.Itoa(pid), "fd")
	entries, err := os.ReadDir(dir)
	if err != nil {
		return false
	}
	for _, e := range entries {
		if link, err := os.Readlink(filepath.Join(dir, e.Name())); err == nil && link == "socket:["+inode+"]" {
			return true
		}
	}
	return false
}
