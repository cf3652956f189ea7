package main

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"syscall"
)

// machine is where the figures are from; without it they mean nothing.
type machine struct {
	CPUs       int     `json:"cpus"`
	Kernel     string  `json:"kernel"`
	Go         string  `json:"go"`
	Filesystem string  `json:"filesystem"`
	Folder     string  `json:"folder"`
	Load       string  `json:"load_before"` // averages over 1, 5 and 15 minutes
	Short      bool    `json:"short"`
	Seconds    float64 `json:"seconds"`
}

// filesystems by the magic numbers of statfs(2).
var filesystems = map[int64]string{
	0xef53: "ext4", 0x58465342: "xfs", 0x9123683e: "btrfs", 0x01021994: "tmpfs", 0x794c7630: "overlayfs",
	0x2fc12fc1: "zfs", 0xf2f52010: "f2fs", 0x6969: "nfs", 0xff534d42: "cifs", 0x65735546: "fuse", 0xca451a4e: "bcachefs",
}

func machineAt(dir string, short bool) (machine, error) {
	m := machine{CPUs: runtime.NumCPU(), Go: runtime.Version(), Folder: dir, Short: short}
	var fs syscall.Statfs_t
	if err := syscall.Statfs(dir, &fs); err != nil {
		return m, fmt.Errorf("filesystem of %s: %w", dir, err)
	}
	magic := int64(fs.Type)
	if m.Filesystem = filesystems[magic]; m.Filesystem == "" {
		m.Filesystem = fmt.Sprintf("%#x", magic)
	}
	kernel, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		return m, err
	}
	m.Kernel = strings.TrimSpace(string(kernel))
	load, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return m, err
	}
	m.Load = strings.Join(strings.Fields(string(load))[:3], " ")
	return m, nil
}

func (m *machine) describe() string {
	form := "full"
	if m.Short {
		form = "short"
	}
	return fmt.Sprintf("%d CPUs, Linux %s, %s, %s at %s; load %s before; the %s form took %.0f s",
		m.CPUs, m.Kernel, m.Go, m.Filesystem, m.Folder, m.Load, form, m.Seconds)
}
