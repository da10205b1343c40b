// The spectrogram that whisper.cpp makes, bit for bit where the compiler does not
// fuse products with sums, as on x86-64: each number is the result of the same
// operations of the same width in the same order. What differs is that sixteen
// short transforms run side by side instead of one inside the other, that weights
// of nothing are skipped, and that frames are kept.
#include "mel.h"

#include <math.h>
#include <stddef.h>

#if defined(__clang__)
#pragma STDC FP_CONTRACT OFF
#elif defined(__GNUC__)
#pragma GCC optimize("fp-contract=off")
#endif

enum { SIZE = 400, HALF = SIZE / 2, HOP = 160, PARTS = 16, SHORT = SIZE / PARTS, BINS = HALF + 1 };

static const float silence = -10; // log10 of the least energy there is

typedef float four __attribute__((vector_size(16)));

static float hann[SIZE], cosine[SIZE], sine[SIZE];

__attribute__((constructor)) static void tables(void) {
    for (int i = 0; i < SIZE; i++) {
        const float angle = (float) (2 * M_PI * i / SIZE);
        sine[i]   = sinf(angle);
        cosine[i] = cosf(angle);
        hann[i]   = (float) (0.5 * (1.0 - cosf(angle)));
    }
}

struct spectrum {
    float re[SIZE], im[SIZE]; // [frequency][part]
};

// Transforms the sixteen series x[part], x[part + 16], ... side by side.
static void transform_parts(const four * x, struct spectrum * out) {
    four * re = (four *) out->re;
    four * im = (four *) out->im;
    for (int k = 0; k < SHORT; k++) {
        four r[PARTS / 4] = { 0 }, i[PARTS / 4] = { 0 };
        for (int n = 0, at = 0; n < SHORT; n++) {
            const four c = { cosine[at], cosine[at], cosine[at], cosine[at] };
            const four s = { sine[at], sine[at], sine[at], sine[at] };
            for (int q = 0; q < PARTS / 4; q++) {
                r[q] += x[n * PARTS / 4 + q] * c;
                i[q] -= x[n * PARTS / 4 + q] * s;
            }
            at += k * PARTS;
            at -= at >= SIZE ? SIZE : 0;
        }
        for (int q = 0; q < PARTS / 4; q++) {
            re[k * PARTS / 4 + q] = r[q];
            im[k * PARTS / 4 + q] = i[q];
        }
    }
}

// Joins the transforms of 2 * parts series of length n into parts of twice that.
static inline __attribute__((always_inline)) void join(const struct spectrum * in, struct spectrum * out, int n, int parts) {
    for (int k = 0; k < n; k++) {
        const float   c = cosine[k * parts], s = sine[k * parts];
        const float * even_re = in->re + k * 2 * parts, * odd_re = even_re + parts;
        const float * even_im = in->im + k * 2 * parts, * odd_im = even_im + parts;
        for (int p = 0; p < parts; p++) {
            out->re[k * parts + p]       = even_re[p] + c * odd_re[p] + s * odd_im[p];
            out->im[k * parts + p]       = even_im[p] + c * odd_im[p] - s * odd_re[p];
            out->re[(k + n) * parts + p] = even_re[p] - c * odd_re[p] - s * odd_im[p];
            out->im[(k + n) * parts + p] = even_im[p] - c * odd_im[p] + s * odd_re[p];
        }
    }
}

// Writes the energies at the frequencies from 0 to half the sampling rate.
static void energies(const float * x, float * out) {
    struct spectrum a __attribute__((aligned(16))), b __attribute__((aligned(16)));
    transform_parts((const four *) x, &a);
    join(&a, &b, SHORT, PARTS / 2);
    join(&b, &a, 2 * SHORT, PARTS / 4);
    join(&a, &b, 4 * SHORT, PARTS / 8);
    join(&b, &a, 8 * SHORT, PARTS / 16);
    for (int k = 0; k < BINS; k++) {
        out[k] = a.re[k] * a.re[k] + a.im[k] * a.im[k];
    }
}

// The sample at a place before, in or after the audio: mirrored at its beginning,
// nothing after its end.
static float at(const float * pcm, int samples, int i) {
    i = i < 0 ? -i : i;
    return i < samples ? pcm[i] : 0;
}

static void frame(const struct parley_mel * f, const float * pcm, int samples, int i, float * out) {
    float     x[SIZE] __attribute__((aligned(16)));
    float     e[BINS];
    const int from = i * HOP - HALF;
    if (from >= 0 && from + SIZE <= samples) {
        for (int j = 0; j < SIZE; j++) {
            x[j] = hann[j] * pcm[from + j];
        }
    } else {
        for (int j = 0; j < SIZE; j++) {
            x[j] = hann[j] * at(pcm, samples, from + j);
        }
    }
    energies(x, e);
    for (int b = 0; b < f->bands; b++) {
        const float * w   = f->weights + b * BINS;
        double        sum = 0;
        for (int k = f->spans[2 * b]; k < f->spans[2 * b + 1]; k += 4) {
            sum += e[k] * w[k] + e[k + 1] * w[k + 1] + e[k + 2] * w[k + 2] + e[k + 3] * w[k + 3];
        }
        sum += e[BINS - 1] * w[BINS - 1];
        out[b] = (float) log10(sum > 1e-10 ? sum : 1e-10);
    }
}

int parley_mel_count(int samples) {
    return (samples + HALF) / HOP + 1;
}

static float loudest(const float * x, int n, float most) {
    for (int i = 0; i < n; i++) {
        most = x[i] > most ? x[i] : most;
    }
    return most;
}

// A frame is known when its window ends within the audio, and the first ones
// when what they mirror does.
static int settled(int samples) {
    return samples > HALF ? (samples - HALF) / HOP + 1 : 0;
}

static float scale(float x, double least) {
    return (float) (((x < least ? (float) least : x) + 4.0) / 4.0);
}

void parley_mel_window(struct parley_mel * mel, const float * pcm, int samples, float * out, int length) {
    const int bands = mel->bands, count = parley_mel_count(samples), stay = settled(samples);
    for (int i = mel->known; i < count; i++) {
        frame(mel, pcm, samples, i, mel->frames + (size_t) i * bands);
    }
    if (stay > mel->known) {
        mel->loudest = loudest(mel->frames + (size_t) mel->known * bands, (stay - mel->known) * bands, mel->known > 0 ? mel->loudest : silence);
        mel->known   = stay;
    }
    const float  most  = loudest(mel->frames + (size_t) mel->known * bands, (count - mel->known) * bands, mel->known > 0 ? mel->loudest : silence);
    const double least = most - 8.0;
    const float  rest  = scale(silence, least);
    const int    full  = count < length ? count : length;
    enum { BLOCK = 16 }; // frames whose bands are turned at a time
    for (int from = 0; from < full; from += BLOCK) {
        const int to = from + BLOCK < full ? from + BLOCK : full;
        for (int b = 0; b < bands; b++) {
            for (int i = from; i < to; i++) {
                out[(size_t) b * length + i] = scale(mel->frames[(size_t) i * bands + b], least);
            }
        }
    }
    for (int b = 0; b < bands; b++) {
        for (int i = full; i < length; i++) {
            out[(size_t) b * length + i] = rest;
        }
    }
}
