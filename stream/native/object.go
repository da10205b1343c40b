package native

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"unicode/utf8"

	"parley/stream"
)

// maxSafe is the largest whole number every JSON implementation keeps exact.
const maxSafe = 1<<53 - 1

// Bounds on what one message can make of memory.
const (
	maxFields = 256
	maxItems  = 1000
)

// object reads the known fields of one JSON object by exact name. Absent and
// null fields are nil. The first wrong field is kept in fault, which nested
// objects share, so that a decoder can read all it wants and look once.
type object struct {
	path   string // of this object: "" or "input."
	fields map[string]json.RawMessage
	fault  *fault
}

type fault struct{ err *stream.Error }

// parseObject reads text as one JSON object with unique names and nothing after it.
func parseObject(text []byte) (map[string]json.RawMessage, error) {
	dec := json.NewDecoder(bytes.NewReader(text))
	tok, err := dec.Token()
	if err != nil {
		return nil, syntax(err)
	}
	if tok != json.Delim('{') {
		return nil, fmt.Errorf("want a JSON object, got %s", kindOf(bytes.TrimLeft(text, " \t\r\n")))
	}
	fields := make(map[string]json.RawMessage)
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return nil, syntax(err)
		}
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return nil, syntax(err)
		}
		name, _ := key.(string)
		if _, dup := fields[name]; dup {
			return nil, fmt.Errorf("field %q appears twice", clip(name))
		}
		if len(fields) == maxFields {
			return nil, fmt.Errorf("an object has more than %d fields", maxFields)
		}
		fields[name] = value
	}
	if _, err := dec.Token(); err != nil {
		return nil, syntax(err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows the JSON object")
	}
	return fields, nil
}

func syntax(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("not valid JSON: it ends too early")
	}
	return fmt.Errorf("not valid JSON: %w", err)
}

// wrong notes the first fault.
func (o object) wrong(name, format string, args ...any) {
	if o.fault.err != nil {
		return
	}
	param := o.path + name
	o.fault.err = &stream.Error{
		Code:    stream.BadRequest,
		Param:   param,
		Message: param + ": " + fmt.Sprintf(format, args...),
	}
}

func (o object) raw(name string) (json.RawMessage, bool) {
	v, ok := o.fields[name]
	return v, ok && !bytes.Equal(v, []byte("null"))
}

// nested returns the object called name; reading an absent one gives nothing.
func (o object) nested(name string) (object, bool) {
	sub := object{path: o.path + name + ".", fault: o.fault}
	v, ok := o.raw(name)
	if !ok {
		return sub, false
	}
	if kindOf(v) != "object" {
		o.wrong(name, "want an object, got %s", kindOf(v))
		return sub, false
	}
	fields, err := parseObject(v)
	if err != nil {
		o.wrong(name, "%v", err)
		return sub, false
	}
	sub.fields = fields
	return sub, true
}

// text is a string of any length.
func (o object) text(name string) *string {
	v, ok := o.raw(name)
	if !ok {
		return nil
	}
	var s string
	if kindOf(v) != "string" || json.Unmarshal(v, &s) != nil {
		o.wrong(name, "want a string, got %s", kindOf(v))
		return nil
	}
	return &s
}

// word is a string of at most limit characters: a name, not prose.
func (o object) word(name string, limit int) *string {
	s := o.text(name)
	if s == nil {
		return nil
	}
	if n := utf8.RuneCountInString(*s); n > limit {
		o.wrong(name, "%d characters, at most %d", n, limit)
		return nil
	}
	return s
}

func (o object) number(name string) *float64 {
	v, ok := o.raw(name)
	if !ok {
		return nil
	}
	f, err := strconv.ParseFloat(string(v), 64)
	if kindOf(v) != "number" {
		o.wrong(name, "want a number, got %s", kindOf(v))
		return nil
	}
	if err != nil {
		o.wrong(name, "%s is too large for a number", clip(string(v)))
		return nil
	}
	return &f
}

// whole is a whole number in [0, limit], however it is written.
func (o object) whole(name string, limit int64) *int64 {
	f := o.number(name)
	if f == nil {
		return nil
	}
	if *f != math.Trunc(*f) {
		o.wrong(name, "want a whole number, got %g", *f)
		return nil
	}
	if *f < 0 || *f > float64(limit) {
		o.wrong(name, "%g is outside 0 to %d", *f, limit)
		return nil
	}
	n := int64(*f)
	return &n
}

// integer is whole for fields that fit an int.
func (o object) integer(name string) *int {
	n := o.whole(name, math.MaxInt32)
	if n == nil {
		return nil
	}
	i := int(*n)
	return &i
}

func (o object) boolean(name string) *bool {
	v, ok := o.raw(name)
	if !ok {
		return nil
	}
	if kindOf(v) != "boolean" {
		o.wrong(name, "want true or false, got %s", kindOf(v))
		return nil
	}
	b := v[0] == 't'
	return &b
}

func (o object) texts(name string) *[]string {
	v, ok := o.raw(name)
	if !ok {
		return nil
	}
	if kindOf(v) != "array" {
		o.wrong(name, "want an array of strings, got %s", kindOf(v))
		return nil
	}
	var items []json.RawMessage
	if err := json.Unmarshal(v, &items); err != nil {
		o.wrong(name, "%v", err)
		return nil
	}
	if len(items) > maxItems {
		o.wrong(name, "%d entries, at most %d", len(items), maxItems)
		return nil
	}
	list := make([]string, len(items))
	for i, item := range items {
		if kindOf(item) != "string" || json.Unmarshal(item, &list[i]) != nil {
			o.wrong(fmt.Sprintf("%s[%d]", name, i), "want a string, got %s", kindOf(item))
			return nil
		}
	}
	return &list
}

// kindOf names the JSON type of a value by its first byte.
func kindOf(v []byte) string {
	if len(v) == 0 {
		return "nothing"
	}
	switch v[0] {
	case '{':
		return "object"
	case '[':
		return "array"
	case '"':
		return "string"
	case 't', 'f':
		return "boolean"
	case 'n':
		return "null"
	default:
		return "number"
	}
}

// clip shortens what a client sent to what may stand in a message.
func clip(s string) string {
	const most = 40
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most]) + "…"
}
