package bench

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"math"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"text/template"
	"time"

	"github.com/stretchr/testify/require"

	"conclab/solutions/echo"
	"conclab/solutions/encoding"
	"conclab/solutions/futures"
	"conclab/solutions/locks"
	"conclab/solutions/pipes"
	"conclab/solutions/processes"
	"conclab/solutions/queues"
)

const (
	// rounds is how often Python and Go take turns; the median counts.
	rounds = 5

	// serveEcho makes the test binary an echo server, so that Go's server has a
	// process of its own as Python's has.
	serveEcho = "CONCLAB_BENCH_ECHO"

	clients, requests = 16, 4000
)

// work is one thing that both languages do, size times.
type work struct {
	Title  string
	Of     string // what is counted
	name   string // in testdata/source.py
	times  [2]int // how often, in Python and in Go
	golang func(n int)
}

var works = []work{
	{"start a process and join it", "processes", "process", [2]int{40, 20_000}, func(n int) {
		for range n {
			p := processes.NewProcess(func() {})
			_ = p.Start()
			_ = p.Join()
		}
	}},
	{"hand a value over a queue", "values", "queue", [2]int{20_000, 200_000}, func(n int) {
		q := queues.New[string](0)
		go func() {
			for range n {
				_ = q.Put(context.Background(), "Worker awake.")
			}
		}()
		for range n {
			_, _ = q.Get(context.Background())
		}
	}},
	{"there and back over a pipe", "round trips", "pipe", [2]int{5000, 100_000}, func(n int) {
		left, right := pipes.Pipe[string](0)
		go func() {
			for range n {
				_, _ = right.Recv(context.Background())
				_ = right.Send(context.Background(), "Roger roger. Over and out.")
			}
		}()
		for range n {
			_ = left.Send(context.Background(), "Hello, Alice!")
			_, _ = left.Recv(context.Background())
		}
	}},
	{"write a line under a lock that two want", "lines", "lock", [2]int{20_000, 200_000}, func(n int) {
		null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
		if err != nil {
			panic(err)
		}
		defer func() { _ = null.Close() }()
		screen := locks.NewScreen(null)
		var both sync.WaitGroup
		for range 2 {
			both.Go(func() {
				for i := range n / 2 {
					_ = screen.Print("Hello, world " + strconv.Itoa(i))
				}
			})
		}
		both.Wait()
	}},
	{"settle a future that has a callback", "futures", "future", [2]int{20_000, 200_000}, func(n int) {
		for range n {
			f := futures.NewFuture[string]()
			f.AddDoneCallback(func(*futures.Future[string]) {})
			_ = f.SetResult("Done.")
			_, _ = f.Wait(context.Background())
		}
	}},
	{"serve an echo request", "requests", "echo", [2]int{}, nil},
	{"transcode UTF-8 to UTF-16, all at once", "bytes", "whole", [2]int{16 << 20, 16 << 20}, func(n int) {
		text, err := encoding.Decode("utf-8", sample(n))
		if err == nil {
			_, err = encoding.Encode("utf-16le", text)
		}
		if err != nil {
			panic(err)
		}
	}},
	{"transcode UTF-8 to UTF-16, as a stream", "bytes", "stream", [2]int{16 << 20, 16 << 20}, func(n int) {
		if err := encoding.Transcode(io.Discard, "utf-16le", bytes.NewReader(sample(n)), "utf-8"); err != nil {
			panic(err)
		}
	}},
}

// sample is the text that testdata/source.py transcodes.
func sample(n int) []byte {
	text := []byte("Smörgåsbord, 寿司, and 🍕 for all. ")
	return bytes.Repeat(text, n/len(text))
}

// figure is what was measured for one work: how much of it in a second.
type figure struct {
	work
	Python, Go float64
}

func (f figure) Ratio() string { return spoken(f.Go / f.Python) }

// PythonRate and GoRate say the figures for a table.
func (f figure) PythonRate() string { return spoken(f.Python) }
func (f figure) GoRate() string     { return spoken(f.Go) }

