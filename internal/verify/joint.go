package verify

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"time"

	"conclab/internal/bank"
	"conclab/internal/runner"
	"conclab/internal/sandbox"
	"conclab/lessons"
)

// memory is what the processes of a wrong answer may use together, in bytes.
const memory = 1 << 30

// share divides the variants into those that are judged alone and batches that
// share one binary. To link a binary takes longer than to compile a wrong answer
// and to run its one test together; a binary can hold one of each lesson.
func share(variants []bank.Variant) (batches [][]int, alone []int) {
	next := map[string]int{} // a lesson's next batch
	for i, v := range variants {
		if v.Kind != bank.Reject || v.Race || v.Test == bank.Vet {
			alone = append(alone, i)
			continue
		}
		n := next[v.Lesson.Name]
		next[v.Lesson.Name]++
		if n == len(batches) {
			batches = append(batches, nil)
		}
		batches[n] = append(batches[n], i)
	}
	for n := len(batches) - 1; n >= 0 && len(batches[n]) == 1; n-- {
		alone = append(alone, batches[n]...)
		batches = batches[:n]
	}
	return batches, alone
}

// joint judges batches of wrong answers to different lessons.
type joint struct {
	kit   *runner.Kit
	dir   string
	count int // how often each test runs
}

func newJoint(ctx context.Context, o Options, variants []bank.Variant) (*joint, error) {
	dir, err := os.MkdirTemp("", "conclab-verify-")
	if err != nil {
		return nil, fmt.Errorf("no room for temporary files: %w", err)
	}
	j := &joint{dir: dir, count: max(o.Count, 1)}
	var course []lessons.Lesson
	var imports []string
	for _, v := range variants {
		if len(course) == 0 || course[len(course)-1].Name != v.Lesson.Name {
			course = append(course, v.Lesson)
		}
		imports = append(imports, runner.Imports(v.Source)...)
	}
	j.kit, err = runner.NewKit(ctx, runner.KitOptions{
		Root: o.Root, Dir: dir, Lessons: course, Race: runner.RaceOff, Isolation: sandbox.None, Imports: imports,
		Build: sandbox.Limits{Memory: memory}, Run: sandbox.Limits{Memory: memory},
	})
	if err != nil {
		j.close()
		return nil, err
	}
	return j, nil
}

func (j *joint) close() { _ = os.RemoveAll(j.dir) }

// judge judges a batch and calls on with each result. When ctx ends it leaves out
// the rest.
func (j *joint) judge(ctx context.Context, batch []bank.Variant, on func(i int, r Result)) {
	start := time.Now()
	candidates := make([]runner.Candidate, len(batch))
	tests := map[string]string{}
	for i, v := range batch {
		candidates[i] = v.Candidate()
		tests[v.Lesson.Name] = v.Test
	}
	assembly, err := j.kit.Assemble(ctx, j.dir, candidates, tests)
	each := time.Since(start) / time.Duration(len(batch))
	for i, v := range batch {
		start = time.Now()
		r := Result{Variant: v, Err: err}
		if err == nil {
			r.Err = r.joint(ctx, assembly, j.count)
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

// joint judges a wrong answer that is in the assembly: it must be caught every
// time.
func (r *Result) joint(ctx context.Context, assembly *runner.Assembly, count int) error {
	v := r.Variant
	result := &runner.Result{Lesson: v.Lesson.Name, File: v.File, Build: assembly.NotBuilt[v.Lesson.Name]}
	if result.Build != "" {
		return v.Check(result)
	}
	for n := range count {
		verdicts, err := assembly.Judge(ctx, v.Lesson.Name, runner.Way{Procs: runtime.GOMAXPROCS(0), Tests: runner.Exactly(v.Test)})
		if err != nil {
			return err
		}
		if verdicts.Tampered != "" {
			return fmt.Errorf("is wrong and no cheat, but the grader says: %s", verdicts.Tampered)
		}
		result.Tasks = verdicts.Tasks
		if r.Skipped = bank.Skipped(result); r.Skipped != "" {
			return nil
		}
		if err := v.Check(result); err != nil {
			if count > 1 {
				err = fmt.Errorf("run %d of %d: %w", n+1, count, err)
			}
			return err
		}
	}
	return nil
}
