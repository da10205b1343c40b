#include "shim.h"

#include <math.h>

// Decodes at full quality are the library's own; what is ours is that the text
// can be made to begin with given tokens.
struct run {
    const struct parley_job * job;
    int  windows;  // of 30 s, begun so far
    int  passes;   // of the present window: one for each temperature
    int  said;     // tokens of text in the windows before
    bool untimed;  // no timestamps come
    bool timeless; // but should have: the model has never learnt them
};

static bool cancelled(void * flag) {
    return __atomic_load_n((int32_t *) flag, __ATOMIC_RELAXED) != 0;
}

static bool aborted(void * user) {
    const struct run * r = user;
    return r->timeless || cancelled(r->job->cancel);
}

static bool begin(struct whisper_context * ctx, struct whisper_state * state, void * user) {
    struct run * r = user;
    r->windows++;
    r->passes = 0;
    r->said   = parley_tokens(ctx, state, NULL, 0);
    return !cancelled(r->job->cancel);
}

static bool never(struct whisper_context * ctx, struct whisper_state * state, void * flag) {
    (void) ctx;
    (void) state;
    (void) flag;
    return false;
}

static void only(float * logits, int from, int to, int n) {
    for (int id = 0; id < n; id++) {
        if (id < from || id >= to) {
            logits[id] = -INFINITY;
        }
    }
}

static int likeliest(const float * logits, int from, int to) {
    int best = from;
    for (int id = from; id < to; id++) {
        if (logits[id] > logits[best]) {
            best = id;
        }
    }
    return best;
}

// The logarithm of a sum of exponentials.
static double mass(const float * logits, int from, int to) {
    const float most = logits[likeliest(logits, from, to)];
    double      sum  = 0;
    if (most == -INFINITY) {
        return most;
    }
    for (int id = from; id < to; id++) {
        sum += exp(logits[id] - most);
    }
    return most + log(sum);
}

// Lets the decoder end a segment inside the prefix where it would have done so
// by itself: it must not be at the end of the audio, where nothing of the prefix
// could follow. times is the first timestamp that does not go back.
static bool segment_ends(const struct run * r, const float * logits, int eot, int beg, int times, int n) {
    const int frames = r->job->samples / 160;
    const int end    = 2 * (likeliest(logits, times, n) - beg);
    if (r->windows > 1 || mass(logits, times, n) <= logits[likeliest(logits, 0, eot + 1)]) {
        return false;
    }
    return frames > 3000 || end + 50 < frames;
}

// The library calls this for each token before it picks it.
static void filter(struct whisper_context * ctx, struct whisper_state * state, const struct whisper_token_data * tokens, int made, float * logits, void * user) {
    (void) state;
    struct run *              r   = user;
    const struct parley_job * job = r->job;
    const int eot = whisper_token_eot(ctx), beg = whisper_token_beg(ctx), n = whisper_n_vocab(ctx);
    for (int id = 0; id < eot; id++) {
        if (job->banned[id]) {
            logits[id] = -INFINITY;
        }
    }
    int at = r->said, times = beg;
    for (int i = 0; i < made; i++) {
        at += tokens[i].id < eot;
        times = tokens[i].id > times ? tokens[i].id : times;
    }
    r->passes += made == 0;
    if (made == 0 && r->windows == 1 && r->passes == 1 && !r->untimed) {
        r->timeless = mass(logits, beg, n) < mass(logits, 0, beg) - 4.6; // less than 1 %
    }
    if (at >= job->n_prefix) {
        return;
    }
    if (made == 0 && !r->untimed) { // the time where speech begins, soon enough for the prefix to follow
        const int latest = r->windows > 1 ? 25 : (job->samples / 160 - 40) / 2;
        only(logits, beg, beg + 1 + (latest > 0 ? latest : 0), n);
        return;
    }
    const bool after_time = made > 0 && tokens[made - 1].id >= beg;
    if (after_time && made > 1 && tokens[made - 2].id < beg) { // the next segment begins, or the next window
        if (job->samples / 160 <= 3000 || 2 * (times - beg) < 2800) {
            logits[eot] = -INFINITY;
        }
        return;
    }
    if (!after_time && !r->untimed && segment_ends(r, logits, eot, beg, times, n)) {
        only(logits, times, n, n);
        return;
    }
    const int id = job->prefix[at];
    if (r->passes == 1) {
        double all = mass(logits, 0, beg);
        if (!after_time) {
            const double timed = mass(logits, times, n);
            all = fmax(all, timed) + log1p(exp(-fabs(all - timed)));
        }
        job->believed[at] = (float) exp(logits[id] - all);
    }
    only(logits, id, id + 1, n);
    logits[id] = 0;
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

int parley_run(struct whisper_context * ctx, struct whisper_state * state, const void * params, struct parley_job * job, const float * pcm) {
    struct run r = { .job = job, .untimed = job->untimed };
    struct whisper_full_params p = *(const struct whisper_full_params *) params;
    p.new_segment_callback             = NULL;
    p.progress_callback                = NULL;
    p.encoder_begin_callback           = begin;
    p.encoder_begin_callback_user_data = &r;
    p.logits_filter_callback           = filter;
    p.logits_filter_callback_user_data = &r;
    p.abort_callback                   = aborted;
    p.abort_callback_user_data         = &r;
    p.no_timestamps                    = job->untimed;
    p.initial_prompt                   = job->prompt;
    p.suppress_nst                     = false; // the filter does, without looking tokens up by their text
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
    int rc = whisper_full_with_state(ctx, state, p, pcm, job->samples);
    job->untimed |= r.timeless;
    if (r.timeless && !cancelled(job->cancel)) {
        r = (struct run) { .job = job, .untimed = true };
        p.no_timestamps = true;
        rc = whisper_full_with_state(ctx, state, p, pcm, job->samples);
    }
    return rc;
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

