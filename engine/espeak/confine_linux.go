package espeak

import "golang.org/x/sys/unix"

// confine sets limits on a child that is waiting for its text: a share of
// memory and of processor time that no sentence needs, and no core dump.
// It is a second fence, so that a kernel that refuses is no error.
func confine(pid int) {
	for resource, limit := range map[int]uint64{
		unix.RLIMIT_AS:   1 << 29,
		unix.RLIMIT_CPU:  10,
		unix.RLIMIT_CORE: 0,
	} {
		_ = unix.Prlimit(pid, resource, &unix.Rlimit{Cur: limit, Max: limit}, nil)
	}
}
