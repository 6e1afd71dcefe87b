package verify

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"slices"
	"time"

	"conclab/internal/bank"
	"conclab/internal/runner"
	"conclab/internal/sandbox"
	"conclab/lessons"
)

// memory is what the processes of one variant may use together, in bytes.
const memory = 1 << 30

// batch is variants that share one binary, by their places among all variants:
// at most one of each lesson.
type batch []int

// share divides the variants into batches, with the race detector and without
// it, and those that are judged alone. Linking a binary takes longer than
// compiling an answer and running a test.
func share(variants []bank.Variant) (plain, race []batch, alone []int) {
	for i, v := range variants {
		switch {
		case v.Kind == bank.Starter || v.Test == bank.Vet:
			alone = append(alone, i)
		case v.Kind == bank.Reject && !v.Race:
			plain = add(plain, variants, i)
		default:
			race = add(race, variants, i)
		}
	}
	plain, alone = drop(plain, alone)
	race, alone = drop(race, alone)
	return plain, race, alone
}

// add adds a variant to the first batch that has none of its lesson.
func add(batches []batch, variants []bank.Variant, i int) []batch {
	for n, b := range batches {
		if !slices.ContainsFunc(b, func(other int) bool { return variants[other].Lesson.Name == variants[i].Lesson.Name }) {
			batches[n] = append(b, i)
			return batches
		}
	}
	return append(batches, batch{i})
}

// drop drops the batches that share nothing.
func drop(batches []batch, alone []int) ([]batch, []int) {
	kept := slices.DeleteFunc(batches, func(b batch) bool {
		if len(b) == 1 {
			alone = append(alone, b...)
		}
		return len(b) == 1
	})
	return kept, alone
}

// joint judges batches.
type joint struct {
	kit   *runner.Kit
	dir   string
	root  string
	count int // how often each test runs
}

// newJoint prepares to judge batches of the variants.
func newJoint(ctx context.Context, o Options, race runner.RaceMode, variants []bank.Variant) (*joint, error) {
	dir, err := os.MkdirTemp("", "conclab-verify-")
	if err != nil {
		return nil, fmt.Errorf("no room for temporary files: %w", err)
	}
	j := &joint{dir: dir, root: o.Root, count: max(o.Count, 1)}
	var course []lessons.Lesson
	var imports []string
	for _, v := range variants {
		if len(course) == 0 || course[len(course)-1].Name != v.Lesson.Name {
			course = append(course, v.Lesson)
		}
		imports = append(imports, runner.Imports(v.Source)...)
	}
	j.kit, err = runner.NewKit(ctx, runner.KitOptions{
		Root: o.Root, Dir: dir, Lessons: course, Race: race, Isolation: sandbox.None, Imports: imports,
		Build: sandbox.Limits{Memory: memory}, Run: sandbox.Limits{Memory: memory},
	})
	if err != nil {
		j.close()
		return nil, err
	}
	return j, nil
}

func (j *joint) close() { _ = os.RemoveAll(j.dir) }

// judge judges the variants of a batch and calls on with each result. When ctx
// ends it leaves out the rest.
func (j *joint) judge(ctx context.Context, variants []bank.Variant, on func(i int, r Result)) {
	start := time.Now()
	candidates := make([]runner.Candidate, len(variants))
	for i, v := range variants {
		candidates[i] = v.Candidate()
	}
	assembly, err := j.kit.Assemble(ctx, j.dir, candidates)
	each := time.Since(start) / time.Duration(len(variants))
	for i, v := range variants {
		start = time.Now()
		r := Result{Variant: v, Err: err}
		if err == nil {
			r.Err = j.variant(ctx, assembly, &r)
		}
		if ctx.Err() != nil {
			break
		}
		r.Elapsed = each + time.Since(start)
		on(i, r)
	}
	if assembly != nil {
		_ = assembly.Remove()
	}
}

// variant judges one that is in the assembly, as often as asked for: each time
// it must be as it should be.
func (j *joint) variant(ctx context.Context, assembly *runner.Assembly, r *Result) (err error) {
	v := r.Variant
	result := &runner.Result{
		Lesson: v.Lesson.Name, File: v.File, Race: j.kit.Race, NoRace: j.kit.NoRace, Build: assembly.NotBuilt[v.Lesson.Name],
	}
	r.NoRace = j.kit.NoRace
	if v.Race && !j.kit.Race {
		r.Skipped = j.kit.NoRace
		return nil
	}
	if result.Build != "" {
		return v.Check(result)
	}
	way := runner.Way{Procs: runtime.GOMAXPROCS(0), Tests: runner.Exactly(v.Test)}
	if v.Kind != bank.Reject {
		way = runner.Way{Procs: way.Procs, Limit: patience}
		if result.Vet, err = runner.Vet(ctx, runner.Options{Root: j.root}, v.Candidate()); err != nil {
			return err
		}
	}
	for n := range j.count {
		verdicts, err := assembly.Judge(ctx, v.Lesson.Name, way)
		if err != nil {
			return err
		}
		if verdicts.Tampered != "" {
			return fmt.Errorf("does not cheat, but the grader says: %s", verdicts.Tampered)
		}
		result.Tasks = verdicts.Tasks
		if r.Skipped = bank.Skipped(result); r.Skipped != "" && v.Kind == bank.Reject {
			return nil
		}
		if err := v.Check(result); err != nil {
			if j.count > 1 {
				err = fmt.Errorf("run %d of %d: %w", n+1, j.count, err)
			}
			return err
		}
		r.Message = told(v, result)
	}
	return nil
}
