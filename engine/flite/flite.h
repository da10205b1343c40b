#ifndef PARLEY_FLITE_H
#define PARLEY_FLITE_H

#include <stdint.h>

/* parley_voice registers the voice on its first use. Callers hold a lock. */
void *parley_voice(int index);

/* parley_speak says one piece of text. It calls parleyFliteToken for every
   token before the first audio, then parleyFliteChunk for each piece of audio
   until that answers anything but 0. It returns 0, or -1 without memory. */
int parley_speak(void *voice, const char *text, float stretch, int chunk, uintptr_t handle);

#endif
