package material

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// Sentence makes one of the bundled model's domain: digits and household commands.
func Sentence(r *rand.Rand) string {
	one := func(list string) string {
		options := strings.Split(list, "|")
		return options[r.IntN(len(options))]
	}
	const (
		devices = "lights|light|lamp|fan|heater|radio|television|music|door|window|camera|alarm"
		rooms   = "kitchen|bedroom|bathroom|office|garage|hallway|garden|living room"
		days    = "Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday"
		months  = "January|February|March|April|May|June|July|August|September|October|November|December"
		cities  = "London|Paris|Berlin|Tokyo|Boston|Chicago|Madrid|Rome"
		names   = "Anna|John|Maria|David|Sarah|Tom|Alice|Peter"
		things  = "milk|bread|coffee|water|eggs|apples|tea|sugar"
	)
	forms := []func() string{
		func() string { return digits(r) },
		func() string { return fmt.Sprintf("turn %s the %s", one("on|off"), one(devices)) },
		func() string { return fmt.Sprintf("turn %s the %s in the %s", one("on|off"), one(devices), one(rooms)) },
		func() string {
			return fmt.Sprintf("set a timer for %s %s", number(1+r.IntN(60)), one("minutes|seconds|hours"))
		},
		func() string { return "what is the weather " + one("today|tomorrow|on "+one(days)+"|in "+one(cities)) },
		func() string { return "what time is it in " + one(cities) },
		func() string { return fmt.Sprintf("%s the %s", one("play|stop|pause"), one("music|radio|song|news")) },
		func() string { return fmt.Sprintf("%s the %s", one("open|close|lock"), one("door|window|garage")) },
		func() string { return fmt.Sprintf("call %s %s", one(names), one("at home|at the office|now|please")) },
		func() string { return "send a message to " + one(names) },
		func() string { return fmt.Sprintf("add %s and %s to the shopping list", one(things), one(things)) },
		func() string { return fmt.Sprintf("remind me to call %s on %s", one(names), one(days)) },
		func() string {
			return fmt.Sprintf("make the %s %s", one("light|lights|lamp"), one("red|green|blue|white|yellow|orange|purple"))
		},
		func() string { return fmt.Sprintf("today is %s %s %s", one(days), one(months), number(1+r.IntN(31))) },
		func() string {
			return one("good morning|good evening|thank you|yes please|no thank you|help me please")
		},
	}
	return forms[r.IntN(len(forms))]()
}

var (
	small = strings.Fields("zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen")
	tens  = strings.Fields("twenty thirty forty fifty sixty seventy eighty ninety")
)

// number writes 0 to 99 in words.
func number(n int) string {
	switch {
	case n < 20:
		return small[n]
	case n%10 == 0:
		return tens[n/10-2]
	}
	return tens[n/10-2] + " " + small[n%10]
}

func digits(r *rand.Rand) string {
	words := make([]string, 3+r.IntN(5))
	for i := range words {
		words[i] = small[r.IntN(10)]
	}
	return strings.Join(words, " ")
}
