// Package progress knows how far a learner is: which tasks their files pass, and
// which one comes next. It promises that a task counts as passed only after its
// tests have run and passed on just these files. What it remembers of that lies
// in the user's cache folder, and nothing is lost with it but time.
package progress

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sync/errgroup"

	"conclab/internal/runner"
	"conclab/lessons"
)

// atATime is how many lessons are judged at the same time.
const atATime = 2

// Lesson is how far the learner is with one lesson.
type Lesson struct {
	lessons.Lesson
	Passed []bool // for each of the lesson's tasks
	Built  bool   // false if the learner's file does not compile
	Vet    int    // how many remarks go vet has about it

	// Err says in words why the lesson could not be judged; nil if it was.
	Err error
}

// Survey judges the learner's files for all the lessons, some at a time and
// without the race detector. It blocks until all are judged or ctx has ended,
// and then returns those that were, in order; the error wraps ctx.Err(). A
// lesson that cannot be judged carries its own error.
//
// On, if not nil, is called with each lesson, in order, as soon as it is known,
// by the goroutine that called Survey.
func Survey(ctx context.Context, root string, course []lessons.Lesson, on func(Lesson)) ([]Lesson, error) {
	known := make([]chan Lesson, len(course))
	for i := range known {
		known[i] = make(chan Lesson, 1)
	}
	var group errgroup.Group
	group.Go(func() error {
		var judges errgroup.Group
		judges.SetLimit(atATime)
		for i, lesson := range course {
			judges.Go(func() error {
				known[i] <- Look(ctx, root, lesson)
				return nil
			})
		}
		return judges.Wait()
	})
	defer func() { _ = group.Wait() }()

	all := make([]Lesson, 0, len(course))
	for _, c := range known {
		lesson := <-c
		if ctx.Err() != nil && lesson.Err != nil {
			return all, fmt.Errorf("%d of %d lessons were looked at: %w", len(all), len(course), ctx.Err())
		}
		all = append(all, lesson)
		if on != nil {
			on(lesson)
		}
	}
	return all, nil
}

// Look says how far the learner is with one lesson. It runs the suite only if
// what is known does not say so already. It blocks until that is done or ctx has
// ended.
func Look(ctx context.Context, root string, lesson lessons.Lesson) Lesson {
	if untouched(filepath.Join(root, filepath.FromSlash(File(lesson)))) {
		return Lesson{Lesson: lesson, Passed: make([]bool, len(lesson.Tasks)), Built: true}
	}
	if passed, ok := recall(root, lesson); ok {
		return Lesson{Lesson: lesson, Passed: passed, Built: true}
	}
	result, err := Judge(ctx, root, lesson, nil)
	return Of(lesson, result, err)
}

// Judge runs a lesson's suite on the learner's file, without the race detector,
// and remembers a success for the next Look. Otherwise it is [runner.Run].
func Judge(ctx context.Context, root string, lesson lessons.Lesson, on func(runner.Event)) (*runner.Result, error) {
	// A file that is saved while its suite runs must be looked at again.
	before, _ := fingerprint(root, lesson)
	result, err := runner.Run(ctx, runner.Options{Root: root, Race: runner.RaceOff}, runner.Candidate{Lesson: lesson}, on)
	if err == nil {
		remember(before, Of(lesson, result, nil))
	}
	return result, err
}

// Of puts the result of a lesson's whole suite, or why there is none, into how
// far the learner is with it.
func Of(lesson lessons.Lesson, result *runner.Result, err error) Lesson {
	state := Lesson{Lesson: lesson, Passed: make([]bool, len(lesson.Tasks)), Built: true, Err: err}
	if err != nil {
		return state
	}
	state.Built, state.Vet = result.Build == "", len(result.Vet)
	for i, task := range result.Tasks {
		state.Passed[i] = task.Passed()
	}
	return state
}

// File names the learner's file of a lesson relative to the module's root, with
// slashes.
func File(lesson lessons.Lesson) string {
	return "exercises/" + lesson.Name + "/" + lesson.Name + ".go"
}

// untouched tells whether nothing in the file can pass a task yet: every
// exported function still panics with TODO. Running its suite would only say so
// at length. Where a starter has other exported code, the answer is no, and the
// suite has the word.
func untouched(file string) bool {
	source, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
	if err != nil {
		return false
	}
	todo := false
	for _, d := range source.Decls {
		f, ok := d.(*ast.FuncDecl)
		switch {
		case !ok || !f.Name.IsExported():
		case isTODO(f):
			todo = true
		case f.Recv != nil && slices.Contains([]string{"Error", "Is", "String", "Unwrap"}, f.Name.Name):
			// What these say is never a task of its own.
		default:
			return false
		}
	}
	return todo
}

// isTODO tells whether a function does nothing but panic with TODO.
func isTODO(f *ast.FuncDecl) bool {
	if f.Body == nil || len(f.Body.List) != 1 {
		return false
	}
	statement, ok := f.Body.List[0].(*ast.ExprStmt)
	if !ok {
		return false
	}
	call, ok := statement.X.(*ast.CallExpr)
	if !ok || len(call.Args) != 1 {
		return false
	}
	function, ok := call.Fun.(*ast.Ident)
	if !ok || function.Name != "panic" {
		return false
	}
	text, ok := call.Args[0].(*ast.BasicLit)
	if !ok {
		return false
	}
	word, err := strconv.Unquote(text.Value)
	return err == nil && strings.HasPrefix(word, "TODO")
}

// Step is what comes next for the learner.
type Step struct {
	Lesson Lesson
	Task   int // which of the lesson's tasks, from 0; -1 if all pass and only remarks of go vet are left
}

// Next returns the first thing in the course that is not done: of the tasks that
// count first, then of the brave ones. If nothing is left to do, or a lesson
// could not be judged, ok is false.
func Next(course []Lesson) (s Step, ok bool) {
	for _, brave := range []bool{false, true} {
		for _, lesson := range course {
			if lesson.Err != nil {
				return Step{}, false
			}
			for i, passed := range lesson.Passed {
				if !passed && (brave || !lesson.Tasks[i].Brave) {
					return Step{lesson, i}, true
				}
			}
			if lesson.Vet > 0 {
				return Step{lesson, -1}, true
			}
		}
	}
	return Step{}, false
}

// Problems joins the errors of the lessons that could not be judged; it is nil
// if all were.
func Problems(course []Lesson) error {
	problems := make([]error, len(course))
	for i, lesson := range course {
		problems[i] = lesson.Err
	}
	return errors.Join(problems...)
}
