#include "shim.h"

#include <math.h>
#include <string.h>

enum { LANES = 4, BLOCK = 64, BLOCKS = 1024 };

typedef float   floats __attribute__((vector_size(4 * LANES)));
typedef int32_t ints __attribute__((vector_size(4 * LANES)));

static inline floats load(const float * x) {
    floats v;
    memcpy(&v, x, sizeof v);
    return v;
}

static inline floats larger(floats a, floats b) {
    const ints first = a > b;
    return (floats) (((ints) a & first) | ((ints) b & ~first));
}

static inline floats all(float x) { return x - (floats) { 0 }; }

// exp of numbers from -80 to 0, to 3e-6 of it: 2 to a whole number, whose bits
// are an exponent, times the Taylor series of what is left.
static inline floats exponential(floats x) {
    const floats shift = all(12582912.0f); // 1.5 times 2 to the 23: adding it rounds
    const floats whole = x * 1.44269504f + shift;
    const floats r     = x - (whole - shift) * 0.69314718f;
    floats       e     = r * (1.0f / 120) + 1.0f / 24;
    e = e * r + 1.0f / 6;
    e = e * r + 0.5f;
    e = e * r + 1.0f;
    e = e * r + 1.0f;
    return (floats) ((ints) e + (((ints) whole - (ints) shift) << 23));
}

static float across(floats v, float (*join)(float, float)) {
    float x = v[0];
    for (int i = 1; i < LANES; i++) {
        x = join(x, v[i]);
    }
    return x;
}

static float plus(float a, float b) { return a + b; }

static float block_maximum(const float * x) {
    floats a = load(x), b = load(x + LANES);
    for (int i = 2 * LANES; i < BLOCK; i += 2 * LANES) {
        a = larger(load(x + i), a);
        b = larger(load(x + i + LANES), b);
    }
    return across(larger(a, b), fmaxf);
}

static float block_sum(const float * x, float most) {
    const floats least = all(-80);
    floats       sum   = all(0);
    for (int i = 0; i < BLOCK; i += LANES) {
        sum += exponential(larger(load(x + i) - most, least));
    }
    return across(sum, plus);
}

struct parley_token parley_pick(float * logits, const int32_t * banned, int n_banned, int eot) {
    for (int i = 0; i < n_banned; i++) {
        logits[banned[i]] = -INFINITY;
    }
    float     peaks[BLOCKS]; // of whole blocks of text tokens
    const int blocks = eot / BLOCK < BLOCKS ? eot / BLOCK : BLOCKS, rest = blocks * BLOCK;
    int       best = eot;
    for (int id = rest; id < eot; id++) {
        best = logits[id] > logits[best] ? id : best;
    }
    int at = -1;
    for (int b = 0; b < blocks; b++) {
        peaks[b] = block_maximum(logits + b * BLOCK);
        if (peaks[b] > logits[best] && (at < 0 || peaks[b] > peaks[at])) {
            at = b;
        }
    }
    if (at >= 0) {
        for (best = at * BLOCK; logits[best] != peaks[at]; best++) {
        }
    }
    const float most = logits[best];
    double      sum  = 0;
    for (int b = 0; b < blocks; b++) {
        if (peaks[b] > most - 24) { // all the others together are less than 2e-6
            sum += block_sum(logits + b * BLOCK, most);
        }
    }
    for (int id = rest; id <= eot; id++) {
        sum += expf(logits[id] - most);
    }
    return (struct parley_token) { best, (float) (1 / sum), (float) -log(sum), -1, -1 };
}
