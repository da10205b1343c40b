package material

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"parley/codec"
	"parley/codec/formats"
)

// maxFile bounds a recording, in bytes: about an hour of 16-bit mono.
const maxFile = 128 << 20

// Load reads recordings in any format sessions take, or all those of a folder.
// What is said in FILE.wav stands in FILE.txt beside it, or in FILE.wav.txt;
// without either there is no word error rate for it.
func Load(files []string) (clips []Clip, err error) {
	names, err := expand(files)
	if err != nil {
		return nil, fmt.Errorf("--files: %w", err)
	}
	for _, name := range names {
		pcm, err := decode(name)
		if err != nil {
			return nil, fmt.Errorf("--files: %s: %w", name, err)
		}
		text, err := sidecar(name)
		if err != nil {
			return nil, fmt.Errorf("--files: %w", err)
		}
		clip, err := NewClip(filepath.Base(name), text, pcm)
		if err != nil {
			return nil, fmt.Errorf("--files: %s: %w", name, err)
		}
		clips = append(clips, clip)
	}
	return clips, nil
}

// expand lists the recordings in folders by their names.
func expand(files []string) (names []string, err error) {
	for _, name := range files {
		info, err := os.Stat(name)
		if err != nil || !info.IsDir() {
			names = append(names, name) // what is not there is told when it is read
			continue
		}
		entries, err := os.ReadDir(name)
		if err != nil {
			return nil, err
		}
		before := len(names)
		for _, e := range entries {
			switch strings.ToLower(filepath.Ext(e.Name())) {
			case ".wav", ".ogg", ".opus", ".webm":
				names = append(names, filepath.Join(name, e.Name()))
			}
		}
		if len(names) == before {
			return nil, fmt.Errorf("%s: there are no recordings in it", name)
		}
	}
	return names, nil
}

func decode(name string) ([]float32, error) {
	info, err := os.Stat(name)
	switch {
	case err != nil:
		return nil, errors.Unwrap(err)
	case info.Size() > maxFile:
		return nil, fmt.Errorf("it has %d bytes, more than %d", info.Size(), maxFile)
	}
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, errors.Unwrap(err)
	}
	dec, err := formats.NewDecoder(codec.Format{Encoding: codec.Auto}, codec.SpeechRate)
	if err != nil {
		return nil, err
	}
	pcm, err := dec.Decode(nil, b)
	if err != nil {
		return nil, err
	}
	return dec.Flush(pcm)
}

func sidecar(name string) (string, error) {
	for _, path := range []string{strings.TrimSuffix(name, filepath.Ext(name)) + ".txt", name + ".txt"} {
		text, err := os.ReadFile(path)
		if err == nil {
			return strings.TrimSpace(string(text)), nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
	}
	return "", nil
}
