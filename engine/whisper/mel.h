// Whisper's spectrogram, frame by frame.
#ifndef PARLEY_MEL_H
#define PARLEY_MEL_H

#include <stdint.h>

// The spectrogram of audio that grows. A frame is log10 of the energy of each
// band around a moment; there are 100 in a second.
struct parley_mel {
    int             bands;
    const float *   weights; // that make bands of frequencies: bands times 201
    const int32_t * spans;   // of each band: the first bin and the one after the last that weigh, in fours up to 200
    float *         frames;  // room for parley_mel_count of them
    int             known;   // frames that later samples cannot change any more
    float           loudest; // of the known ones
};

// How many frames samples make, the last ones reaching beyond the end.
int parley_mel_count(int samples);

// Computes the frames that are not known yet and writes a window as the encoder
// takes it: bands times length, clamped to 80 dB below the loudest and scaled.
void parley_mel_window(struct parley_mel * mel, const float * pcm, int samples, float * out, int length);

#endif
