package report

import (
	"encoding/xml"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
)

// curve is one line of a chart.
type curve struct {
	title, column string
	colour        string // from Okabe and Ito's palette, which the colour-blind can tell apart
	dashed        bool
	scale         float64 // what a value is multiplied by
}

var latencies = []curve{
	{"first text", "first_p50_ms", "#0072b2", false, 1e-3},
	{"first text", "first_p95_ms", "#0072b2", true, 1e-3},
	{"word stable", "commit_p50_ms", "#009e73", false, 1e-3},
	{"word stable", "commit_p95_ms", "#009e73", true, 1e-3},
	{"final", "final_p50_ms", "#d55e00", false, 1e-3},
	{"final", "final_p95_ms", "#d55e00", true, 1e-3},
}

var costs = []curve{{"cores used", "cpu_cores", "#444444", false, 1}}

// Sizes in pixels.
const (
	chartWidth, chartHeight = 380, 230
	marginLeft, marginTop   = 62, 92
	gapX, gapY              = 70, 74
)

// Plot draws latencies and cores used over the number of sessions as SVG: one
// column a server, on the same scales. The title stands above, what below it.
func Plot(w io.Writer, title, what string, points []Point) error {
	names := servers(points)
	width := marginLeft + max(len(names), 1)*(chartWidth+gapX)
	height := marginTop + 2*chartHeight + gapY + 80
	d := &drawing{}
	d.printf(`<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" font-family="system-ui, sans-serif" font-size="12" fill="#222">`,
		width, height, width, height)
	d.printf(`<rect width="100%%" height="100%%" fill="#fff"/>`)
	d.text(marginLeft, 26, "start", `font-size="15" font-weight="600"`, title)
	d.text(marginLeft, 46, "start", `font-size="11" fill="#555"`, what)
	waits, cores := logAxis(points, latencies), linearAxis(points, costs)
	for i, name := range names {
		var of []Point
		for _, p := range points {
			if p.Server == name {
				of = append(of, p)
			}
		}
		x := float64(marginLeft + i*(chartWidth+gapX))
		label := "waiting time in seconds"
		if name != "" {
			label = clipped(name) + ": " + label
		}
		d.chart(chart{x: x, y: marginTop, title: label, axis: waits, curves: latencies, points: of})
		d.chart(chart{x: x, y: marginTop + chartHeight + gapY, title: "cores used by the server", axis: cores, curves: costs, points: of})
	}
	d.legend(marginLeft, float64(height-14))
	d.printf("</svg>\n")
	_, err := io.WriteString(w, d.String())
	return err
}

// drawing collects SVG.
type drawing struct{ strings.Builder }

func (d *drawing) printf(format string, args ...any) { fmt.Fprintf(d, format, args...) }

func (d *drawing) text(x, y float64, anchor, more, text string) {
	d.printf(`<text x="%.1f" y="%.1f" text-anchor="%s" %s>`, x, y, anchor, more)
	_ = xml.EscapeText(d, []byte(text)) // a strings.Builder takes everything
	d.printf(`</text>`)
}

func (d *drawing) legend(x, y float64) {
	for _, c := range latencies {
		if c.dashed {
			continue
		}
		d.stroke([][2]float64{{x, y - 4}, {x + 22, y - 4}}, c)
		d.text(x+28, y, "start", "", c.title)
		x += 110
	}
	d.stroke([][2]float64{{x, y - 4}, {x + 22, y - 4}}, curve{colour: "#888888", dashed: true})
	d.text(x+28, y, "start", "", "p95")
}

// clipped keeps a long name from running into the next chart.
func clipped(name string) string {
	const most = 28
	if runes := []rune(name); len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return name
}

func (d *drawing) stroke(line [][2]float64, c curve) {
	var points []string
	for _, p := range line {
		points = append(points, fmt.Sprintf("%.1f,%.1f", p[0], p[1]))
	}
	dash := ""
	if c.dashed {
		dash = ` stroke-dasharray="5 4"`
	}
	d.printf(`<polyline points="%s" fill="none" stroke="%s" stroke-width="2" stroke-linejoin="round"%s/>`, strings.Join(points, " "), c.colour, dash)
}

