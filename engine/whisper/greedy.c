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

static int set_sound(struct whisper_context * ctx, struct whisper_state * state, struct parley_guess * g, const float * pcm) {
    if (!g->window) {
        return whisper_pcm_to_mel_with_state(ctx, state, pcm, g->samples, g->threads);
    }
    const int length = 2 * (g->encoder > 0 ? g->encoder : whisper_n_audio_ctx(ctx));
    parley_mel_window(&g->mel, pcm, g->samples, g->window, length);
    return whisper_set_mel_with_state(ctx, state, g->window, length, g->mel.bands);
}

static int encode(struct whisper_context * ctx, struct whisper_state * state, struct parley_guess * g, const float * pcm) {
    if (g->again) {
        return 0;
    }
    if (set_sound(ctx, state, g, pcm) != 0 || set_encoder(ctx, state, g) != 0) {
        return FAILED;
    }
    if (stopped(g)) {
        return CANCELLED;
    }
    return whisper_encode_with_state(ctx, state, 0, g->threads) == 0 ? 0 : FAILED;
}

// Decodes n tokens after n_past others and returns the logits that follow the
// last. They may be written to: the library does not read them again.
static float * step(struct whisper_context * ctx, struct whisper_state * state, const struct parley_guess * g, const int32_t * tokens, int n, int n_past) {
    if (whisper_decode_with_state(ctx, state, tokens, n, n_past, g->threads) != 0) {
        return NULL;
    }
    return whisper_get_logits_from_state(state) + (size_t) (n - 1) * (size_t) whisper_n_vocab(ctx);
}

// Sets the likeliest language and how likely it is among all languages.
static void detect(struct whisper_context * ctx, struct parley_guess * g, const float * logits) {
    int best = 0;
    for (int id = 1; id <= whisper_lang_max_id(); id++) {
        if (logits[whisper_token_lang(ctx, id)] > logits[whisper_token_lang(ctx, best)]) {
            best = id;
        }
    }
    double sum = 0;
    for (int id = 0; id <= whisper_lang_max_id(); id++) {
        sum += exp(logits[whisper_token_lang(ctx, id)] - logits[whisper_token_lang(ctx, best)]);
    }
    g->language   = best;
    g->language_p = (float) (1 / sum);
}

// Writes what the decoder is told before the text, as far as it has not been
// decoded yet, and returns how many tokens that are, or an error. past becomes
// how many of them are decoded.
static int instruct(struct whisper_context * ctx, struct whisper_state * state, struct parley_guess * g, int32_t * prompt, int * past) {
    int n = 0;
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
            *past = n;
            detect(ctx, g, logits);
        }
        prompt[n++] = whisper_token_lang(ctx, g->language);
        prompt[n++] = g->translate ? whisper_token_translate(ctx) : whisper_token_transcribe(ctx);
    }
    prompt[n++] = whisper_token_not(ctx);
    return n;
}

int parley_looped(const int32_t * text, int n) {
    enum { LONGEST = 8, COPIES = 3, TOKENS = 16 };
    for (int size = 1; size <= LONGEST; size++) {
        int copies = 1;
        while ((copies + 1) * size <= n && memcmp(text + n - size, text + n - (copies + 1) * size, sizeof(int32_t) * (size_t) size) == 0) {
            copies++;
        }
        if (copies >= COPIES && copies * size >= TOKENS) {
            return (copies - 1) * size;
        }
    }
    return 0;
}

int parley_guess(struct whisper_context * ctx, struct whisper_state * state, struct parley_guess * g, const float * pcm, struct parley_token * out) {
    if (g->most < 1 || g->n_before + g->n_prefix + g->most + 5 > CONTEXT || CONTEXT > whisper_n_text_ctx(ctx)) {
        return FAILED;
    }
    int rc = stopped(g) ? CANCELLED : encode(ctx, state, g, pcm);
    if (rc != 0) {
        return rc;
    }
    int32_t prompt[CONTEXT];
    int     past = 0;
    int     n    = instruct(ctx, state, g, prompt, &past);
    if (n < 0) {
        return n;
    }
    const int32_t * text = prompt + n;
    memcpy(prompt + n, g->prefix, sizeof(int32_t) * (size_t) g->n_prefix);
    n += g->n_prefix;

    const int eot = whisper_token_eot(ctx);
    for (int made = 0;;) {
        if (stopped(g)) {
            return CANCELLED;
        }
        float * logits = step(ctx, state, g, prompt + past, n - past, past);
        if (!logits) {
            return FAILED;
        }
        if (g->logits) {
            memcpy(g->logits + (size_t) made * (size_t) whisper_n_vocab(ctx), logits, sizeof(float) * (size_t) whisper_n_vocab(ctx));
        }
        past = n;
        const struct parley_token t = parley_pick(logits, g->banned, g->n_banned, eot);
        if (t.id == eot) {
            g->stop = PARLEY_END;
            return made;
        }
        out[made++] = t;
        prompt[n++] = t.id;
        const int copies = parley_looped(text, (int) (prompt + n - text));
        if (copies > 0) {
            g->stop = PARLEY_LOOP;
            return copies < made ? made - copies : 0;
        }
        if (made == g->most) {
            g->stop = PARLEY_LIMIT;
            return made;
        }
    }
}
