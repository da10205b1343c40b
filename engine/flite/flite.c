//go:build cgo

#include <flite/flite.h>

#include "flite.h"
#include "_cgo_export.h"

cst_voice *register_cmu_us_slt(const char *dir);
cst_voice *register_cmu_us_rms(const char *dir);
cst_voice *register_cmu_us_awb(const char *dir);
cst_voice *register_cmu_us_kal(const char *dir);
cst_voice *register_cmu_us_kal16(const char *dir);

static cst_voice *(*const registers[])(const char *) = {
    register_cmu_us_slt, register_cmu_us_rms,   register_cmu_us_awb,
    register_cmu_us_kal, register_cmu_us_kal16,
};

void *parley_voice(int index) {
    static int ready;
    if (!ready) {
        flite_init();
        ready = 1;
    }
    return registers[index](NULL);
}

/* tokens reports where each token that has sounds begins, in seconds. */
static void tokens(const cst_utterance *utt, uintptr_t handle) {
    const cst_item *token, *word, *segment;
    for (token = relation_head(utt_relation(utt, "Token")); token; token = item_next(token)) {
        for (word = item_daughter(token); word; word = item_next(word)) {
            segment = path_to_item(word, "R:SylStructure.daughter1.daughter1.R:Segment");
            if (segment == NULL)
                continue;
            parleyFliteToken(handle, (char *)item_feat_string(token, "name"),
                             item_prev(segment) ? item_feat_float(item_prev(segment), "end") : 0);
            break;
        }
    }
}

static int chunk_ready(const cst_wave *wave, int start, int size, int last,
                       cst_audio_streaming_info *info) {
    uintptr_t handle = (uintptr_t)info->userdata;
    (void)last;
    if (start == 0)
        tokens(info->utt, handle);
    if (parleyFliteChunk(handle, wave->samples + start, size, wave->sample_rate) != 0)
        return CST_AUDIO_STREAM_STOP;
    return CST_AUDIO_STREAM_CONT;
}

/* All that changes lives in the utterance: its features are linked to the
   voice's, which nothing writes after registration, so voices are shared
   between threads. The streaming info is freed with the utterance. */
int parley_speak(void *voice, const char *text, float stretch, int chunk, uintptr_t handle) {
    cst_utterance *utt = new_utterance();
    cst_audio_streaming_info *info = new_audio_streaming_info();
    if (utt == NULL || info == NULL)
        return -1;
    utt_init(utt, voice);
    utt_set_input_text(utt, text);
    info->asc = chunk_ready;
    info->min_buffsize = chunk;
    info->userdata = (void *)handle;
    feat_set(utt->features, "streaming_info", audio_streaming_info_val(info));
    feat_set_float(utt->features, "duration_stretch", stretch);
    int failed = utt_synth(utt) == NULL;
    delete_utterance(utt);
    return failed ? -1 : 0;
}
