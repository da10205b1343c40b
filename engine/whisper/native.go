package whisper

// #include <stdlib.h>
// #include "shim.h"
import "C"

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	lib "github.com/ggerganov/whisper.cpp/bindings/go"

	"parley/engine"
	"parley/engine/models"
)

var backends struct {
	sync.Mutex
	loaded bool
}

// loadBackends loads ggml's plug-ins once in the life of the process: without a
// CPU among them the library would end the process at the first model.
func loadBackends(dir string) error {
	backends.Lock()
	defer backends.Unlock()
	if !backends.loaded {
		C.parley_log_open()
		var path *C.char
		if dir != "" {
			path = C.CString(dir)
			defer C.free(unsafe.Pointer(path))
		}
		C.parley_backends(path)
		backends.loaded = bool(C.parley_has_cpu())
	}
	if !backends.loaded {
		return fmt.Errorf("whisper: %w: no plug-in of ggml for this processor in %q", engine.ErrUnavailable, dir)
	}
	return nil
}

// Devices loads the plug-ins in dir ("" for the library's own) where that has
// not been done yet and lists what can compute.
func Devices(dir string) ([]Device, error) {
	if err := loadBackends(dir); err != nil {
		return nil, err
	}
	devices := make([]Device, int(C.ggml_backend_dev_count()))
	for i := range devices {
		var d C.struct_parley_device
		C.parley_device_get(C.int(i), &d)
		devices[i] = Device{
			Name:        C.GoString(d.name),
			Description: C.GoString(d.description),
			Type:        deviceType(int(d._type)),
			Free:        uint64(d.memory_free),
			Total:       uint64(d.memory_total),
		}
	}
	return devices, nil
}

func deviceType(t int) DeviceType {
	switch t {
	case C.GGML_BACKEND_DEVICE_TYPE_CPU:
		return CPU
	case C.GGML_BACKEND_DEVICE_TYPE_GPU, C.GGML_BACKEND_DEVICE_TYPE_IGPU:
		return Graphics
	}
	return Accelerator
}

// Version is the library's.
func Version() string { return C.GoString(C.whisper_version()) }

// drain hands the log lines that have come up to log.
func drain(log func(Level, string)) {
	var line [256]C.char
	for {
		level := C.parley_log_next(&line[0], C.int(len(line)))
		if level < 0 {
			return
		}
		if log != nil {
			log(Level(level), C.GoString(&line[0]))
		}
	}
}

// weights is a model in memory. Its methods are safe for concurrent use.
type weights struct {
	ctx     *C.struct_whisper_context
	info    *lib.Context // the same, for the Go binding
	banned  []uint8      // 1 for each token that must not come: notes on sounds
	mute    []int32      // the same tokens
	filters *filters
}

func openWeights(path string, gpu bool, device int, flash bool) (*weights, error) {
	rows, err := models.Filters(path)
	if err != nil {
		return nil, fmt.Errorf("whisper: %w", err)
	}
	name := C.CString(path)
	defer C.free(unsafe.Pointer(name))
	ctx := C.parley_open(name, C.bool(gpu), C.int(device), C.bool(flash))
	if ctx == nil {
		return nil, fmt.Errorf("whisper: %q cannot be loaded as a model", path)
	}
	w := &weights{ctx: ctx, info: (*lib.Context)(unsafe.Pointer(ctx)), filters: newFilters(rows)}
	w.banned = make([]uint8, int(C.whisper_n_vocab(ctx)))
	for id := range w.banned[:int(C.whisper_token_eot(ctx))] {
		if isNote(w.info.Whisper_token_to_str(lib.Token(id))) {
			w.banned[id] = 1
			w.mute = append(w.mute, int32(id))
		}
	}
	return w, nil
}

func (w *weights) free() {
	C.whisper_free(w.ctx)
	w.filters.free()
}

// state is the working memory of one decode at a time.
type state struct {
	w      *weights
	ptr    *C.struct_whisper_state
	cancel *C.int32_t
	window []float32 // what the encoder is given

	timeless int // decodes in a row that had no timestamps
}

func (w *weights) newState() (*state, error) {
	ptr := C.whisper_init_state(w.ctx)
	if ptr == nil {
		return nil, fmt.Errorf("whisper: %w: no memory for another state", engine.ErrUnavailable)
	}
	return &state{w: w, ptr: ptr, cancel: (*C.int32_t)(C.calloc(1, C.size_t(unsafe.Sizeof(C.int32_t(0)))))}, nil
}

func (s *state) free() {
	C.whisper_free_state(s.ptr)
	C.free(unsafe.Pointer(s.cancel))
}

