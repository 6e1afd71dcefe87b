package ledger

import (
	"fmt"
	"slices"
	"strings"

	"conclab/internal/gradebook"
)

// Merge puts the shards of a class, one a folder, together in the folder out.
// They must be all shards of the same class, each once, each complete, and made
// under the same conditions; otherwise nothing is written, and the error says
// what is wrong. It returns the number of entries.
func Merge(out string, dirs []string) (int, error) {
	var first Class
	from := map[int]string{} // which folder a shard is in
	var all []*gradebook.Entry
	var leftOut []gradebook.Refused // all shards see the same, unless somebody cleared up in the meantime
	for _, dir := range dirs {
		c, err := ReadClass(dir)
		if err != nil {
			return 0, fmt.Errorf("%s is no folder of results: %w", dir, err)
		}
		if len(from) == 0 {
			first = c
		}
		switch other, twice := from[c.Shard.Number]; {
		case c.Shard.Of != first.Shard.Of:
			return 0, fmt.Errorf("%s is one of %d shards, and %s one of %d: they are not of one grading", dirs[0], first.Shard.Of, dir, c.Shard.Of)
		case !slices.Equal(c.IDs, first.IDs):
			return 0, fmt.Errorf("%s and %s are not of the same class: %s", dirs[0], dir, difference(first.IDs, c.IDs))
		case twice:
			return 0, fmt.Errorf("shard %d/%d is there twice, in %s and in %s", c.Shard.Number, c.Shard.Of, other, dir)
		}
		from[c.Shard.Number] = dir
		for _, r := range c.LeftOut {
			if !slices.Contains(leftOut, r) {
				leftOut = append(leftOut, r)
			}
		}
		entries, missing, err := Read(dir)
		if err != nil {
			return 0, err
		}
		if len(missing) > 0 {
			return 0, fmt.Errorf("shard %d/%d in %s is not complete, %s missing: grade it to its end first", c.Shard.Number, c.Shard.Of, dir, few(missing))
		}
		for _, e := range entries {
			if what := unlike(all, e); what != "" {
				return 0, fmt.Errorf("%s was graded under other conditions than the entries before it (%s): grade all shards alike", e.ID, what)
			}
			all = append(all, e)
		}
	}
	for n := range first.Shard.Of {
		if _, ok := from[n+1]; !ok {
			return 0, fmt.Errorf("shard %d/%d is missing", n+1, first.Shard.Of)
		}
	}
	if len(dirs) == 0 {
		return 0, fmt.Errorf("there is nothing to merge: name the folders of all shards")
	}
	first.Shard, first.LeftOut = Shard{}, leftOut
	l, err := Open(out, first)
	if err != nil {
		return 0, err
	}
	defer l.Close()
	for _, e := range all {
		if err := l.Put(e); err != nil {
			return 0, err
		}
	}
	return len(all), nil
}

// unlike says in which condition an entry differs from those before it.
func unlike(all []*gradebook.Entry, e *gradebook.Entry) string {
	if len(all) == 0 {
		return ""
	}
	return strings.Join(conditions(all[0].Made, e.Made), ", ")
}

func difference(a, b []string) string {
	for _, id := range a {
		if !slices.Contains(b, id) {
			return id + " is only in the first"
		}
	}
	for _, id := range b {
		if !slices.Contains(a, id) {
			return id + " is only in the second"
		}
	}
	return "the submissions differ"
}

func few(ids []string) string {
	if len(ids) > 3 {
		return fmt.Sprintf("%s and %d more are", strings.Join(ids[:3], ", "), len(ids)-3)
	}
	if len(ids) == 1 {
		return ids[0] + " is"
	}
	return strings.Join(ids, ", ") + " are"
}
