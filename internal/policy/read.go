package policy

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/agnivade/levenshtein"
	"go.yaml.in/yaml/v4"

	"conclab/internal/gradebook"
	"conclab/lessons"
)

// Load reads a policy file. An empty name means no file: it returns [Default].
func Load(file string) (Policy, error) {
	if file == "" {
		return Default(), nil
	}
	f, err := os.Open(file)
	if err != nil {
		return Policy{}, fmt.Errorf("cannot read the policy: %w", err)
	}
	defer f.Close()
	return Read(f, file)
}

// Read reads a policy. What it does not say is as in [Default]. The error names
// everything that is wrong, a line each: the file as name, the line in it, and
// what to write instead.
func Read(r io.Reader, name string) (Policy, error) {
	text, err := io.ReadAll(r)
	if err != nil {
		return Policy{}, fmt.Errorf("cannot read the policy: %w", err)
	}
	var doc, second yaml.Node
	documents := yaml.NewDecoder(bytes.NewReader(text))
	err = documents.Decode(&doc) // io.EOF if there is nothing but comments
	if err == nil {
		err = documents.Decode(&second)
	}
	if err == nil {
		return Policy{}, fmt.Errorf("%s:%d: a second document begins here, and a policy is one: leave the line --- out", name, second.Line)
	} else if !errors.Is(err, io.EOF) {
		if where := (*yaml.LoadError)(nil); errors.As(err, &where) {
			return Policy{}, fmt.Errorf("%s:%d: this is no YAML: %s", name, where.Mark.Line, where.Message)
		}
		return Policy{}, fmt.Errorf("%s: this is no YAML: %w", name, err)
	}
	p := Default()
	d := &decoder{name: name}
	if len(doc.Content) > 0 && doc.Content[0].ShortTag() != "!!null" {
		d.policy(doc.Content[0], &p)
	}
	if len(d.errs) > 0 {
		return Policy{}, errors.Join(d.errs...)
	}
	return p, nil
}

// decoder collects what is wrong, so that all of it can be mended at once.
type decoder struct {
	name string
	errs []error
}

func (d *decoder) wrong(n *yaml.Node, format string, args ...any) {
	d.errs = append(d.errs, fmt.Errorf("%s:%d: %s", d.name, n.Line, fmt.Sprintf(format, args...)))
}

type keys = map[string]func(key, value *yaml.Node)

func (d *decoder) policy(n *yaml.Node, p *Policy) {
	d.known(n, "the policy", keys{
		"lessons": func(_, v *yaml.Node) { p.Lessons = d.lessons(v) },
		"weights": func(_, v *yaml.Node) {
			p.Weights = map[string]float64{}
			d.each(v, "weights", func(k, v *yaml.Node) { p.Weights[d.lesson(k)] = d.number(v, "a weight") })
		},
		"brave":       func(_, v *yaml.Node) { p.Brave = d.boolean(v) },
		"repeats":     func(_, v *yaml.Node) { p.Repeats = d.count(v, 1, 100) },
		"repeat-rule": func(_, v *yaml.Node) { p.Rule = word(d, v, All, Share) },
		"limits":      func(_, v *yaml.Node) { d.limits(v, &p.Limits) },
		"due":         func(_, v *yaml.Node) { p.Due = d.time(v) },
		"late": func(_, v *yaml.Node) {
			d.known(v, "late", keys{
				"free-days": func(_, v *yaml.Node) { p.Late.FreeDays = d.count(v, 0, 1000) },
				"per-day": func(_, v *yaml.Node) {
					if p.Late.PerDay = d.number(v, "per-day"); p.Late.PerDay > 100 {
						d.wrong(v, "per-day is in percent, so at most 100")
					}
				},
				"max-days": func(_, v *yaml.Node) { p.Late.MaxDays = d.count(v, 0, 1000) },
			})
		},
		"extensions": func(k, v *yaml.Node) { p.Extensions = d.times(v, k.Value) },
		"handed-in":  func(k, v *yaml.Node) { p.HandedIn = d.times(v, k.Value) },
		"feedback":   func(_, v *yaml.Node) { p.Feedback = word(d, v, Full, Broken, Verdict) },
		"judged": func(_, v *yaml.Node) {
			p.Judged = map[string]map[string]float64{}
			d.each(v, "judged", func(k, v *yaml.Node) {
				given := map[string]float64{}
				p.Judged[d.id(k)] = given
				d.each(v, k.Value, func(k, v *yaml.Node) { given[d.lesson(k)] = d.number(v, "the points") })
			})
		},
	})
	if len(p.HandedIn) > 0 && p.Due.IsZero() {
		d.wrong(n, "it says when something was handed in, but there is no due date: say when it is due, as in due: 2026-03-01T23:59:00+01:00")
	}
	for _, k := range slices.Sorted(maps.Keys(p.Extensions)) {
		if p.Due.IsZero() {
			d.wrong(n, "there are extensions, but no due date: say when it is due, as in due: 2026-03-01T23:59:00+01:00")
			break
		}
		if p.Extensions[k].Before(p.Due) {
			d.wrong(n, "the extension of %s ends before the due date", k)
		}
	}
}