// job is one decode.
type job struct {
	pcm      []float32 // not empty
	language int       // id, -1 to detect
	prompt   string
	prefix   []int32 // tokens the text begins with
	params   lib.Params
}

// decode runs a job and says how many of the tokens are the prefix's: their
// probabilities are those they had before they were forced. It returns soon
// after ctx is done, with its cause.
func (s *state) decode(ctx context.Context, j *job) (out []token, forced int, language string, err error) {
	believed := make([]C.float, len(j.prefix)+1)
	if err := s.until(ctx, func() int { return s.run(j, believed) }); err != nil {
		return nil, 0, "", err
	}
	raw := s.raw()
	for forced < min(len(raw), len(j.prefix)) && int32(raw[forced].id) == j.prefix[forced] {
		p := max(believed[forced], 1e-9)
		raw[forced].p, raw[forced].plog = p, C.float(math.Log(float64(p)))
		forced++
	}
	return s.w.texts(raw), forced, C.GoString(C.whisper_lang_str(C.whisper_full_lang_id_from_state(s.ptr))), nil
}

// until makes one call that stops when ctx is done, and gives its cause then.
func (s *state) until(ctx context.Context, call func() int) error {
	flag := (*int32)(unsafe.Pointer(s.cancel))
	atomic.StoreInt32(flag, 0)
	done := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		atomic.StoreInt32(flag, 1)
		close(done)
	})
	rc := call()
	if !stop() {
		<-done // the flag must not be set during the next decode
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if rc != 0 {
		return fmt.Errorf("whisper: decoding failed with code %d", rc)
	}
	return nil
}

func (s *state) run(j *job, believed []C.float) int {
	c := C.struct_parley_job{samples: C.int(len(j.pcm)), language: C.int(j.language), n_prefix: C.int(len(j.prefix)), cancel: s.cancel}
	c.untimed = s.timeless > 2 && s.timeless%64 != 0 // looked at again now and then
	var pin runtime.Pinner
	defer pin.Unpin()
	pin.Pin(&s.w.banned[0])
	c.banned = (*C.uint8_t)(unsafe.Pointer(&s.w.banned[0]))
	if len(j.prefix) > 0 {
		pin.Pin(&j.prefix[0])
		pin.Pin(&believed[0])
		c.prefix, c.believed = (*C.int32_t)(unsafe.Pointer(&j.prefix[0])), &believed[0]
	}
	if j.prompt != "" {
		c.prompt = C.CString(j.prompt)
		defer C.free(unsafe.Pointer(c.prompt))
	}
	rc := int(C.parley_run(s.w.ctx, s.ptr, unsafe.Pointer(&j.params), &c, (*C.float)(&j.pcm[0])))
	if s.timeless++; !c.untimed {
		s.timeless = 0
	}
	return rc
}

func (s *state) tokens() []token { return s.w.texts(s.raw()) }

func (s *state) raw() []C.struct_parley_token {
	raw := make([]C.struct_parley_token, 448)
	n := int(C.parley_tokens(s.w.ctx, s.ptr, &raw[0], C.int(len(raw))))
	if n > len(raw) {
		raw = make([]C.struct_parley_token, n)
		n = int(C.parley_tokens(s.w.ctx, s.ptr, &raw[0], C.int(len(raw))))
	}
	return raw[:n]
}

// noSpeech is the probability that nobody speaks in the first segment of the
// last decode, as the library has it.
func (s *state) noSpeech() float32 {
	if C.whisper_full_n_segments_from_state(s.ptr) == 0 {
		return -1
	}
	return float32(C.whisper_full_get_segment_no_speech_prob_from_state(s.ptr, 0))
}

func (w *weights) texts(raw []C.struct_parley_token) []token {
	out := make([]token, len(raw))
	for i, r := range raw {
		out[i] = token{
			text:  w.info.Whisper_token_to_str(lib.Token(r.id)),
			p:     float32(r.p),
			logp:  float32(r.plog),
			start: time.Duration(r.t0) * 10 * time.Millisecond,
			end:   time.Duration(r.t1) * 10 * time.Millisecond,
		}
	}
	return out
}

func (w *weights) text(id int32) string { return w.info.Whisper_token_to_str(lib.Token(id)) }

// tokenize gives the tokens of a text, which must hold no NUL.
func (w *weights) tokenize(text string) []int32 {
	if text == "" {
		return nil
	}
	c := C.CString(text)
	defer C.free(unsafe.Pointer(c))
	out := make([]int32, len(text)+1)
	n := C.whisper_tokenize(w.ctx, c, (*C.whisper_token)(unsafe.Pointer(&out[0])), C.int(len(out)))
	return out[:max(0, int(n))]
}
