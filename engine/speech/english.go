package speech

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// english are the rules for English, most telling first.
var english = rules{sound, link, tag, listMarker, address, phone, numeric, abbreviation, sign, markupSign}

var (
	email  = regexp.MustCompile(`^[A-Za-z0-9][\w.+-]{0,63}@[A-Za-z0-9][\w-]{0,62}(?:\.[\w-]{1,63}){1,4}`)
	url    = regexp.MustCompile(`^(?i:(?:https?|ftp)://|www\.)[^\s<>"]{1,300}`)
	domain = regexp.MustCompile(`^(?:[A-Za-z0-9][A-Za-z0-9-]{0,62}\.){1,4}(?:com|org|net|io|dev|edu|gov|ai|app|co\.uk|de|eu|uk|fr)\b(?:/[^\s<>"]{0,200})?`)
)

// address says e-mail addresses and those of pages without what a listener
// has no use for: the scheme, the query and the fragment.
func address(n *normalizer) bool {
	if r := n.at(0); !n.starts() || n.at(-1) == '@' || r > unicode.MaxASCII || !wordRune(r) {
		return false
	}
	rest := n.rest()
	for _, re := range []*regexp.Regexp{email, url, domain} {
		m := strings.TrimRight(re.FindString(rest), `.,;:!?)]}'*_`)
		if m == "" {
			continue
		}
		said := m
		if i := strings.Index(said, "://"); i >= 0 {
			said = said[i+3:]
		}
		said, _, _ = strings.Cut(said, "?")
		said, _, _ = strings.Cut(said, "#")
		return n.say(spell(strings.TrimSuffix(said, "/")), utf8.RuneCountInString(m))
	}
	return false
}

var addressSigns = map[rune]string{
	'.': "dot", '/': "slash", '-': "dash", '_': "underscore", '@': "at", ':': "colon", '+': "plus", '~': "tilde", '=': "equals",
}

// spell says the signs of an address between its words.
func spell(s string) string {
	var words []string
	start := 0
	for i, r := range s {
		if wordRune(r) {
			continue
		}
		words = append(words, s[start:i], addressSigns[r])
		start = i + utf8.RuneLen(r)
	}
	return strings.Join(strings.Fields(strings.Join(append(words, s[min(start, len(s)):]), " ")), " ")
}

var (
	shortWord = regexp.MustCompile(`^([A-Za-z]{1,6}(?:\.[A-Za-z]{1,2}){0,2})\.`)
	bareTitle = regexp.MustCompile(`^(Dr|Mr|Mrs|Ms|Prof)\s+[A-Z]`)
	monthDay  = regexp.MustCompile(`^(Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec|January|February|March|April|May|June|July|August|` +
		`September|October|November|December)\.?(\s)(\d{1,2})(?:st|nd|rd|th)?\b`)
	capital = regexp.MustCompile(`^\s+[A-Z]`)
	numeral = regexp.MustCompile(`^\s*\d`)
	// street is the text before "Dr." or "St." in an address: "12 Main".
	street = regexp.MustCompile(`(?:^|[\s,])(?:[A-Z][A-Za-z]*|\d{1,3}(?:st|nd|rd|th))\s+$`)
	house  = regexp.MustCompile(`\d\s+(?:[A-Z][A-Za-z]*\.?|\d{1,3}(?:st|nd|rd|th))\s+$`)

	// anywhere are said in full wherever they stand.
	anywhere = map[string]string{
		"mr": "Mister", "mrs": "Missus", "ms": "Miz", "vs": "versus", "e.g": "for example", "i.e": "that is", "etc": "et cetera",
		"approx": "approximately", "dept": "department",
	}
	// beforeNames are titles, said in full before a capital letter.
	beforeNames = map[string]string{
		"Prof": "Professor", "Gen": "General", "Col": "Colonel", "Capt": "Captain", "Lt": "Lieutenant", "Sgt": "Sergeant",
		"Rev": "Reverend", "Hon": "Honorable", "Sen": "Senator", "Rep": "Representative", "Gov": "Governor", "Pres": "President", "Mt": "Mount",
	}
	beforeNumbers = map[string]string{"no": "number", "nos": "numbers", "fig": "figure", "vol": "volume", "ext": "extension", "pp": "pages", "p": "page", "ch": "chapter"}
	afterNames    = map[string]string{
		"Inc": "Incorporated", "Ltd": "Limited", "Corp": "Corporation", "Co": "Company", "Jr": "Junior", "Sr": "Senior",
		"Ave": "Avenue", "Blvd": "Boulevard", "Rd": "Road", "Bros": "Brothers", "Hwy": "Highway",
	}
)

