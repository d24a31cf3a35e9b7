package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// buildKernels builds the kernels as a program, with the Rust that makes components of Rust, and returns the program and the
// compiler's version.
func buildKernels(ctx context.Context, o options) (program, version string, err error) {
	sysroot, err := toolchain(ctx, "rust.sh")
	if err != nil {
		return "", "", err
	}
	bin := "/usr/bin" // Debian's, for which rust.sh has made a sysroot
	if sysroot == "" {
		if bin, err = rustupBin(); err != nil {
			return "", "", err
		}
	}
	rustc := filepath.Join(bin, "rustc")
	target, err := filepath.Abs(filepath.Join(o.components, ".cargo"))
	if err != nil {
		return "", "", err
	}
	cargo := exec.CommandContext(ctx, filepath.Join(bin, "cargo"), "build", "--quiet", "--release", "--locked", "--features", "native",
		"--bin", "native", "--manifest-path", filepath.Join("test", "components", "kernels", "Cargo.toml"))
	// Flags of the user's would be the program's only.
	cargo.Env = append(os.Environ(), "RUSTC="+rustc, "CARGO_TARGET_DIR="+target, "RUSTFLAGS=")
	if out, err := cargo.CombinedOutput(); err != nil {
		return "", "", fmt.Errorf("cargo: %w\n%s", err, out)
	}
	out, err := exec.CommandContext(ctx, rustc, "--version").Output()
	if err != nil {
		return "", "", fmt.Errorf("%s: %w", rustc, err)
	}
	return filepath.Join(target, "release", "native"), strings.TrimSpace(string(out)), nil
}

// rustupBin is the directory of rustup's cargo, where rust.sh looks for it.
func rustupBin() (string, error) {
	home := os.Getenv("CARGO_HOME")
	if home == "" {
		home = filepath.Join(os.Getenv("HOME"), ".cargo")
	}
	bin := filepath.Join(home, "bin")
	if _, err := os.Stat(filepath.Join(bin, "rustc")); err == nil {
		return bin, nil
	}
	cargo, err := exec.LookPath("cargo")
	return filepath.Dir(cargo), err
}

// program is the kernels as a process, which computes what it reads of.
type program struct {
	command *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Reader
}

func startProgram(ctx context.Context, file string) (*program, error) {
	p := &program{command: exec.CommandContext(ctx, file)}
	p.command.Stderr = os.Stderr
	p.command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	in, err := p.command.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := p.command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.in, p.out = in, bufio.NewReader(out)
	return p, p.command.Start()
}

func (p *program) compute(k kernel) (digest uint64, took time.Duration, err error) {
	if _, err := fmt.Fprintf(p.in, "%s %d\n", k.name, k.size); err != nil {
		return 0, 0, err
	}
	line, err := p.out.ReadString('\n')
	if err != nil {
		return 0, 0, fmt.Errorf("the program ended: %w", err)
	}
	_, err = fmt.Sscan(line, &digest, &took)
	return digest, took, err
}

func (p *program) close() error { return errors.Join(p.in.Close(), p.command.Wait()) }
