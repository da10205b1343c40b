package espeak

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// maxRun bounds one run of the program however slowly it trickles, in timeouts.
const maxRun = 5

var errCut = errors.New("more audio than wanted")

// program is how to start espeak-ng.
type program struct {
	path    string
	data    string
	timeout time.Duration
}

// voices asks the program for its list of voices.
func (p program) voices(ctx context.Context) ([]byte, error) {
	return p.run(ctx, []string{"--voices"}, "", 1<<20)
}

// speech has text spoken and returns 16-bit samples, at most limit of them.
// Where there would be more it returns errCut beside them. Markup is not
// interpreted: -m is not given.
func (p program) speech(ctx context.Context, voice string, rate int, text string, limit int) ([]int16, error) {
	args := []string{"--stdout", "--stdin", "-b", "1", "-s", fmt.Sprint(rate), "-v", voice}
	out, err := p.run(ctx, args, text, wavHeader+2*limit)
	if err != nil && !errors.Is(err, errCut) {
		return nil, err
	}
	samples, wavErr := parse(out)
	if wavErr != nil {
		return nil, wavErr
	}
	return samples, err
}

// run starts the program with nothing of this process's environment, gives it
// stdin and returns at most limit bytes of what it prints. It is killed with
// its process group when ctx ends, when it is silent for too long, and at the
// limit.
func (p program) run(ctx context.Context, args []string, stdin string, limit int) ([]byte, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("pipe: %w", err)
	}
	defer r.Close()
	ctx, kill := context.WithCancel(ctx)
	defer kill()
	cmd := exec.CommandContext(ctx, p.path, args...)
	cmd.Env = []string{"LC_ALL=C.UTF-8"}
	if p.data != "" {
		cmd.Env = append(cmd.Env, "ESPEAK_DATA_PATH="+p.data)
	}
	cmd.Stdin, cmd.Stdout = strings.NewReader(stdin), w
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second
	err = cmd.Start()
	w.Close()
	if err != nil {
		return nil, fmt.Errorf("start: %w", err)
	}
	confine(cmd.Process.Pid)
	out, readErr := p.read(ctx, r, limit)
	if readErr != nil {
		kill()
	}
	late := time.AfterFunc(p.timeout, kill)
	defer late.Stop()
	if err := cmd.Wait(); readErr == nil && err != nil {
		return nil, err
	}
	return out, readErr
}

func (p program) read(ctx context.Context, r *os.File, limit int) ([]byte, error) {
	defer context.AfterFunc(ctx, func() { r.SetReadDeadline(time.Unix(1, 0)) })()
	end := time.Now().Add(maxRun * p.timeout)
	var out []byte
	buf := make([]byte, 1<<15)
	for {
		deadline := time.Now().Add(p.timeout)
		if deadline.After(end) {
			deadline = end
		}
		r.SetReadDeadline(deadline)
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		n, err := r.Read(buf)
		out = append(out, buf[:n]...)
		switch {
		case len(out) > limit:
			return out[:limit], errCut
		case err == io.EOF:
			return out, nil
		case ctx.Err() != nil:
			return nil, context.Cause(ctx)
		case errors.Is(err, os.ErrDeadlineExceeded):
			return nil, fmt.Errorf("no output for %v", p.timeout)
		case err != nil:
			return nil, fmt.Errorf("read: %w", err)
		}
	}
}

// wavHeader is the length of the header that espeak-ng writes before the
// samples. The lengths in it are not true, as the output is a pipe.
const wavHeader = 44

func parse(wav []byte) ([]int16, error) {
	if len(wav) == 0 {
		return nil, nil // nothing was to be said
	}
	if len(wav) < wavHeader || string(wav[:4]) != "RIFF" || string(wav[36:40]) != "data" {
		return nil, errors.New("output is not WAV")
	}
	if rate := binary.LittleEndian.Uint32(wav[24:]); rate != Rate {
		return nil, fmt.Errorf("output is at %d Hz, not %d", rate, Rate)
	}
	body := wav[wavHeader:]
	samples := make([]int16, len(body)/2)
	for i := range samples {
		samples[i] = int16(binary.LittleEndian.Uint16(body[2*i:]))
	}
	return samples, nil
}
