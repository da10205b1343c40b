#include "shim.h"

#include <math.h>
#include <string.h>

enum { CANCELLED = -6, FAILED = -7, CONTEXT = 448 };

static bool stopped(const struct parley_guess * g) {
    return __atomic_load_n(g->cancel, __ATOMIC_RELAXED) != 0;
}

static bool no_encoder(struct whisper_context * ctx, struct whisper_state * state, void * unused) {
    (void) ctx;
    (void) state;
    (void) unused;
    return false;
}

// The length of the encoder can only be set by a full run; one without audio
// that stops before its encoder sets it and does nothing else.
static int set_encoder(struct whisper_context * ctx, struct whisper_state * state, const struct parley_guess * g) {
    struct whisper_full_params p = whisper_full_default_params(WHISPER_SAMPLING_GREEDY);
    p.audio_ctx              = g->encoder;
    p.n_threads              = g->threads;
    p.language               = "en";
    p.print_progress         = false;
    p.encoder_begin_callback = no_encoder;
    return whisper_full_with_state(ctx, state, p, NULL, 0);
}

static int encode(struct whisper_context * ctx, struct whisper_state * state, const struct parley_guess * g, const float * pcm) {
    if (g->again) {
        return 0;
    }
    if (whisper_pcm_to_mel_with_state(ctx, state, pcm, g->samples, g->threads) != 0 || set_encoder(ctx, state, g) != 0) {
        return FAILED;
    }
    if (stopped(g)) {
        return CANCELLED;
    }
    return whisper_encode_with_state(ctx, state, 0, g->threads) == 0 ? 0 : FAILED;
}

// Decodes n tokens after n_past others and returns the logits that follow the last.
static const float * step(struct whisper_context * ctx, struct whisper_state * state, const struct parley_guess * g, const int32_t * tokens, int n, int n_past) {
    if (whisper_decode_with_state(ctx, state, tokens, n, n_past, g->threads) != 0) {
        return NULL;
    }
    return whisper_get_logits_from_state(state) + (size_t) (n - 1) * whisper_n_vocab(ctx);
}

static int detect(struct whisper_context * ctx, const float * logits) {
    int best = 0;
    for (int id = 1; id <= whisper_lang_max_id(); id++) {
        if (logits[whisper_token_lang(ctx, id)] > logits[whisper_token_lang(ctx, best)]) {
            best = id;
        }
    }
    return best;
}

// The likeliest token that may come, text or the end of it.
static struct parley_token pick(const float * logits, const uint8_t * banned, int eot) {
    int   best = eot;
    float most = logits[eot];
    for (int id = 0; id < eot; id++) {
        if (logits[id] > most && !banned[id]) {
            best = id;
            most = logits[id];
        }
    }
    double sum = 0;
    for (int id = 0; id <= eot; id++) {
        if (!banned[id]) {
            sum += expf(logits[id] - most);
        }
    }
    return (struct parley_token) { best, (float) (1 / sum), (float) -log(sum), -1, -1 };
}

int parley_guess(struct whisper_context * ctx, struct whisper_state * state, struct parley_guess * g, const float * pcm, struct parley_token * out) {
    int rc = encode(ctx, state, g, pcm);
    if (rc != 0) {
        return rc;
    }
    int32_t prompt[CONTEXT];
    int     n = 0, past = 0;
    if (g->n_before + g->n_prefix + g->most + 5 > CONTEXT || g->most + 5 > whisper_n_text_ctx(ctx)) {
        return FAILED;
    }
    if (g->n_before > 0) {
        prompt[n++] = whisper_token_prev(ctx);
        memcpy(prompt + n, g->before, sizeof(int32_t) * (size_t) g->n_before);
        n += g->n_before;
    }
    prompt[n++] = whisper_token_sot(ctx);
    if (whisper_is_multilingual(ctx)) {
        if (g->language < 0) {
            const float * logits = step(ctx, state, g, prompt, n, 0);
            if (!logits) {
                return FAILED;
            }
            past        = n;
            g->language = detect(ctx, logits);
        }
        prompt[n++] = whisper_token_lang(ctx, g->language);
        prompt[n++] = g->translate ? whisper_token_translate(ctx) : whisper_token_transcribe(ctx);
    }
    prompt[n++] = whisper_token_not(ctx);
    memcpy(prompt + n, g->prefix, sizeof(int32_t) * (size_t) g->n_prefix);
    n += g->n_prefix;

    const int       eot    = whisper_token_eot(ctx);
    const int32_t * next   = prompt + past;
    int             length = n - past;
    for (int made = 0;; made++) {
        if (stopped(g)) {
            return CANCELLED;
        }
        const float * logits = step(ctx, state, g, next, length, past);
        if (!logits) {
            return FAILED;
        }
        past += length;
        struct parley_token t = pick(logits, g->banned, eot);
        if (t.id == eot || made == g->most) {
            return made;
        }
        out[made] = t;
        next      = &out[made].id;
        length    = 1;
    }
}
