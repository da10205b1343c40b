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

func (w *weights) free() { C.whisper_free(w.ctx) }

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

// guess decodes what follows the prefix. It returns soon after ctx is done, with
// its cause.
func (s *state) guess(ctx context.Context, g *guess) ([]token, string, error) {
	out := make([]C.struct_parley_token, g.most)
	c := C.struct_parley_guess{
		samples: C.int(len(g.pcm)), encoder: C.int(g.encoder), threads: C.int(g.threads), language: C.int(g.language), language_p: C.float(g.likely),
		translate: C.bool(g.translate), again: C.bool(g.again), most: C.int(g.most), cancel: s.cancel,
		n_before: C.int(len(g.before)), n_prefix: C.int(len(g.prefix)), n_banned: C.int(len(s.w.mute)),
	}
	var pin runtime.Pinner
	defer pin.Unpin()
	c.before, c.prefix, c.banned = ids(&pin, g.before), ids(&pin, g.prefix), ids(&pin, s.w.mute)
	c.logits = floats(&pin, g.logits)
	if g.spectrum != nil && !g.again {
		c.mel = g.spectrum.lend(&pin, len(g.pcm))
		s.window = room(s.window, s.w.filters.bands*2*s.w.positions(g.encoder))
		c.window = floats(&pin, s.window)
	}
	n := 0
	err := s.until(ctx, func() int {
		n = int(C.parley_guess(s.w.ctx, s.ptr, &c, (*C.float)(&g.pcm[0]), &out[0]))
		return min(n, 0)
	})
	if c.window != nil {
		g.spectrum.keep(&c.mel)
	}
	if err != nil {
		return nil, "", err
	}
	g.language, g.likely, g.stopped = int(c.language), float32(c.language_p), ending(c.stop)
	g.ids = g.ids[:0]
	for _, t := range out[:n] {
		g.ids = append(g.ids, int32(t.id))
	}
	return s.w.texts(out[:n]), C.GoString(C.whisper_lang_str(c.language)), nil
}

// positions is the length of the encoder, the model's own for 0.
func (w *weights) positions(encoder int) int {
	if encoder > 0 {
		return encoder
	}
	return int(C.whisper_n_audio_ctx(w.ctx))
}

func ids(pin *runtime.Pinner, s []int32) *C.int32_t {
	if len(s) == 0 {
		return nil
	}
	pin.Pin(&s[0])
	return (*C.int32_t)(unsafe.Pointer(&s[0]))
}

func floats(pin *runtime.Pinner, s []float32) *C.float {
	if len(s) == 0 {
		return nil
	}
	pin.Pin(&s[0])
	return (*C.float)(unsafe.Pointer(&s[0]))
}

// lend gives C what is known of the spectrogram of so many samples.
func (s *spectrum) lend(pin *runtime.Pinner, samples int) C.struct_parley_mel {
	s.grow(int(C.parley_mel_count(C.int(samples))), samples)
	return C.struct_parley_mel{
		bands: C.int(s.filters.bands), weights: floats(pin, s.filters.weights), spans: ids(pin, s.filters.spans),
		frames: floats(pin, s.frames), known: C.int(s.known), loudest: C.float(s.loudest),
	}
}

func (s *spectrum) keep(m *C.struct_parley_mel) {
	s.known, s.loudest = int(m.known), float32(m.loudest)
}

// scaled is the window of so many frames that an encoder takes, band by band.
func (s *spectrum) scaled(pcm []float32, length int) []float32 {
	var pin runtime.Pinner
	defer pin.Unpin()
	m := s.lend(&pin, len(pcm))
	out := make([]float32, s.filters.bands*length)
	C.parley_mel_window(&m, (*C.float)(&pcm[0]), C.int(len(pcm)), (*C.float)(&out[0]), C.int(length))
	s.keep(&m)
	return out
}

// setMel gives the library the spectrogram of a window of so many frames, by our
// means or, where the spectrum is nil, its own.
func (s *state) setMel(spectrum *spectrum, pcm []float32, length int) int {
	if spectrum == nil {
		return int(C.whisper_pcm_to_mel_with_state(s.w.ctx, s.ptr, (*C.float)(&pcm[0]), C.int(len(pcm)), 1))
	}
	window := spectrum.scaled(pcm, length)
	return int(C.whisper_set_mel_with_state(s.w.ctx, s.ptr, (*C.float)(&window[0]), C.int(length), C.int(spectrum.filters.bands)))
}

// pick is the likeliest token up to eot that is not among the banned, and how
// likely it is among those. It writes to the logits.
func pick(logits []float32, banned []int32, eot int) (id int, p, logp float32) {
	var pin runtime.Pinner
	defer pin.Unpin()
	t := C.parley_pick((*C.float)(&logits[0]), ids(&pin, banned), C.int(len(banned)), C.int(eot))
	return int(t.id), float32(t.p), float32(t.plog)
}

// loops counts the tokens at the end of a text that only repeat those before.
func loops(text []int32) int {
	if len(text) == 0 {
		return 0
	}
	return int(C.parley_looped((*C.int32_t)(&text[0]), C.int(len(text))))
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
