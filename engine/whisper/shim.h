// Everything of whisper.cpp that has a state, over its public API only.
#ifndef PARLEY_SHIM_H
#define PARLEY_SHIM_H

#include <stdbool.h>
#include <stdint.h>
#include <whisper.h>

#include "mel.h"

// A graphics card, processor or accelerator that ggml knows.
struct parley_device {
    const char * name;
    const char * description;
    int          type; // enum ggml_backend_dev_type
    size_t       memory_free, memory_total;
};

// What one decode is asked, beside the parameters the Go binding can set.
struct parley_job {
    int             samples;
    int             language; // id, or -1 to detect
    const char *    prompt;   // or NULL
    const uint8_t * banned;   // for each token whether it must not come
    const int32_t * prefix;   // tokens the text begins with
    float *         believed; // how probable each of them was: set where the decode came to it
    int             n_prefix;
    bool            untimed;  // without timestamps; set where the model turns out to have none
    int32_t *       cancel;   // not 0: stop
};

// One token of a result. Times are in hundredths of a second.
struct parley_token {
    int32_t id;
    float   p, plog;
    int64_t t0, t1;
};

// Loads the plug-ins of a directory, or of the library's own where dir is NULL.
// Returns the number of devices.
int  parley_backends(const char * dir);
bool parley_has_cpu(void);
void parley_device_get(int i, struct parley_device * out);

struct whisper_context * parley_open(const char * path, bool gpu, int device, bool flash);

// Decodes; params is a struct whisper_full_params. 0 is success.
int parley_run(struct whisper_context * ctx, struct whisper_state * state, const void * params, struct parley_job * job, const float * pcm);

// Copies at most cap tokens of the last result and returns how many there are.
int parley_tokens(struct whisper_context * ctx, struct whisper_state * state, struct parley_token * out, int cap);

// Why a greedy decode stopped.
enum parley_stop {
    PARLEY_END,   // the decoder said so
    PARLEY_LOOP,  // it only repeats itself: the repetitions are left out
    PARLEY_LIMIT, // there are as many tokens as were asked for
};

// What one greedy decode of a window of at most 30 s is asked.
struct parley_guess {
    int               samples;
    int               encoder;    // audio_ctx, 0 for the model's own
    int               threads;
    int               language;   // id, or -1 to detect; set to the language used
    float             language_p; // its probability, set where it is detected
    bool              translate;
    bool              again;      // the audio is still encoded from the call before
    int               most;       // new tokens at most
    const int32_t *   before;     // tokens of earlier text that condition the decoder
    int               n_before;
    const int32_t *   prefix;     // tokens the text begins with
    int               n_prefix;
    const int32_t *   banned;     // tokens that must not come
    int               n_banned;
    struct parley_mel mel;        // of the audio
    float *           window;     // room for the encoder's input, or NULL: the library makes it
    float *           logits;     // where those of each step are copied to, or NULL
    int32_t *         cancel;     // not 0: stop
    enum parley_stop  stop;       // set
};

// Encodes and decodes greedily what follows the prefix, until the end of the
// text. Returns the number of new tokens in out, or a negative error.
int parley_guess(struct whisper_context * ctx, struct whisper_state * state, struct parley_guess * g, const float * pcm, struct parley_token * out);

// The likeliest token up to eot that is not banned, with its probability among
// those. Writes to the logits.
struct parley_token parley_pick(float * logits, const int32_t * banned, int n_banned, int eot);

// How many tokens at the end of a text are copies of those before in a loop that
// no mouth makes: up to eight tokens at least three times, sixteen in all.
int parley_looped(const int32_t * text, int n);

// Lines of the libraries' logs go into a ring; a full ring drops new lines.
void parley_log_open(void);
// Takes the oldest line, cut to cap; its level, or -1 where there is none.
int  parley_log_next(char * line, int cap);

#endif
