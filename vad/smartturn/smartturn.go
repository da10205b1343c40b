// Package smartturn is an end-of-turn model with the signature of Smart Turn v3
// (pipecat-ai, BSD-2-Clause), run by onnxruntime: it hears the last 8 s of what
// somebody says and tells how likely it is that they have finished. It judges the
// sound, not the words.
//
// The network takes input_features, float32 [n, 80, 800], and gives the
// probability itself, not a logit, as float32 [n, 1]. The features are those of
// Hugging Face's WhisperFeatureExtractor with chunk_length 8 and do_normalize. The
// weights are not part of Parley: they are published as pipecat-ai/smart-turn-v3.
//
// Without cgo there is no onnxruntime: every call then reports onnx.ErrUnavailable.
package smartturn

// Window is how much audio the network hears, in samples at 16 kHz. Of more it
// hears the end; less is preceded by silence.
const Window = 8 * 16000

// maxFile bounds what is read as a network: the published ones have 8 and 32 MB.
const maxFile = 256 << 20