// BenchmarkAgainstPython measures the references against the programs of the
// source document, in turns, and writes docs/python-figures.md and its picture.
func BenchmarkAgainstPython(b *testing.B) {
	python, err := exec.LookPath("python3")
	if err != nil {
		b.Skip("skipped, because python3 was not found: install it from https://www.python.org/downloads/")
	}
	for range b.N {
		figures := make([]figure, len(works))
		for i, w := range works {
			var pythons, gos []float64
			for range rounds {
				if w.golang == nil {
					pythons = append(pythons, echoes(b, exec.Command(python, sourceFile, "echo")))
					server := exec.Command(os.Args[0])
					server.Env = append(server.Environ(), serveEcho+"=1")
					gos = append(gos, echoes(b, server))
					continue
				}
				pythons = append(pythons, float64(w.times[0])/inPython(b, python, w))
				start := time.Now()
				w.golang(w.times[1])
				gos = append(gos, float64(w.times[1])/time.Since(start).Seconds())
			}
			slices.Sort(pythons)
			slices.Sort(gos)
			figures[i] = figure{w, pythons[rounds/2], gos[rounds/2]}
			b.ReportMetric(figures[i].Go/figures[i].Python, w.name+"-x")
		}
		version, err := exec.Command(python, "--version").Output()
		require.NoError(b, err)
		require.NoError(b, write(figures, strings.TrimSpace(string(version))))
	}
}

const sourceFile = "testdata/source.py"

// inPython returns the seconds that the source document's program takes.
func inPython(b *testing.B, python string, w work) float64 {
	out, err := exec.Command(python, sourceFile, w.name, strconv.Itoa(w.times[0])).Output()
	require.NoError(b, err, string(out))
	seconds, err := strconv.ParseFloat(strings.TrimSpace(string(out)), 64)
	require.NoError(b, err)
	return seconds
}

// echoes returns how many requests in a second a server answers that prints its
// port and ends with its standard input.
func echoes(b *testing.B, server *exec.Cmd) float64 {
	stop, err := server.StdinPipe()
	require.NoError(b, err)
	out, err := server.StdoutPipe()
	require.NoError(b, err)
	require.NoError(b, server.Start())
	defer func() {
		_ = stop.Close()
		require.NoError(b, server.Wait())
	}()
	port, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(b, err)
	addr := net.JoinHostPort("127.0.0.1", strings.TrimSpace(port))

	start := time.Now()
	failures := make([]error, clients)
	var all sync.WaitGroup
	for i := range clients {
		all.Go(func() {
			for range requests / clients {
				if failures[i] = ask(addr); failures[i] != nil {
					return
				}
			}
		})
	}
	all.Wait()
	for _, err := range failures {
		require.NoError(b, err)
	}
	return requests / time.Since(start).Seconds()
}

// ask is one client: it connects, says something, and waits for the echo and
// for the end.
func ask(addr string) error {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	message := "Is there anybody out there?"
	if _, err := io.WriteString(conn, message); err != nil {
		return err
	}
	answer, err := io.ReadAll(conn)
	if err == nil && string(answer) != message {
		err = fmt.Errorf("the echo of %q was %q", message, answer)
	}
	return err
}

// serve is what the test binary does as an echo server.
func serve() error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(ln.Addr().(*net.TCPAddr).Port)
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		stop()
	}()
	return (&echo.Server{Log: os.Stderr}).Serve(ctx, ln)
}

// write makes the page and its picture.
func write(figures []figure, python string) error {
	docs := filepath.Join(root, "docs")
	if err := draw(figures, filepath.Join(docs, "python-figures.svg")); err != nil {
		return err
	}
	var page bytes.Buffer
	if err := pageTemplate.Execute(&page, map[string]any{
		"Figures": figures, "Python": python, "Go": strings.Replace(runtime.Version(), "go", "Go ", 1),
		"Machine": fmt.Sprintf("%s/%s, %d processors", runtime.GOOS, runtime.GOARCH, runtime.NumCPU()),
		"Clients": clients, "Rounds": rounds,
	}); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(docs, "python-figures.md"), page.Bytes(), 0o644)
}

var pageTemplate = template.Must(template.New("").Parse(`<!-- Written by make bench. -->

# The references against the Python programs

How much of each work is done in a second, by the source document's own programs and by the lab's reference solutions, measured in turns in one run: the median of {{.Rounds}}.
Machine: {{.Machine}}. {{.Python}}, {{.Go}}.

| work | counted | Python | Go | Go to Python |
| --- | --- | ---: | ---: | ---: |
{{range .Figures}}| {{.Title}} | {{.Of}} | {{.PythonRate}} | {{.GoRate}} | {{.Ratio}} |
{{end}}
![The same figures as a picture: for each work two dots on a logarithmic scale](python-figures.svg)

What to make of it:

- The two do not do the same thing. A Python process has memory of its own, and what goes through its queues and pipes is pickled, written and read; goroutines share memory and hand over a word. That is the price of isolation, and the reason why Go does without it.
- An asyncio future and a future of the lab both live in one process. Python's callback waits for the next turn of the loop; the lab's runs within the settling call.
- The echo servers are asked by {{.Clients}} clients at a time, one connection a request, and log three lines for each.
- Transcoding is where Python is at its best: its codecs are written in C and treat the whole text at once, while the reference looks at one rune after the other.
`))

