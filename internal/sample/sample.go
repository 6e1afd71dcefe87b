// Package sample makes a class of students who do not exist, to try grading on:
// what they hand in are right and wrong answers of the bank, in all the forms in
// which a class may hand in. Most is right, as in most classes; some have left
// out lessons, some files do not compile, one breaks the rules, and one archive is
// cut off.
//
// The same bank and the same number of students make the same class, byte by
// byte, on every machine. A class of fewer students is the beginning of a larger
// one.
package sample

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"conclab/internal/bank"
	"conclab/lessons"
)

// Students is how many there are in a class that says nothing else.
const Students = 60

// Write makes the class in the folder dir, from the bank of the module at root.
// The folder must not exist, or be empty.
func Write(dir, root string, students int) error {
	if list, err := os.ReadDir(dir); err == nil && len(list) > 0 {
		return fmt.Errorf("%s is not empty: name a new folder", dir)
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	course := lessons.All()
	answers := make([]answers, len(course))
	for i, l := range course {
		variants, err := bank.Load(root, l)
		if err != nil {
			return err
		}
		for _, v := range variants {
			answers[i].add(v)
		}
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for n := range students {
		s := student{number: n + 1}
		for i, l := range course {
			if source := s.answer(l.Name, answers[i]); source != nil {
				s.files = append(s.files, file{l.Name, source})
			}
		}
		if err := s.handIn(dir); err != nil {
			return err
		}
	}
	return nil
}

// answers are those that the bank has for one lesson.
type answers struct {
	starter, reference []byte
	right, wrong       [][]byte
}

func (a *answers) add(v bank.Variant) {
	switch v.Kind {
	case bank.Starter:
		a.starter = v.Source
	case bank.Reference:
		a.reference = v.Source
		a.right = append(a.right, v.Source)
	case bank.Accept:
		a.right = append(a.right, v.Source)
	case bank.Reject:
		if v.Chance {
			v.Source = nil // it keeps its place, so that the others stay with their students
		}
		a.wrong = append(a.wrong, v.Source)
	}
}

type student struct {
	number int // from 1
	files  []file
}

type file struct {
	lesson string
	source []byte
}

// What is special about some of every sixty students.
const (
	knowsAll   = 1
	untouched  = 2
	breaksRule = 57
	cutOff     = 58
	typing     = 59
)

func (s student) special() int { return (s.number-1)%Students + 1 }

// answer returns what the student hands in for a lesson; nil for nothing.
func (s student) answer(lesson string, a answers) []byte {
	switch s.special() {
	case knowsAll:
		return a.reference
	case untouched:
		return a.starter
	}
	// Every student and lesson draw for themselves, so that a new lesson changes
	// nothing about the others.
	seed := uint64(s.number)
	for _, c := range []byte(lesson) {
		seed = seed*131 + uint64(c)
	}
	draw := rand.New(rand.NewPCG(seed, 1))
	skill := 0.5 + 0.5*float64(s.number*37%Students)/Students
	var source []byte
	switch luck := draw.Float64(); {
	case draw.Float64() > 0.6+skill/2:
		return nil
	case luck < skill:
		source = pick(draw, a.right)
	case luck > 0.97:
		return a.starter
	default:
		source = pick(draw, a.wrong)
	}
	switch s.special() {
	case typing:
		if draw.IntN(3) == 0 {
			source = bytes.TrimRight(source, "}\n")
		}
	case breaksRule:
		source = append(slices.Clone(source), "\nfunc init() { println(\"hello\") }\n"...)
	}
	return source
}

func pick(draw *rand.Rand, from [][]byte) []byte {
	if len(from) == 0 {
		return nil
	}
	start := draw.IntN(len(from))
	for i := range from {
		if source := from[(start+i)%len(from)]; source != nil {
			return source
		}
	}
	return nil
}

// handIn writes what the student has, in one of the forms that intake knows.
func (s student) handIn(dir string) error {
	name := fmt.Sprintf("student-%03d", s.number)
	place := func(f file) string { return f.lesson + ".go" }
	write := s.folder
	switch s.number % 6 {
	case 1:
		place = func(f file) string { return f.lesson + "/" + f.lesson + ".go" }
	case 2:
		place = func(f file) string { return "conclab/exercises/" + f.lesson + "/" + f.lesson + ".go" }
	case 3:
		write, name = s.zip, name+".zip"
	case 4:
		write, name = s.tar, name+".tar.gz"
	}
	return write(filepath.Join(dir, name), place)
}

func (s student) folder(dir string, place func(file) string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, f := range s.files {
		to := filepath.Join(dir, filepath.FromSlash(place(f)))
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(to, f.source, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// handedIn is the time that archives give to their files.
var handedIn = time.Date(2026, 1, 30, 12, 0, 0, 0, time.UTC)

func (s student) zip(to string, place func(file) string) error {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, f := range s.files {
		w, err := z.CreateHeader(&zip.FileHeader{Name: place(f), Method: zip.Deflate, Modified: handedIn})
		if err == nil {
			_, err = w.Write(f.source)
		}
		if err != nil {
			return err
		}
	}
	if err := z.Close(); err != nil {
		return err
	}
	return s.archive(to, b.Bytes())
}

func (s student) tar(to string, place func(file) string) error {
	var b bytes.Buffer
	g := gzip.NewWriter(&b)
	w := tar.NewWriter(g)
	for _, f := range s.files {
		err := w.WriteHeader(&tar.Header{Name: place(f), Typeflag: tar.TypeReg, Mode: 0o644, Size: int64(len(f.source)), ModTime: handedIn})
		if err == nil {
			_, err = w.Write(f.source)
		}
		if err != nil {
			return err
		}
	}
	if err := errors.Join(w.Close(), g.Close()); err != nil {
		return err
	}
	return s.archive(to, b.Bytes())
}

func (s student) archive(to string, b []byte) error {
	if s.special() == cutOff && strings.HasSuffix(to, ".gz") {
		b = b[:len(b)/2]
	}
	return os.WriteFile(to, b, 0o644)
}
