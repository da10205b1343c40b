package measure

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Sample is one value of a metric.
type Sample struct {
	Labels map[string]string
	Value  float64
}

// Metrics are what a server counts, by name.
type Metrics map[string][]Sample

// maxMetrics bounds what is read, in bytes.
const maxMetrics = 16 << 20

// ParseMetrics reads Prometheus' text format (version 0.0.4): comments are
// skipped, timestamps ignored.
func ParseMetrics(r io.Reader) (Metrics, error) {
	m := Metrics{}
	lines := bufio.NewScanner(io.LimitReader(r, maxMetrics))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		name, s, err := parseSample(line)
		if err != nil {
			return nil, fmt.Errorf("metrics: %w", err)
		}
		m[name] = append(m[name], s)
	}
	return m, lines.Err()
}

func parseSample(line string) (name string, s Sample, err error) {
	end := strings.IndexAny(line, "{ \t")
	if end <= 0 {
		return "", s, fmt.Errorf("%.60q has no value", line)
	}
	name, rest := line[:end], line[end:]
	if rest[0] == '{' {
		if s.Labels, rest, err = parseLabels(rest[1:]); err != nil {
			return "", s, err
		}
	}
	fields := strings.Fields(rest)
	if len(fields) == 0 {
		return "", s, fmt.Errorf("%.60q has no value", line)
	}
	if s.Value, err = strconv.ParseFloat(fields[0], 64); err != nil {
		return "", s, fmt.Errorf("%.60q has no number", line)
	}
	return name, s, nil
}

// parseLabels reads up to the closing brace and returns what follows it.
func parseLabels(text string) (labels map[string]string, rest string, err error) {
	labels = map[string]string{}
	for {
		text = strings.TrimLeft(text, ", \t")
		if after, ok := strings.CutPrefix(text, "}"); ok {
			return labels, after, nil
		}
		name, after, ok := strings.Cut(text, "=")
		after = strings.TrimLeft(after, " \t")
		if !ok || !strings.HasPrefix(after, `"`) {
			return nil, "", fmt.Errorf("%.60q is no label", text)
		}
		value, after, ok := quoted(after[1:])
		if !ok {
			return nil, "", fmt.Errorf("%.60q does not end", text)
		}
		labels[strings.TrimSpace(name)], text = value, after
	}
}

// quoted reads up to the closing quote.
func quoted(text string) (value, rest string, ok bool) {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '"':
			return b.String(), text[i+1:], true
		case c == '\\' && i+1 < len(text):
			i++
			if text[i] == 'n' {
				b.WriteByte('\n')
			} else {
				b.WriteByte(text[i])
			}
		default:
			b.WriteByte(c)
		}
	}
	return "", "", false
}

// Has says whether there is a metric.
func (m Metrics) Has(name string) bool { return len(m[name]) > 0 }

// Sum of the samples whose labels have these values: each of want is "label=a|b".
func (m Metrics) Sum(name string, want ...string) (total float64) {
	for _, s := range m[name] {
		if s.is(want) {
			total += s.Value
		}
	}
	return total
}

func (s Sample) is(want []string) bool {
	for _, w := range want {
		label, values, _ := strings.Cut(w, "=")
		found := false
		for v := range strings.SplitSeq(values, "|") {
			found = found || s.Labels[label] == v
		}
		if !found {
			return false
		}
	}
	return true
}
