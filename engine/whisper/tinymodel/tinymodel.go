// Package tinymodel says what the small model beside it is and understands. The
// file itself is not compiled in: it is loaded like any other. The scripts here
// made it; README.md is its card.
package tinymodel

// The bundled model.
const (
	Name     = "commands.en"
	FileName = "commands.en-q5_0.bin"
	SHA256   = "94feac9e0406c4fe43eb02b0f74a03e3e9dbf3f9ad12050bf3b5eafb8e704d96"
	Size     = 7639610 // bytes
	Language = "en"
)

// Understands and DoesNot are for people who meet this model instead of a real one.
const (
	Understands = "English digits and numbers to 99, and household commands: timers, alarms, lights and devices on or off " +
		"in rooms, weather, time, calls and messages to eight names, a shopping list, colours, days, months, greetings"
	DoesNot = "several commands in one breath, or anything else: other words come out as something from that list"
)

// Notice is one paragraph to show wherever this model is in use.
func Notice() string {
	return "The small built-in model is in use. It understands " + Understands + ". It does not understand " + DoesNot +
		". For real dictation get a real model: parley models pull base.en"
}