// axis is a vertical scale.
type axis struct {
	ticks []float64
	at    func(v float64) float64 // 0 at the bottom, 1 at the top
}

// logAxis spans the values with ticks at 1, 2 and 5 of each power of ten.
func logAxis(points []Point, curves []curve) axis {
	low, high := math.Inf(1), 0.0
	each(points, curves, func(v float64) {
		if v > 0 {
			low, high = min(low, v), max(high, v)
		}
	})
	if high == 0 {
		low, high = 0.1, 1
	}
	var ticks []float64
	for power := math.Pow(10, math.Floor(math.Log10(low))); power <= high*10; power *= 10 {
		for _, m := range []float64{1, 2, 5} {
			ticks = append(ticks, m*power)
		}
	}
	from := max(0, lastBelow(ticks, low))
	to := slices.IndexFunc(ticks, func(t float64) bool { return t >= high && t > ticks[from] })
	ticks = ticks[from : to+1]
	bottom, span := math.Log(ticks[0]), math.Log(ticks[len(ticks)-1]/ticks[0])
	return axis{ticks: ticks, at: func(v float64) float64 { return (math.Log(max(v, ticks[0])) - bottom) / span }}
}

func lastBelow(ticks []float64, v float64) int {
	last := -1
	for i, t := range ticks {
		if t <= v {
			last = i
		}
	}
	return last
}

// linearAxis goes from 0 to what is just above the greatest value.
func linearAxis(points []Point, curves []curve) axis {
	high := 0.0
	each(points, curves, func(v float64) { high = max(high, v) })
	if high == 0 {
		high = 1
	}
	step := math.Pow(10, math.Floor(math.Log10(high)))
	for _, m := range []float64{0.1, 0.2, 0.5, 1} {
		if high/(m*step) <= 5 {
			step *= m
			break
		}
	}
	if high/step > 5 {
		step *= 2
	}
	ticks := []float64{0}
	for ticks[len(ticks)-1] < high {
		ticks = append(ticks, float64(len(ticks))*step)
	}
	top := ticks[len(ticks)-1]
	return axis{ticks: ticks, at: func(v float64) float64 { return v / top }}
}

func each(points []Point, curves []curve, f func(float64)) {
	for _, p := range points {
		for _, c := range curves {
			if v := p.Values[c.column] * c.scale; !math.IsNaN(v) && !math.IsInf(v, 0) {
				f(v)
			}
		}
	}
}

// chart is one of the drawing's parts.
type chart struct {
	x, y   float64
	title  string
	axis   axis
	curves []curve
	points []Point
}

func (d *drawing) chart(c chart) {
	d.text(c.x, c.y-12, "start", `font-weight="600"`, c.title)
	for _, t := range c.axis.ticks {
		y := c.y + chartHeight*(1-c.axis.at(t))
		d.printf(`<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke="#ddd"/>`, c.x, y, c.x+chartWidth, y)
		d.text(c.x-8, y+4, "end", `fill="#555"`, fmt.Sprintf("%g", math.Round(t*1e6)/1e6))
	}
	for i, p := range c.points {
		d.text(c.across(i), c.y+chartHeight+18, "middle", `fill="#555"`, fmt.Sprint(p.Sessions))
	}
	d.text(c.x+chartWidth/2, c.y+chartHeight+36, "middle", `fill="#555"`, "sessions")
	for _, l := range c.curves {
		var line [][2]float64
		for i, p := range c.points {
			if v := p.Values[l.column] * l.scale; !math.IsNaN(v) {
				line = append(line, [2]float64{c.across(i), c.y + chartHeight*(1-c.axis.at(v))})
			}
		}
		d.stroke(line, l)
		for _, p := range line {
			d.printf(`<circle cx="%.1f" cy="%.1f" r="3" fill="%s"/>`, p[0], p[1], l.colour)
		}
	}
}

// across is where the i-th number of sessions stands: evenly, as they usually
// grow by factors.
func (c chart) across(i int) float64 {
	if len(c.points) == 1 {
		return c.x + chartWidth/2
	}
	return c.x + 20 + (chartWidth-40)*float64(i)/float64(len(c.points)-1)
}