// picture is drawn on a logarithmic scale, a row a work, in units of SVG.
const (
	pictureLeft, pictureTop = 300, 50
	decade, row             = 70, 34
	firstDecade, decades    = 0, 8 // from 1 to 100 M in a second
)

func across(rate float64) float64 { return pictureLeft + decade*(math.Log10(rate)-firstDecade) }

// draw makes the picture.
func draw(figures []figure, file string) error {
	var svg bytes.Buffer
	type dots struct {
		Title      string
		Y          int
		Python, Go float64
	}
	type tick struct {
		X    float64
		Text string
	}
	bottom := pictureTop + row*len(figures)
	var rows []dots
	for i, f := range figures {
		rows = append(rows, dots{f.Title, pictureTop + row*i + row/2, across(f.Python), across(f.Go)})
	}
	var ticks []tick
	for i := range decades + 1 {
		rate := math.Pow10(firstDecade + i)
		ticks = append(ticks, tick{across(rate), spoken(rate)})
	}
	if err := pictureTemplate.Execute(&svg, map[string]any{
		"Rows": rows, "Ticks": ticks, "Top": pictureTop, "Bottom": bottom, "Labels": pictureLeft - 12,
		"TicksAt": bottom + 20, "CaptionAt": bottom + 42, "Middle": pictureLeft + decade*decades/2,
		"Width": pictureLeft + decade*decades + 40, "Height": bottom + 56,
	}); err != nil {
		return err
	}
	return os.WriteFile(file, svg.Bytes(), 0o644)
}

var pictureTemplate = template.Must(template.New("").Parse(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {{.Width}} {{.Height}}" font-family="sans-serif" font-size="14">
<style>
svg { background: #fff; color: #222 } text { fill: currentColor } .grid { stroke: #8885 } .both { stroke: #888; stroke-width: 2 }
.python { fill: #e69f00 } .go { fill: #0072b2 }
@media (prefers-color-scheme: dark) { svg { background: #181818; color: #ddd } .go { fill: #56b4e9 } }
</style>
<circle class="python" cx="{{.Labels}}" cy="24" r="6"/><text x="{{.Labels}}" y="29" dx="12">Python</text>
<circle class="go" cx="{{.Labels}}" cy="24" r="6" transform="translate(90)"/><text x="{{.Labels}}" y="29" dx="102">Go</text>
{{range .Ticks}}<line class="grid" x1="{{printf "%.1f" .X}}" x2="{{printf "%.1f" .X}}" y1="{{$.Top}}" y2="{{$.Bottom}}"/><text x="{{printf "%.1f" .X}}" y="{{$.TicksAt}}" text-anchor="middle">{{.Text}}</text>
{{end}}<text x="{{.Middle}}" y="{{.CaptionAt}}" text-anchor="middle">in a second</text>
{{range .Rows}}<text x="{{$.Labels}}" y="{{.Y}}" dy="5" text-anchor="end">{{.Title}}</text><line class="both" x1="{{printf "%.1f" .Python}}" x2="{{printf "%.1f" .Go}}" y1="{{.Y}}" y2="{{.Y}}"/><circle class="python" cx="{{printf "%.1f" .Python}}" cy="{{.Y}}" r="6"/><circle class="go" cx="{{printf "%.1f" .Go}}" cy="{{.Y}}" r="6"/>
{{end}}</svg>
`))

// spoken writes a number with the three digits that mean something.
func spoken(v float64) string {
	switch {
	case v >= 1e9:
		return fmt.Sprintf("%.3g G", v/1e9)
	case v >= 1e6:
		return fmt.Sprintf("%.3g M", v/1e6)
	case v >= 1000:
		return fmt.Sprintf("%.3g k", v/1e3)
	}
	return fmt.Sprintf("%.3g", v)
}
