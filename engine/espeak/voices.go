package espeak

import (
	"bufio"
	"bytes"
	"strings"

	"golang.org/x/text/language"

	"parley/engine"
)

// Rate of all voices in Hz.
const Rate = 22050

// parseVoices reads what espeak-ng prints for --voices: a header, then a line
// for each voice with priority, language, age and gender, name and file. Lines
// of another shape are left out, and so is a language's second voice: a
// language is the name by which the program is told which voice to use.
func parseVoices(list []byte) []engine.Voice {
	var voices []engine.Voice
	seen := map[string]bool{}
	for lines := bufio.NewScanner(bytes.NewReader(list)); lines.Scan(); {
		f := strings.Fields(lines.Text())
		if len(f) < 5 || f[0] == "Pty" || seen[f[1]] || !safeName(f[1]) {
			continue
		}
		seen[f[1]] = true
		voices = append(voices, engine.Voice{
			ID:       prefix + f[1],
			Name:     strings.TrimSpace(strings.ReplaceAll(f[3], "_", " ")) + " (espeak)",
			Language: tag(f[1]),
			Rate:     Rate,
		})
	}
	return voices
}

// safeName reports whether s is fit to be an argument: it cannot be taken for
// an option or a path.
func safeName(s string) bool {
	return !strings.HasPrefix(s, "-") && !strings.ContainsFunc(s, func(r rune) bool {
		return r != '-' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	})
}

// tag makes a language tag of the program's name for a language, without the
// parts that are not BCP 47.
func tag(name string) string {
	if t, _ := language.Parse(name); t != language.Und {
		return t.String()
	}
	base, _, _ := strings.Cut(name, "-")
	return base
}
