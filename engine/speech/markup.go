package speech

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// anyLanguage are the rules that need no knowledge of a language.
var anyLanguage = rules{sound, link, tag, listMarker, scheme, markupSign}

var (
	// sounds that some engines can make; the others leave them out.
	soundTag = regexp.MustCompile(`^[\[*(](?i:(?:clear(?:s|ing)? )?throat|sigh|shush|cough|groan|sniff|gasp|chuckle|laugh|giggle|` +
		`whisper|breath|inhale|exhale|pause|music|applause|yawn|hum|cry|sob)(?i:s|es|ed|ing|ter)?[\])*]`)
	linkTag   = regexp.MustCompile(`^!?\[([^\[\]\n]{1,200})\]\([^()\s]{1,200}\)`)
	angleTag  = regexp.MustCompile(`^<(?:!--|[/?!]?[A-Za-z])[^<>]{0,300}>`)
	list      = regexp.MustCompile(`^(?:[-*+•]|#{1,6}|>)\s+`)
	schemeTag = regexp.MustCompile(`^(?i:https?|ftp|mailto):(?://)?`)
	entity    = regexp.MustCompile(`^&(?:amp|lt|gt|quot|apos|nbsp|#\d{1,6});`)
)

func sound(n *normalizer) bool {
	if r := n.at(0); r != '[' && r != '*' && r != '(' {
		return false
	}
	m := soundTag.FindString(n.rest())
	if m == "" || !strings.Contains("[]()**", m[:1]+m[len(m)-1:]) {
		return false
	}
	return n.drop(len(m))
}

// link says the text of a Markdown link and leaves out its address.
func link(n *normalizer) bool {
	if r := n.at(0); r != '[' && r != '!' {
		return false
	}
	m := linkTag.FindStringSubmatch(n.rest())
	if m == nil {
		return false
	}
	all, text := utf8.RuneCountInString(m[0]), utf8.RuneCountInString(m[1])
	open := strings.IndexByte(m[0], '[') + 1
	n.skipAt, n.skipTo = n.pos+open+text, n.pos+all
	return n.drop(open)
}

func tag(n *normalizer) bool {
	switch n.at(0) {
	case '<':
		if m := angleTag.FindString(n.rest()); m != "" {
			return n.drop(utf8.RuneCountInString(m))
		}
	case '&':
		if m := entity.FindString(n.rest()); m != "" {
			return n.drop(len(m))
		}
	}
	return false
}

func listMarker(n *normalizer) bool {
	if !strings.ContainsRune("-*+•#>", n.at(0)) || !n.lineStart() {
		return false
	}
	m := list.FindString(n.rest())
	return m != "" && n.drop(utf8.RuneCountInString(strings.TrimRight(m, "\n")))
}

func scheme(n *normalizer) bool {
	if !n.starts() || !strings.ContainsRune("hfmHFM", n.at(0)) {
		return false
	}
	m := schemeTag.FindString(n.rest())
	return m != "" && n.drop(len(m))
}

// markupSign leaves out signs that are seen but not said.
func markupSign(n *normalizer) bool {
	r := n.at(0)
	switch {
	case strings.ContainsRune("*_`#|^\\{}[]~<>•™®©\u00ad\ufeff\u200b\u2060\ufe0f\ufe0e", r):
	case unicode.IsSpace(r):
		return false
	case unicode.IsControl(r), r == utf8.RuneError, unicode.Is(unicode.So, r) && r != '°',
		unicode.Is(unicode.Sk, r), unicode.Is(unicode.Co, r):
	case r == zeroWidthJoiner && !unicode.IsLetter(n.at(-1)) && !unicode.IsMark(n.at(-1)):
	default:
		return false
	}
	return n.drop(1)
}
