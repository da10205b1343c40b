package report

import (
	"encoding/csv"
	"encoding/json"
	"io"
	"math"
	"slices"
	"strconv"

	"parley/cmd/internal/measure"
)

// Values are figures by the names of their columns, NaN where not known.
type Values map[string]float64

// ValuesOf are all columns of a run.
func ValuesOf(f measure.Figures) Values {
	v := Values{}
	for _, c := range Columns() {
		v[c.Name] = c.Value(f)
	}
	return v
}

// MarshalJSON writes what is not known as null.
func (v Values) MarshalJSON() ([]byte, error) {
	plain := make(map[string]any, len(v))
	for name, x := range v {
		plain[name] = nil
		if !math.IsNaN(x) && !math.IsInf(x, 0) {
			plain[name] = x
		}
	}
	return json.Marshal(plain)
}

// Point is what one server did at one number of sessions: the medians of its
// rounds.
type Point struct {
	Server   string `json:"server"`
	Sessions int    `json:"sessions"`
	Values   Values `json:"values"`
}

// Points sums rows up, in the order of their first rounds.
func Points(rows []Row) (list []Point) {
	type key struct {
		server   string
		sessions int
	}
	of := map[key][]Values{}
	for _, r := range rows {
		k := key{r.Server, r.Figures.Sessions}
		if of[k] == nil {
			list = append(list, Point{Server: r.Server, Sessions: r.Figures.Sessions})
		}
		of[k] = append(of[k], ValuesOf(r.Figures))
	}
	for i, p := range list {
		list[i].Values = Values{}
		for _, c := range Columns() {
			var all []float64
			for _, v := range of[key{p.Server, p.Sessions}] {
				all = append(all, v[c.Name])
			}
			list[i].Values[c.Name] = measure.Median(all)
		}
	}
	return list
}

// Ratio is the second server's medians by the first one's.
type Ratio struct {
	Sessions int    `json:"sessions"`
	Values   Values `json:"values"`
}

// Ratios compares the points of two servers; other numbers of servers give none.
func Ratios(points []Point) (list []Ratio) {
	names := servers(points)
	if len(names) != 2 {
		return nil
	}
	for _, a := range points {
		i := slices.IndexFunc(points, func(b Point) bool { return b.Server == names[1] && b.Sessions == a.Sessions })
		if a.Server != names[0] || i < 0 {
			continue
		}
		r := Ratio{Sessions: a.Sessions, Values: Values{}}
		for name, v := range a.Values {
			r.Values[name] = by(points[i].Values[name], v)
		}
		list = append(list, r)
	}
	return list
}

// servers of the points in the order of their first appearance.
func servers(points []Point) (names []string) {
	for _, p := range points {
		if !slices.Contains(names, p.Server) {
			names = append(names, p.Server)
		}
	}
	return names
}

// CSV writes one line a run, with a header.
func CSV(w io.Writer, rows []Row) error {
	out := csv.NewWriter(w)
	header := []string{"server", "round"}
	for _, c := range Columns() {
		header = append(header, c.Name)
	}
	if err := out.Write(header); err != nil {
		return err
	}
	for _, r := range rows {
		line := []string{r.Server, strconv.Itoa(r.Round)}
		for _, c := range Columns() {
			line = append(line, number(c.Value(r.Figures)))
		}
		if err := out.Write(line); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// number is short and never in scientific notation; empty where not known.
func number(v float64) string {
	if math.IsNaN(v) {
		return ""
	}
	return strconv.FormatFloat(math.Round(v*1e4)/1e4, 'f', -1, 64)
}