// limits reads limits under which a right answer can be built and run: with less,
// everybody would have a zero that is not theirs. Right answers to all of the course
// need 210 MiB to be linked, 2 s for the largest file, 12 threads, 32 KiB of output,
// and on a busy machine of two processors 5 s for a lesson's tests. What is asked
// for is some times that; of memory less, since no machine needs much more of it
// than another. Files they need none.
func (d *decoder) limits(n *yaml.Node, l *gradebook.Limits) {
	d.known(n, "limits", keys{
		"build":     func(k, v *yaml.Node) { l.BuildSeconds = enough(d, k, v, d.seconds(v), 10, "10s") },
		"tests":     func(k, v *yaml.Node) { l.TestSeconds = enough(d, k, v, d.seconds(v), 20, "20s") },
		"memory":    func(k, v *yaml.Node) { l.MemoryBytes = enough(d, k, v, d.size(v), 384<<20, "384MiB") },
		"processes": func(k, v *yaml.Node) { l.Processes = enough(d, k, v, d.count(v, 1, 1<<20), 64, "64") },
		"files":     func(_, v *yaml.Node) { l.FileBytes = d.size(v) },
		"output":    func(k, v *yaml.Node) { l.OutputBytes = enough(d, k, v, d.size(v), 256<<10, "256KiB") },
	})
}

// enough returns a limit, and turns it away if it is less than the least. One that
// could not be read has been turned away already.
func enough[N int | int64 | float64](d *decoder, k, v *yaml.Node, limit, least N, written string) N {
	if limit > 0 && limit < least {
		d.wrong(v, "limits.%s: %s is less than right answers need to be built and run: write %s or more", k.Value, v.Value, written)
	}
	return limit
}

// known reads a mapping that has only these keys.
func (d *decoder) known(n *yaml.Node, what string, known keys) {
	names := slices.Sorted(maps.Keys(known))
	d.each(n, what, func(k, v *yaml.Node) {
		read, ok := known[k.Value]
		if !ok {
			d.wrong(k, "%s has no key %q; did you mean %q? The keys are %s", what, k.Value, nearest(k.Value, names), strings.Join(names, ", "))
			return
		}
		read(k, v)
	})
}

// each reads a mapping with any keys, each once.
func (d *decoder) each(n *yaml.Node, what string, read func(k, v *yaml.Node)) {
	if n.Kind != yaml.MappingNode {
		d.wrong(n, "%s must hold keys and values, as in KEY: VALUE", what)
		return
	}
	seen := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		if line, twice := seen[k.Value]; twice {
			d.wrong(k, "%q stands in line %d already", k.Value, line)
			continue
		}
		seen[k.Value] = k.Line
		read(k, v)
	}
}

// scalar returns the text of a single value.
func (d *decoder) scalar(n *yaml.Node) (string, bool) {
	if n.Kind != yaml.ScalarNode || n.ShortTag() == "!!null" {
		d.wrong(n, "a single value belongs here")
		return "", false
	}
	return n.Value, true
}

