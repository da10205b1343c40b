package models

import (
	"fmt"
	"strings"
)

// registry reads a table of name, size, SHA-256, rank and description.
func registry(table string) []Model {
	var list []Model
	for line := range strings.Lines(table) {
		if strings.TrimSpace(line) == "" {
			continue
		}
		m := Model{Licence: "MIT", Languages: 99}
		if _, err := fmt.Sscan(line, &m.Name, &m.Size, &m.SHA256, &m.rank); err != nil {
			panic(fmt.Sprintf("models: line %q of the registry: %v", line, err))
		}
		if strings.Contains(m.Name, ".en") {
			m.Languages = 1
		}
		m.Description = strings.TrimSpace(line[strings.Index(line, m.SHA256)+len(m.SHA256)+3:])
		list = append(list, m)
	}
	return list
}
