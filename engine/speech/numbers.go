package speech

import (
	"strconv"
	"strings"
)

var (
	units = strings.Fields(`zero one two three four five six seven eight nine ten eleven twelve thirteen
		fourteen fifteen sixteen seventeen eighteen nineteen`)
	tens   = strings.Fields("zero ten twenty thirty forty fifty sixty seventy eighty ninety")
	powers = []struct {
		n    uint64
		name string
	}{
		{1e18, "quintillion"}, {1e15, "quadrillion"}, {1e12, "trillion"}, {1e9, "billion"}, {1e6, "million"}, {1e3, "thousand"},
	}
	irregularOrdinals = map[string]string{
		"one": "first", "two": "second", "three": "third", "five": "fifth", "eight": "eighth", "nine": "ninth", "twelve": "twelfth",
	}
)

// maxDigits is the longest number read as one; longer ones are read digit by
// digit, as are those with leading zeros.
const maxDigits = 15

// cardinal says n in American English: "one hundred twenty three".
func cardinal(n uint64) string {
	var words []string
	for _, p := range powers {
		if n >= p.n {
			words = append(words, cardinal(n/p.n), p.name)
			n %= p.n
		}
	}
	if n >= 100 {
		words = append(words, units[n/100], "hundred")
		n %= 100
	}
	switch {
	case n >= 20:
		words = append(words, tens[n/10])
		if n%10 > 0 {
			words = append(words, units[n%10])
		}
	case n > 0 || len(words) == 0:
		words = append(words, units[n])
	}
	return strings.Join(words, " ")
}

// ordinal says n as a rank: "twenty first".
func ordinal(n uint64) string {
	head, last := "", cardinal(n)
	if i := strings.LastIndexByte(last, ' '); i >= 0 {
		head, last = last[:i+1], last[i+1:]
	}
	switch {
	case irregularOrdinals[last] != "":
		last = irregularOrdinals[last]
	case strings.HasSuffix(last, "y"):
		last = strings.TrimSuffix(last, "y") + "ieth"
	default:
		last += "th"
	}
	return head + last
}

// year says a four-digit year: "nineteen eighty four", "two thousand five".
func year(n uint64) string {
	century, rest := n/100, n%100
	switch {
	case n < 1000 || n > 9999 || n%1000 < 10:
		return cardinal(n)
	case rest == 0:
		return cardinal(century) + " hundred"
	case rest < 10:
		return cardinal(century) + " oh " + cardinal(rest)
	}
	return cardinal(century) + " " + cardinal(rest)
}

// digits says each digit of s; other characters are left out.
func digits(s string) string {
	var words []string
	for i := range len(s) {
		if s[i] >= '0' && s[i] <= '9' {
			words = append(words, units[s[i]-'0'])
		}
	}
	return strings.Join(words, " ")
}

// integer says a whole number written with or without commas.
func integer(s string) string {
	s = strings.ReplaceAll(s, ",", "")
	if len(s) > maxDigits || (len(s) > 1 && s[0] == '0') {
		return digits(s)
	}
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil {
		return digits(s)
	}
	return cardinal(n)
}

// number says whole, and fraction digit by digit where it is not empty.
func number(whole, fraction string) string {
	said := integer(whole)
	if whole == "" {
		said = "zero"
	}
	if fraction != "" {
		said += " point " + digits(fraction)
	}
	return said
}

// fraction says n/d: "three quarters".
func fraction(n, d uint64) string {
	part := ordinal(d)
	switch d {
	case 2:
		part = "half"
	case 4:
		part = "quarter"
	}
	if n == 1 {
		return "one " + part
	}
	if d == 2 {
		return cardinal(n) + " halves"
	}
	return cardinal(n) + " " + part + "s"
}

// plural says name after a count: "one dollar", "two dollars".
func plural(said, one, many string) string {
	if said == "one" {
		return said + " " + one
	}
	return said + " " + many
}
