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

// ---- model

struct whisper_context * parley_open(const char * path, bool gpu, int device, bool flash) {
    struct whisper_context_params p = whisper_context_default_params();
    p.use_gpu    = gpu;
    p.gpu_device = device;
    p.flash_attn = flash;
    return whisper_init_from_file_with_params_no_state(path, p);
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