func (d *decoder) lessons(n *yaml.Node) []string {
	if n.Kind != yaml.SequenceNode || len(n.Content) == 0 {
		d.wrong(n, "lessons must be a list, as in [queues, pipes]")
		return nil
	}
	var names []string
	for _, item := range n.Content {
		if name := d.lesson(item); slices.Contains(names, name) && name != "" {
			d.wrong(item, "%s stands in the list twice", name)
		} else {
			names = append(names, name)
		}
	}
	course := lessons.Names()
	slices.SortFunc(names, func(a, b string) int { return slices.Index(course, a) - slices.Index(course, b) })
	return names
}

func (d *decoder) lesson(n *yaml.Node) string {
	name, ok := d.scalar(n)
	if !ok {
		return ""
	}
	if _, err := lessons.Find(name); err != nil {
		d.wrong(n, "%v", err)
	}
	return name
}

func (d *decoder) id(n *yaml.Node) string {
	id, ok := d.scalar(n)
	if ok && !gradebook.ValidID(id) {
		d.wrong(n, "%q is no id: lab grade names the ids in its reports", id)
	}
	return id
}

func (d *decoder) boolean(n *yaml.Node) bool {
	var b bool
	if _, ok := d.scalar(n); ok && n.Load(&b) != nil {
		d.wrong(n, "this can be true or false, but not %q", n.Value)
	}
	return b
}

func (d *decoder) count(n *yaml.Node, least, most int) int {
	text, ok := d.scalar(n)
	v, err := strconv.Atoi(text)
	if ok && (err != nil || v < least || v > most) {
		d.wrong(n, "this must be a whole number from %d to %d, not %q", least, most, text)
	}
	return v
}

// mostNumber is more than anybody gives, and so little that sums and products of
// points stay exact.
const mostNumber = 1_000_000

func (d *decoder) number(n *yaml.Node, what string) float64 {
	text, ok := d.scalar(n)
	v, err := strconv.ParseFloat(text, 64)
	if ok && (err != nil || math.IsNaN(v) || v < 0 || v > mostNumber) {
		d.wrong(n, "%s must be a number from 0 to %d, not %q", what, mostNumber, text)
	}
	return v
}

func (d *decoder) time(n *yaml.Node) time.Time {
	text, ok := d.scalar(n)
	t, err := time.Parse(time.RFC3339, text)
	if ok && err != nil {
		d.wrong(n, "%q is no time that is the same everywhere: write it with the offset from UTC, as in 2026-03-01T23:59:00+01:00", text)
	}
	return t
}

// times reads a time for each ID.
func (d *decoder) times(n *yaml.Node, what string) map[string]time.Time {
	times := map[string]time.Time{}
	d.each(n, what, func(k, v *yaml.Node) { times[d.id(k)] = d.time(v) })
	return times
}

func (d *decoder) seconds(n *yaml.Node) float64 {
	text, ok := d.scalar(n)
	v, err := time.ParseDuration(text)
	if ok && (err != nil || v <= 0) {
		d.wrong(n, "this must be a time such as 90s or 2m, not %q", text)
	}
	return v.Seconds()
}

func (d *decoder) size(n *yaml.Node) int64 {
	text, ok := d.scalar(n)
	if !ok {
		return 0
	}
	for unit, bytes := range map[string]int64{"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30} {
		if number, found := strings.CutSuffix(text, unit); found {
			if v, err := strconv.ParseInt(strings.TrimSpace(number), 10, 32); err == nil && v > 0 {
				return v * bytes
			}
		}
	}
	d.wrong(n, "this must be a size such as 512MiB or 2GiB, not %q", text)
	return 0
}

// word reads one of a few words.
func word[W ~string](d *decoder, n *yaml.Node, words ...W) W {
	text, ok := d.scalar(n)
	if ok && !slices.Contains(words, W(text)) {
		names := make([]string, len(words))
		for i, w := range words {
			names[i] = string(w)
		}
		d.wrong(n, "this can be %s, but not %q", strings.Join(names, ", "), text)
	}
	return W(text)
}

func nearest(name string, names []string) string {
	return slices.MinFunc(names, func(a, b string) int {
		return levenshtein.ComputeDistance(name, a) - levenshtein.ComputeDistance(name, b)
	})
}
