// Package models knows the official model files of whisper.cpp: what they are
// called, where they come from, what they must hash to; it downloads, checks and
// finds them in a directory, and reads a model file's header before native code
// does. It loads no model.
package models

import "strings"

// Base is where the files are published, pinned to one revision.
const Base = "https://huggingface.co/ggerganov/whisper.cpp/resolve/5359861c739e955e79d9a303bcbc70fb988958b1"

// Model is one published file.
type Model struct {
	Name        string // such as "base.en"
	Size        int64  // bytes; 0 where it was not published
	SHA256      string // of the file, in hex
	Licence     string // SPDX
	Languages   int    // 1 is English only
	Description string
	rank        int // by quality, the higher the better
}

// English says whether the model knows English only.
func (m Model) English() bool { return m.Languages == 1 }

// File is the model's file name.
func (m Model) File() string { return "ggml-" + m.Name + ".bin" }

// URL is where the file is under a base such as Base.
func (m Model) URL(base string) string { return strings.TrimRight(base, "/") + "/" + m.File() }

// All lists the models from the smallest to the largest.
func All() []Model { return append([]Model(nil), all...) }

// Find returns the model of a name.
func Find(name string) (Model, bool) {
	for _, m := range all {
		if m.Name == name {
			return m, true
		}
	}
	return Model{}, false
}

var all = registry(`
tiny                  77691713 be07e048e1e599ad46341c8d2a135645097a538221678b7acdd1b1919c6e1b21 10 fastest, rough
tiny-q5_1                    0 818710568da3ca15689e31a743197b520007872ff9576237bda97bd1b469c3d7  9 fastest, rough, 5-bit weights
tiny.en                      0 921e4cf8686fdd993dcd081a5da5b6c365bfde1162e72b08d75ac75289920b1f 12 fastest, rough
tiny.en-q5_1                 0 c77c5766f1cef09b6b7d47f21b546cbddd4157886b3b5d6d4f709e91e66c7c2b 11 fastest, rough, 5-bit weights
base                 147951465 60ed5bc3dd14eea856493d334349b405782ddcaf0028d4b5df4088345fba2efe 20 fast, fair
base-q5_1                    0 422f1ae452ade6f30a004d7e5c6a43195e4433bc370bf23fac9cc591f01a8898 19 fast, fair, 5-bit weights
base.en              147964211 a03779c86df3323075f5e796cb2ce5029f00ec8869eee3fdfb897afe36c6d002 22 fast, fair
small                487601967 1be3a9b2063867b937e64e2ec7483364a79917e157fa98c5d94b5c1fffea987b 30 good; slow without a graphics card
small-q5_1                   0 ae85e4a935d7a567bd102fe55afc16bb595bdb618e11b2fc7591bc08120411bb 29 good, 5-bit weights
small.en             487614201 c6138d6d58ecc8322097e0f987c32f1be8bb0a18532a3f88f734d1bbf9c41e5d 32 good; slow without a graphics card
medium                       0 6c14d5adee5f86394037b4e4e8b59f1673b6cee10e3cf0b11bbdbee79c156208 40 very good; wants a graphics card
medium-q5_0                  0 19fea4b380c3a618ec4723c3eef2eb785ffba0d0538cf43f8f235e7b3b34220f 39 very good, 5-bit weights
medium.en                    0 cc37e93478338ec7700281a7ac30a10128929eb8f427dda2e865faa8f6da4356 42 very good; wants a graphics card
large-v3            3095033483 64d182b440b98d5203c4f9bd541544d84c605196c4f7b845dfa11fb23594d1e2 60 best; wants a graphics card
large-v3-q5_0       1081140203 d75795ecff3f83b5faa89d1900604ad8c780abd5739fae406de19f23ecd98ad1 59 best, 5-bit weights
large-v3-turbo      1624555275 1fc70f774d38eb169993ac391eea357ef47c88757ef72ee5943879b7e8e2bc69 58 nearly the best and far faster; wants a graphics card
large-v3-turbo-q5_0  574041195 394221709cd5ad1f40c46e6031ca61bce88931e6e088c188294c6d5a55ffa7e2 56 nearly the best, 5-bit weights
large-v3-turbo-q8_0  874188075 317eb69c11673c9de1e1f0d459b253999804ec71ac4c23c17ecf5fbe24e259a1 57 nearly the best, 8-bit weights
`)
