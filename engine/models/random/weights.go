package random

import (
	"fmt"
	"math"
	"math/rand/v2"
)

// weights makes the numbers of one model.
type weights struct {
	Config
	sentence []int // tokens
	memory   []association
	rows     map[int][]float32 // of the token embedding, those that the memory needs
}

// association is what the decoder is to say after a token.
type association struct{ after, say, or int }

// What is added to the residual stream by random layers, all of them together,
// and by the memory, in units of a token's embedding.
const (
	murmur   = 0.4
	place    = 0.1 // a position's embedding
	recall   = 5   // what is said next
	fallback = 2   // what is said after a token the memory does not know
	belief   = 13.8
)

func newWeights(c Config) *weights {
	w := &weights{Config: c, rows: map[int][]float32{}}
	candidates := speakable(c.vocabulary())
	r := rand.New(rand.NewPCG(c.Seed, 0))
	for range c.Tokens {
		i := r.IntN(len(candidates))
		w.sentence = append(w.sentence, candidates[i])
		candidates = append(candidates[:i], candidates[i+1:]...)
	}
	w.memory = remember(c.Shape.special(), c.Shape.Multilingual, w.sentence)
	return w
}

// remember is the sentence with what a decoder puts round it: the language after
// the start, the time 0:00 where times are wanted, and the time 0:30 with the end
// as second choice, for decodes without times.
func remember(t special, multilingual bool, sentence []int) []association {
	first, last := sentence[0], sentence[len(sentence)-1]
	thirty := t.zero + timestamps - 1
	list := []association{{t.none, first, first}, {t.zero, first, first}, {last, thirty, t.end}, {thirty, t.end, t.end}}
	if multilingual {
		list = append(list, association{t.start, t.english, t.english},
			association{t.transcribe, t.zero, t.zero}, association{t.translate, t.zero, t.zero})
	} else {
		list = append(list, association{t.start, t.zero, t.zero})
	}
	for i, id := range sentence[1:] {
		list = append(list, association{sentence[i], id, id})
	}
	return list
}

// unknown is what follows a token that the memory does not know: the sentence's
// last words, so that any forced text is gone on with and ended.
func (w *weights) unknown() int { return w.sentence[max(0, len(w.sentence)-5)] }

// token is a row of the token embedding: normal deviates.
func (w *weights) token(id int) []float32 {
	if row := w.rows[id]; row != nil {
		return row
	}
	row := make([]float32, w.Shape.Width)
	newNoise(w.Seed, tokenEmbedding).floats(id, 1, row)
	w.rows[id] = row
	return row
}

const tokenEmbedding = "decoder.token_embedding.weight"

// tensors lists the file's tensors in the order of the published ones.
func (w *weights) tensors() []tensor {
	s := w.Shape
	d := s.Width
	list := []tensor{
		single("encoder.positional_embedding", 1500, d).filled(sinusoid(d)),
		noisy("encoder.conv1.weight", 1/math.Sqrt(float64(3*s.Mels)), d, s.Mels, 3),
		single("encoder.conv1.bias", d, 1),
		noisy("encoder.conv2.weight", 1/math.Sqrt(float64(3*d)), d, d, 3),
		single("encoder.conv2.bias", d, 1),
	}
	for i := range s.AudioLayers {
		list = append(list, w.block(fmt.Sprintf("encoder.blocks.%d.", i), murmur/math.Sqrt(float64(2*s.AudioLayers)), "attn")...)
	}
	list = append(list, single("encoder.ln_post.weight", d).constant(1), single("encoder.ln_post.bias", d),
		single("decoder.positional_embedding", 448, d).random(place), noisy(tokenEmbedding, 1, s.vocabulary(), d))
	for i := range s.TextLayers {
		layer := w.block(fmt.Sprintf("decoder.blocks.%d.", i), murmur/math.Sqrt(float64(3*s.TextLayers)), "attn", "cross_attn")
		if i == s.TextLayers-1 {
			w.memorise(layer[len(layer)-6:])
		}
		list = append(list, layer...)
	}
	// A token of which the residual stream is nine tenths gets a logit of belief.
	return append(list, single("decoder.ln.weight", d).constant(belief/(0.9*float32(d))), single("decoder.ln.bias", d))
}

// block is one layer; what each of its parts adds to the residual stream has the
// given deviation at most.
func (w *weights) block(prefix string, add float64, attentions ...string) (list []tensor) {
	d := w.Shape.Width
	unit := 1 / math.Sqrt(float64(d))
	for _, a := range attentions {
		a = prefix + a
		list = append(list,
			noisy(a+".query.weight", unit, d, d), single(a+".query.bias", d),
			noisy(a+".key.weight", unit, d, d),
			noisy(a+".value.weight", unit, d, d), single(a+".value.bias", d),
			noisy(a+".out.weight", add*unit, d, d), single(a+".out.bias", d),
			single(a+"_ln.weight", d).constant(1), single(a+"_ln.bias", d))
	}
	const gelu = 0.65 // what is left of a normal deviate
	return append(list,
		noisy(prefix+"mlp.0.weight", unit, 4*d, d), single(prefix+"mlp.0.bias", 4*d),
		noisy(prefix+"mlp.2.weight", add*unit/2/gelu, d, 4*d), single(prefix+"mlp.2.bias", d),
		single(prefix+"mlp_ln.weight", d).constant(1), single(prefix+"mlp_ln.bias", d))
}

// memorise puts the memory into the feed-forward part of a layer: one of its 4 d
// neurons for each association fires at one token, half way between what that
// one and what others make of it, and adds what is to be said.
func (w *weights) memorise(part []tensor) {
	root := float32(math.Sqrt(float64(w.Shape.Width)))
	const threshold, fired = 0.5, 0.42 // of root; the share of the token in the stream is 0.92
	in, inBias, out, outBias := &part[0], &part[1], &part[2], &part[3]
	in.fill = func(i int, row []float32) bool {
		if i >= len(w.memory) {
			return false
		}
		for j, v := range w.token(w.memory[i].after) {
			row[j] = v / root
		}
		return true
	}
	inBias.fill = func(_ int, row []float32) bool {
		clear(row)
		for i := range w.memory {
			row[i] = -threshold * root
		}
		return true
	}
	sigma, source := float32(out.sigma), newNoise(w.Seed, out.name)
	out.fill = func(i int, row []float32) bool {
		source.floats(i, sigma, row)
		for j, m := range w.memory {
			say := w.token(m.say)[i]
			if m.or != m.say {
				say += 0.9 * w.token(m.or)[i]
			}
			row[j] = recall / (fired * root) * say
		}
		return true
	}
	outBias.fill = func(_ int, row []float32) bool {
		for i, v := range w.token(w.unknown()) {
			row[i] = fallback * v
		}
		return true
	}
}

// sinusoid is the encoder's positional embedding: sines and cosines of
// wavelengths from 2 pi to 10000 times that.
func sinusoid(d int) func(int, []float32) bool {
	return func(pos int, row []float32) bool {
		for i := range d / 2 {
			at := float64(pos) * math.Exp(-math.Log(10000)*float64(i)/float64(d/2-1))
			row[i], row[i+d/2] = float32(math.Sin(at)), float32(math.Cos(at))
		}
		return true
	}
}
