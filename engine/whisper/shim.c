#include "shim.h"

#include <ggml-backend.h>
#include <pthread.h>
#include <string.h>

// ---- devices

int parley_backends(const char * dir) {
    if (dir) {
        ggml_backend_load_all_from_path(dir);
    } else {
        ggml_backend_load_all();
    }
    // BLAS takes over the matrix products and is slower than ggml's own.
    ggml_backend_reg_t blas = ggml_backend_reg_by_name("BLAS");
    if (blas) {
        ggml_backend_unload(blas);
    }
    return (int) ggml_backend_dev_count();
}

bool parley_has_cpu(void) {
    return ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_CPU) != NULL;
}

void parley_device_get(int i, struct parley_device * out) {
    ggml_backend_dev_t dev = ggml_backend_dev_get((size_t) i);
    out->name        = ggml_backend_dev_name(dev);
    out->description = ggml_backend_dev_description(dev);
    out->type        = (int) ggml_backend_dev_type(dev);
    ggml_backend_dev_memory(dev, &out->memory_free, &out->memory_total);
}

// ---- model and decode

struct whisper_context * parley_open(const char * path, bool gpu, int device, bool flash) {
    struct whisper_context_params p = whisper_context_default_params();
    p.use_gpu    = gpu;
    p.gpu_device = device;
    p.flash_attn = flash;
    return whisper_init_from_file_with_params_no_state(path, p);
}

static bool cancelled(void * flag) {
    return __atomic_load_n((int32_t *) flag, __ATOMIC_RELAXED) != 0;
}

static bool begin(struct whisper_context * ctx, struct whisper_state * state, void * flag) {
    (void) ctx;
    (void) state;
    return !cancelled(flag);
}

static bool never(struct whisper_context * ctx, struct whisper_state * state, void * flag) {
    (void) ctx;
    (void) state;
    (void) flag;
    return false;
}

// The library detects languages with the encoder length of the call before, so
// that length is set first: by a call that stops before its encoder.
static int detect(struct whisper_context * ctx, struct whisper_state * state, struct whisper_full_params p, const struct parley_job * job, const float * pcm) {
    p.language               = "en";
    p.encoder_begin_callback = never;
    int rc = whisper_full_with_state(ctx, state, p, pcm, job->samples);
    if (rc != 0) {
        return rc < 0 ? rc : -rc;
    }
    return whisper_lang_auto_detect_with_state(ctx, state, 0, p.n_threads, NULL);
}

int parley_run(struct whisper_context * ctx, struct whisper_state * state, const void * params, const struct parley_job * job, const float * pcm) {
    struct whisper_full_params p = *(const struct whisper_full_params *) params;
    p.new_segment_callback             = NULL;
    p.progress_callback                = NULL;
    p.encoder_begin_callback           = begin;
    p.encoder_begin_callback_user_data = job->cancel;
    p.abort_callback                   = cancelled;
    p.abort_callback_user_data         = job->cancel;
    p.initial_prompt                   = job->prompt;
    p.suppress_nst                     = true;
    p.greedy.best_of                   = 1;
    // Of multilingual models the library reads a stale probability here.
    p.no_speech_thold = whisper_is_multilingual(ctx) ? 1.0f : 0.6f;
    int language = job->language;
    if (language < 0) {
        language = detect(ctx, state, p, job, pcm);
        if (language < 0) {
            return language;
        }
    }
    p.language        = whisper_lang_str(language);
    p.detect_language = false;
    return whisper_full_with_state(ctx, state, p, pcm, job->samples);
}

int parley_tokens(struct whisper_context * ctx, struct whisper_state * state, struct parley_token * out, int cap) {
    const whisper_token eot = whisper_token_eot(ctx);
    int n = 0;
    for (int s = 0; s < whisper_full_n_segments_from_state(state); s++) {
        for (int t = 0; t < whisper_full_n_tokens_from_state(state, s); t++) {
            const whisper_token_data d = whisper_full_get_token_data_from_state(state, s, t);
            if (d.id >= eot) {
                continue;
            }
            if (n < cap) {
                out[n] = (struct parley_token) { d.id, d.p, d.plog, d.t0, d.t1 };
            }
            n++;
        }
    }
    return n;
}

// ---- logs

#define LINES 256
#define WIDTH 256

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char            text[LINES][WIDTH];
static int             level_of[LINES];
static int             first, count, column, level_now;

static void keep(char c) {
    if (count == LINES) {
        return;
    }
    char * line = text[(first + count) % LINES];
    if (c != '\n') {
        if (column < WIDTH - 1) {
            line[column++] = c;
        }
        return;
    }
    if (column > 0) {
        line[column] = 0;
        level_of[(first + count) % LINES] = level_now;
        count++;
    }
    column = 0;
}

static void sink(enum ggml_log_level level, const char * s, void * unused) {
    (void) unused;
    pthread_mutex_lock(&lock);
    if (level != GGML_LOG_LEVEL_CONT) {
        level_now = (int) level;
    }
    while (*s) {
        keep(*s++);
    }
    pthread_mutex_unlock(&lock);
}

void parley_log_open(void) {
    whisper_log_set(sink, NULL);
    ggml_log_set(sink, NULL);
}

int parley_log_next(char * line, int cap) {
    pthread_mutex_lock(&lock);
    int level = -1;
    if (count > 0) {
        strncpy(line, text[first], (size_t) cap - 1);
        line[cap - 1] = 0;
        level = level_of[first];
        first = (first + 1) % LINES;
        count--;
        // A line begun in the next place is kept: places do not move.
    }
    pthread_mutex_unlock(&lock);
    return level;
}
