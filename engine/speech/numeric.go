package speech

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// numericRules read what begins with a digit, a currency sign or a sign.
// Each gets the groups of its pattern and answers "" where it does not apply.
var numericRules = []struct {
	pattern *regexp.Regexp
	say     func(m []string, n *normalizer) string
}{
	{regexp.MustCompile(`^(\d{4})-(\d{2})-(\d{2})`), isoDate},
	{regexp.MustCompile(`^(\d{1,2})/(\d{1,2})/(\d{4})`), slashDate},
	{regexp.MustCompile(`^(\d{1,2}):([0-5]\d)(?::([0-5]\d))?(?:\s?([AaPp])(?:\.[Mm]\.|[Mm]\b))?`), clock},
	{regexp.MustCompile(`^(\d{1,2})()()\s?([AaPp])(?:\.[Mm]\.|[Mm]\b)`), clock},
	{regexp.MustCompile(`^([$€£¥₹])\s?` + num + `(?:\s?(thousand|million|billion|trillion|bn|[KkMBT])\b)?`), money},
	{regexp.MustCompile(`^()` + num + `()\s?(€|£|USD\b|EUR\b|GBP\b)`), money},
	{regexp.MustCompile(`^\d{1,3}(?:\.\d{1,3}){2,4}`), version},
	{regexp.MustCompile(`^(\d[\d,]*)(?:st|nd|rd|th)\b`), rank},
	{regexp.MustCompile(`^(\d{1,2}|\d{3})0s\b`), decade},
	{regexp.MustCompile(`^(\d{1,3})/(\d{1,3})\b`), ratio},
	{regexp.MustCompile(`^(\d{1,4})\s?[-–]\s?(\d{1,4})\b`), interval},
	{regexp.MustCompile(`^` + num + `[\s-]?(` + unitPattern() + `)`), quantity},
	{regexp.MustCompile(`^` + num), plain},
}

// num matches a number, its whole part and its fraction.
const num = `(\d{1,3}(?:,\d{3})+|\d+)(?:\.(\d+))?`

func numeric(n *normalizer) bool {
	r := n.at(0)
	digit := r >= '0' && r <= '9'
	if !n.starts() || !(digit || strings.ContainsRune("$€£¥₹-−+.#", r)) {
		return false
	}
	next := n.at(1)
	signed := n.pos == 0 || unicode.IsSpace(n.at(-1)) || n.at(-1) == '('
	switch {
	case r == '.' && signed && isDigit(next):
		m := regexpFraction.FindStringSubmatch(n.rest())
		return n.say(number("", m[1]), len(m[0]))
	case r == '#' && isDigit(next):
		return n.say("number", 1)
	case (r == '-' || r == '−') && signed && (isDigit(next) || strings.ContainsRune("$€£¥₹.", next) && isDigit(n.at(2))):
		return n.say("minus", 1)
	case r == '+' && signed && isDigit(next):
		return n.say("plus", 1)
	}
	rest := n.rest()
	for _, rule := range numericRules {
		m := rule.pattern.FindStringSubmatch(rest)
		if m == nil {
			continue
		}
		if words := rule.say(m, n); words != "" {
			return n.say(words, utf8.RuneCountInString(m[0]))
		}
	}
	return false
}

var regexpFraction = regexp.MustCompile(`^\.(\d{1,40})`)

func isDigit(r rune) bool { return r >= '0' && r <= '9' }

// follows reports what comes after the match.
func follows(m []string, n *normalizer) rune { return n.at(utf8.RuneCountInString(m[0])) }

func atoi(s string) uint64 {
	v, _ := strconv.ParseUint(strings.ReplaceAll(s, ",", ""), 10, 64)
	return v
}

var months = strings.Fields("January February March April May June July August September October November December")

// monthNamed completes an abbreviated month.
func monthNamed(s string) string {
	return months[slices.IndexFunc(months, func(m string) bool { return m[:3] == s[:3] })]
}

func date(y, m, d uint64) string {
	if m < 1 || m > 12 || d < 1 || d > 31 {
		return ""
	}
	return months[m-1] + " " + ordinal(d) + ", " + year(y)
}

