#include "shim.h"

#include <math.h>
#include <string.h>

enum { LANES = 4 };

typedef float   floats __attribute__((vector_size(4 * LANES)));
typedef int32_t ints __attribute__((vector_size(4 * LANES)));

static floats load(const float * x) {
    floats v;
    memcpy(&v, x, sizeof v);
    return v;
}

static floats larger(floats a, floats b) {
    const ints first = a > b;
    return (floats) (((ints) a & first) | ((ints) b & ~first));
}

static floats all(float x) { return (floats) { x, x, x, x }; }

// exp of numbers from -80 to 0, to 2e-7 of it: 2 to a whole number, whose bits
// are an exponent, times the Taylor series of what is left.
static floats exponential(floats x) {
    const floats shift = all(12582912.0f); // 1.5 times 2 to the 23: adding it rounds
    const floats whole = x * 1.44269504f + shift;
    const floats times = whole - shift;
    const floats r     = x - times * 0.693359375f + times * 2.12194440e-4f;
    floats       e     = r * (1.0f / 5040) + 1.0f / 720;
    e = e * r + 1.0f / 120;
    e = e * r + 1.0f / 24;
    e = e * r + 1.0f / 6;
    e = e * r + 0.5f;
    e = e * r + 1.0f;
    e = e * r + 1.0f;
    return (floats) ((ints) e + (((ints) whole - (ints) shift) << 23));
}

static float maximum(const float * x, int n) {
    floats most = all(x[0]);
    int    i    = 0;
    for (; i + LANES <= n; i += LANES) {
        most = larger(load(x + i), most);
    }
    float m = fmaxf(fmaxf(most[0], most[1]), fmaxf(most[2], most[3]));
    for (; i < n; i++) {
        m = fmaxf(x[i], m);
    }
    return m;
}

// The sum of exp(x - most), of which no term is above 1.
static double softmax_sum(const float * x, int n, float most) {
    enum { BLOCK = 256 }; // what is added up in single precision
    const floats least = all(-80);
    double       sum   = 0;
    int          i     = 0;
    while (i + LANES <= n) {
        floats part = all(0);
        for (const int end = i + BLOCK; i < end && i + LANES <= n; i += LANES) {
            part += exponential(larger(load(x + i) - most, least));
        }
        sum += (double) part[0] + part[1] + part[2] + part[3];
    }
    for (; i < n; i++) {
        sum += expf(x[i] - most);
    }
    return sum;
}

struct parley_token parley_pick(float * logits, const int32_t * banned, int n_banned, int eot) {
    for (int i = 0; i < n_banned; i++) {
        logits[banned[i]] = -INFINITY;
    }
    const float most = maximum(logits, eot + 1);
    int         best = eot;
    if (logits[eot] < most) {
        for (best = 0; best < eot && logits[best] != most; best++) {
        }
    }
    const double sum = softmax_sum(logits, eot + 1, most);
    return (struct parley_token) { best, (float) (1 / sum), (float) -log(sum), -1, -1 };
}
