package config

import (
	"os"
	"path/filepath"
	"runtime"
)

// Models says where model files lie.
type Models struct {
	Dir string `name:"models-dir" help:"Where model files are kept; default: parley/models in the user's data folder." type:"path" placeholder:"DIR"`
}

// Path is the folder itself: as told, else by the XDG base directory rules.
func (m Models) Path() string {
	if m.Dir != "" {
		return m.Dir
	}
	if data := os.Getenv("XDG_DATA_HOME"); filepath.IsAbs(data) {
		return filepath.Join(data, "parley", "models")
	}
	home, err := os.UserHomeDir()
	if err != nil {
		home = "."
	}
	return filepath.Join(home, ".local", "share", "parley", "models")
}

// The ways of --pull.
const (
	PullAuto   = "auto"   // try; without network go on with the bundled model
	PullNever  = "never"  // use what is there
	PullAlways = "always" // fail where it cannot be fetched
)

// PolicyNaive is the policy that serves whoever comes first, to compare with.
const PolicyNaive = "naive"

// Recognition says which model hears, and with how much of the machine.
type Recognition struct {
	Models
	Model   string `help:"Model: a registered name, a file, 'bundled', or 'auto' for the best that is present." default:"auto" placeholder:"NAME|FILE"`
	Pull    string `help:"Whether --model may be downloaded: auto, never or always." enum:"auto,never,always" default:"auto"`
	Threads int    `help:"CPU threads of one decode; 0: one for every two cores of its slot." default:"0"`
	GPU     string `help:"Whether a graphics card may be used: auto or off." enum:"auto,off" default:"auto"`
	Slots   int    `help:"Decodes at the same time; 0: one for each core, at most 4." default:"0"`
	Policy  string `help:"Who is served next: fair, or naive to compare with." enum:"fair,naive" default:"fair" hidden:""`
}

// Validate names the setting that cannot be.
func (r Recognition) Validate() error {
	if r.Model == "" {
		return invalid("model", "is empty")
	}
	if r.Threads < 0 || r.Threads > 256 {
		return invalid("threads", "%d is outside 0 to 256", r.Threads)
	}
	if r.Slots < 0 || r.Slots > 64 {
		return invalid("slots", "%d is outside 0 to 64", r.Slots)
	}
	return nil
}

// Share fills in slots and threads for a machine with the given cores. Decodes
// run beside each other rather than on several threads: threads of one decode
// wait for each other at every step, so that on a busy machine each step lasts
// as long as the scheduler takes to serve the last of them.
func (r Recognition) Share(cores int) (slots, threads int) {
	slots, threads = r.Slots, r.Threads
	if slots == 0 {
		slots = min(max(1, cores), 4)
	}
	if threads == 0 {
		threads = max(1, cores/(2*slots))
	}
	return slots, threads
}

// Cores is what this process may use.
func Cores() int { return runtime.GOMAXPROCS(0) }