func isoDate(m []string, n *normalizer) string {
	if isDigit(follows(m, n)) {
		return ""
	}
	return date(atoi(m[1]), atoi(m[2]), atoi(m[3]))
}

func slashDate(m []string, n *normalizer) string {
	month, day := atoi(m[1]), atoi(m[2])
	if isDigit(follows(m, n)) {
		return ""
	}
	if (n.dayFirst || month > 12) && day <= 12 {
		month, day = day, month
	}
	return date(atoi(m[3]), month, day)
}

// clock says hour, minute, second and half of the day, each perhaps "".
func clock(m []string, n *normalizer) string {
	h, min := atoi(m[1]), atoi(m[2])
	if h > 24 || isDigit(follows(m, n)) || follows(m, n) == ':' {
		return ""
	}
	words := cardinal(h)
	switch {
	case m[3] != "" && min == 0:
		words += " hundred"
	case m[2] == "" || min == 0 && m[4] != "":
	case min == 0:
		words += " o'clock"
	case min < 10:
		words += " oh " + cardinal(min)
	default:
		words += " " + cardinal(min)
	}
	if m[3] != "" {
		words += " and " + plural(cardinal(atoi(m[3])), "second", "seconds")
	}
	if m[4] != "" {
		words += " " + strings.ToLower(m[4]) + ".m."
	}
	return words
}

var currencies = map[string][4]string{
	"$": {"dollar", "dollars", "cent", "cents"}, "€": {"euro", "euros", "cent", "cents"}, "£": {"pound", "pounds", "penny", "pence"},
	"¥": {"yen", "yen", "sen", "sen"}, "₹": {"rupee", "rupees", "paisa", "paise"},
}

var scales = map[string]string{"k": "thousand", "m": "million", "b": "billion", "bn": "billion", "t": "trillion"}

// money has the groups currency, whole, fraction, scale, currency.
func money(m []string, n *normalizer) string {
	name := m[1]
	if len(m) > 5 {
		name = map[string]string{"USD": "$", "EUR": "€", "GBP": "£"}[m[5]]
		if name == "" {
			name = m[5]
		}
	}
	c := currencies[name]
	whole, cents := m[2], m[3]
	switch {
	case m[4] != "":
		scale := strings.ToLower(m[4])
		if scales[scale] != "" {
			scale = scales[scale]
		}
		return number(whole, cents) + " " + scale + " " + c[1]
	case len(cents) == 2 && atoi(cents) == 0, cents == "":
		return plural(integer(whole), c[0], c[1])
	case len(cents) != 2:
		return number(whole, cents) + " " + c[1]
	case atoi(whole) == 0:
		return plural(cardinal(atoi(cents)), c[2], c[3])
	}
	return plural(integer(whole), c[0], c[1]) + " and " + plural(cardinal(atoi(cents)), c[2], c[3])
}

func version(m []string, n *normalizer) string {
	if wordRune(follows(m, n)) {
		return ""
	}
	parts := strings.Split(m[0], ".")
	between := " point "
	if len(parts) > 3 {
		between = " dot "
	}
	for i, p := range parts {
		parts[i] = integer(p)
	}
	return strings.Join(parts, between)
}

func rank(m []string, _ *normalizer) string {
	if len(m[1]) > maxDigits || strings.HasSuffix(m[1], ",") {
		return ""
	}
	return ordinal(atoi(m[1]))
}

func decade(m []string, _ *normalizer) string {
	v := atoi(m[1]) * 10
	if v != 0 && v < 20 || v > 90 && v < 1000 {
		return ""
	}
	said := year(v)
	if strings.HasSuffix(said, "y") {
		return strings.TrimSuffix(said, "y") + "ies"
	}
	return said + "s"
}

func ratio(m []string, n *normalizer) string {
	a, b := atoi(m[1]), atoi(m[2])
	switch after := follows(m, n); {
	case after == '/' && isDigit(n.at(utf8.RuneCountInString(m[0])+1)):
		return ""
	case a == 24 && b == 7:
		return "twenty four seven"
	case a > 0 && a < b && b <= 10:
		return fraction(a, b)
	}
	return cardinal(a) + " slash " + cardinal(b)
}

