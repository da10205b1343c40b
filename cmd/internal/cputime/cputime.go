// Package cputime tells what processor time this process has used.
package cputime

import (
	"syscall"
	"time"
)

// Used is the time all threads of this process have run so far, in the program
// and in the kernel; see getrusage(2).
func Used() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u) // fails on a bad pointer only
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
