package timing

import (
	"fmt"
	"io"
	"path/filepath"
	"text/tabwriter"
	"time"
)

// Print writes a report for people, times in milliseconds as wall (CPU).
func (r Report) Print(out io.Writer) error {
	fmt.Fprintf(out, "model    %s\nlibrary  whisper.cpp %s\ndevice   %s, %s (%s)\nthreads  %d\n\n",
		filepath.Base(r.Model), r.Library, r.Device.Name, r.Device.Description, r.Device.Type, r.Threads)
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "WINDOW\tENCODE\tA WORD\tFREE PARTIAL\tWORDS\tFORCED PARTIAL\tFORCED\tFORCED/FREE")
	for _, d := range r.Decodes {
		fmt.Fprintf(w, "%v\t%v\t%v\t%v\t%d\t%v\t%d\t%.2f (%.2f)\n", d.Audio, d.Encode(), d.Step(), d.Free, d.Words, d.Forces, d.Forced,
			ratio(d.Forces.Wall, d.Free.Wall), ratio(d.Forces.CPU, d.Free.CPU))
	}
	fmt.Fprintf(w, "\nfinal of %v\t%v\n", r.FinalOf, r.Final)
	if len(r.Busy) > 0 {
		fmt.Fprintf(w, "\nSLOTS\tFORCED PARTIALS OF %v A SECOND\tTO %d SLOTS\tCORES\n", r.Together, r.Busy[0].Slots)
	}
	for _, t := range r.Busy {
		fmt.Fprintf(w, "%d\t%.2f\t%.2f\t%.2f\n", t.Slots, t.Partials, t.Partials/r.Busy[0].Partials, t.CPU)
	}
	return w.Flush()
}

func ratio(a, b time.Duration) float64 { return a.Seconds() / b.Seconds() }

// String gives milliseconds, of the clock and in brackets of the processors.
func (t Took) String() string {
	return fmt.Sprintf("%.2f (%.2f)", 1e3*t.Wall.Seconds(), 1e3*t.CPU.Seconds())
}