func interval(m []string, n *normalizer) string {
	a, b := atoi(m[1]), atoi(m[2])
	if after := follows(m, n); a >= b || n.at(-1) == '-' || m[1][0] == '0' || m[2][0] == '0' || after == '-' || after == '.' && isDigit(n.at(utf8.RuneCountInString(m[0])+1)) {
		return ""
	}
	return plainNumber(m[1], "") + " to " + plainNumber(m[2], "")
}

// plainNumber says a number that stands alone: four digits may be a year.
func plainNumber(whole, fraction string) string {
	if v := atoi(whole); len(whole) == 4 && fraction == "" && v >= 1100 && v < 2100 {
		return year(v)
	}
	return number(whole, fraction)
}

func plain(m []string, _ *normalizer) string { return plainNumber(m[1], m[2]) }

var unitNames = map[string][2]string{
	"%": {"percent", "percent"}, "°C": {"degree Celsius", "degrees Celsius"}, "°F": {"degree Fahrenheit", "degrees Fahrenheit"}, "°": {"degree", "degrees"},
	"km": {"kilometer", "kilometers"}, "m": {"meter", "meters"}, "cm": {"centimeter", "centimeters"}, "mm": {"millimeter", "millimeters"},
	"kg": {"kilogram", "kilograms"}, "g": {"gram", "grams"}, "mg": {"milligram", "milligrams"}, "l": {"liter", "liters"}, "L": {"liter", "liters"},
	"ml": {"milliliter", "milliliters"}, "km/h": {"kilometer per hour", "kilometers per hour"}, "m/s": {"meter per second", "meters per second"},
	"mph": {"mile per hour", "miles per hour"}, "mi": {"mile", "miles"}, "ft": {"foot", "feet"}, "lb": {"pound", "pounds"}, "lbs": {"pound", "pounds"},
	"oz": {"ounce", "ounces"}, "kB": {"kilobyte", "kilobytes"}, "KB": {"kilobyte", "kilobytes"}, "MB": {"megabyte", "megabytes"},
	"GB": {"gigabyte", "gigabytes"}, "TB": {"terabyte", "terabytes"}, "Hz": {"hertz", "hertz"}, "kHz": {"kilohertz", "kilohertz"},
	"MHz": {"megahertz", "megahertz"}, "GHz": {"gigahertz", "gigahertz"}, "W": {"watt", "watts"}, "kW": {"kilowatt", "kilowatts"},
	"V": {"volt", "volts"}, "ms": {"millisecond", "milliseconds"}, "s": {"second", "seconds"}, "sec": {"second", "seconds"},
	"min": {"minute", "minutes"}, "h": {"hour", "hours"}, "hr": {"hour", "hours"}, "hrs": {"hour", "hours"}, "x": {"times", "times"},
	"dB": {"decibel", "decibels"}, "fps": {"frame per second", "frames per second"},
}

// unitPattern matches any unit, the longest first.
func unitPattern() string {
	var names []string
	for name := range unitNames {
		names = append(names, regexp.QuoteMeta(name))
	}
	slices.SortFunc(names, func(a, b string) int {
		if len(a) != len(b) {
			return len(b) - len(a)
		}
		return strings.Compare(a, b)
	})
	return strings.Join(names, "|")
}

func quantity(m []string, n *normalizer) string {
	unit := unitNames[m[3]]
	if after := follows(m, n); wordRune(after) && m[3] != "%" || after == '/' {
		return ""
	}
	return plural(number(m[1], m[2]), unit[0], unit[1])
}

var phoneNumber = regexp.MustCompile(`^(?:\+\d{1,3}[ -])?(?:\(\d{3}\) ?|\d{3}[- ])?\d{3}-\d{4}\b`)

// phone says telephone numbers as they are written in North America.
func phone(n *normalizer) bool {
	if r := n.at(0); !n.starts() || !(isDigit(r) || r == '(' || r == '+') {
		return false
	}
	m := phoneNumber.FindString(n.rest())
	if m == "" || n.at(len(m)) == '-' {
		return false
	}
	groups := strings.FieldsFunc(m, func(r rune) bool { return !isDigit(r) })
	for i, g := range groups {
		groups[i] = digits(g)
	}
	return n.say(strings.Join(groups, ", "), len(m))
}