func abbreviation(n *normalizer) bool {
	if r := n.at(0); !n.starts() || r > unicode.MaxASCII || !unicode.IsLetter(r) || n.at(-1) == '.' {
		return false
	}
	rest := n.rest()
	if m := monthDay.FindStringSubmatch(rest); m != nil {
		if day := atoi(m[3]); day >= 1 && day <= 31 {
			return n.say(monthNamed(m[1])+" "+ordinal(day), len(m[0]))
		}
	}
	if m := bareTitle.FindStringSubmatch(rest); m != nil && m[1] == "Dr" {
		return n.say("Doctor", 2)
	} else if m != nil {
		return n.say(expand(m[1], "", rest[len(m[1]):]), len(m[1]))
	}
	m := shortWord.FindStringSubmatch(rest)
	if strings.HasPrefix(rest, "AM") && !wordRune(n.at(2)) {
		return n.say("A M", 2) // flite has no sound for it
	}
	if m == nil {
		return false
	}
	after := rest[len(m[0]):]
	words := expand(m[1], n.before(), after)
	if words == "" {
		return false
	}
	if strings.TrimRight(after, " \t\n"+closers) == "" {
		words += "." // it also ended the sentence
	}
	return n.say(words, len(m[0]))
}

// expand says the abbreviation word by what stands before and after it; "" where
// it is none.
func expand(word, before, after string) string {
	named := capital.MatchString(after)
	lower := strings.ToLower(word)
	switch {
	case lower == "dr" && named && !house.MatchString(before), lower == "dr" && !street.MatchString(before):
		return "Doctor"
	case lower == "dr":
		return "Drive"
	case word == "St" && named && !street.MatchString(before):
		return "Saint"
	case word == "St":
		return "Street"
	case anywhere[lower] != "":
		return anywhere[lower]
	case beforeNames[word] != "" && named:
		return beforeNames[word]
	case beforeNumbers[lower] != "" && numeral.MatchString(after):
		return beforeNumbers[lower]
	case afterNames[word] != "":
		return afterNames[word]
	}
	return ""
}

// sign says the signs that have names, where they stand for words.
func sign(n *normalizer) bool {
	before, after := n.at(-1), n.at(1)
	apart := unicode.IsSpace(before) && unicode.IsSpace(after)
	between := unicode.IsDigit(before) && unicode.IsDigit(after)
	switch r := n.at(0); r {
	case '&':
		return n.say("and", 1)
	case '@':
		return n.say("at", 1)
	case '%':
		return n.say("percent", 1)
	case '°':
		return n.say("degrees", 1)
	case '§':
		return n.say("section", 1)
	case '½', '¼', '¾':
		return n.say(map[rune]string{'½': "one half", '¼': "one quarter", '¾': "three quarters"}[r], 1)
	case '²', '³':
		return wordRune(before) && n.say(map[rune]string{'²': "squared", '³': "cubed"}[r], 1)
	case '×', '÷', '+', '=', '<', '>', '*':
		if !apart && !between {
			return (r == '+' || r == '=') && n.drop(1)
		}
		return n.say(map[rune]string{'×': "times", '÷': "divided by", '+': "plus", '=': "equals", '<': "less than",
			'>': "greater than", '*': "times"}[r], 1)
	case '~':
		return unicode.IsDigit(after) && n.say("about", 1)
	case '/':
		return unicode.IsLetter(before) && unicode.IsLetter(after) && n.drop(1)
	}
	return false
}
