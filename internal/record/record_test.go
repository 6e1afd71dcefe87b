package record_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"conclab/internal/record"
)

var key = record.NewKey()

func written(t *testing.T, lines ...record.Line) string {
	var b bytes.Buffer
	w := record.NewWriter(&b, key)
	for _, l := range lines {
		require.NoError(t, w.Write(l))
	}
	return b.String()
}

var whole = []record.Line{
	{Kind: record.Begun},
	{Kind: record.Ended, Test: "TestA/TestX"},
	{Kind: record.Ended, Test: "TestA/TestY", Failed: true},
	{Kind: record.Canaries, Dead: []string{record.CanaryAssertion}},
	{Kind: record.Whole},
}

func TestARecordIsReadAsItWasWritten(t *testing.T) {
	r := record.Read(strings.NewReader(written(t, whole...)), key)
	assert.True(t, r.Begun && r.Whole)
	assert.Empty(t, r.Forged)
	assert.Equal(t, []string{record.CanaryAssertion}, r.Dead)
	assert.False(t, r.Ended["TestA/TestX"].Failed)
	assert.True(t, r.Ended["TestA/TestY"].Failed)
}

func TestARecordThatIsCutOffIsNotWhole(t *testing.T) {
	lines := strings.SplitAfter(written(t, whole...), "\n")
	for n := range len(whole) {
		r := record.Read(strings.NewReader(strings.Join(lines[:n], "")), key)
		assert.False(t, r.Whole, n)
		assert.Empty(t, r.Forged, n)
	}
}

func TestForgeriesAreFound(t *testing.T) {
	genuine := strings.SplitAfter(written(t, whole...), "\n")[:len(whole)]
	line := func(n int) string { return genuine[n] }
	for name, text := range map[string]string{
		"another key":        string(writtenWith(record.NewKey(), whole)),
		"without a code":     `{"Kind":"begun"}` + "\n",
		"changed":            strings.ReplaceAll(written(t, whole...), `,"Failed":true`, ""),
		"left out":           line(0) + line(1) + line(3) + line(4),
		"twice":              line(0) + line(1) + line(1) + line(2),
		"in another order":   line(0) + line(2) + line(1),
		"goes on":            written(t, append(whole[:len(whole):len(whole)], record.Line{Kind: record.Ended, Test: "TestZ"})...),
		"garbage at the end": written(t, whole...) + "x\n",
		"without end":        strings.Repeat("x", 1<<20),
	} {
		assert.NotEmpty(t, record.Read(strings.NewReader(text), key).Forged, name)
	}
}

func writtenWith(other []byte, lines []record.Line) []byte {
	var b bytes.Buffer
	w := record.NewWriter(&b, other)
	for _, l := range lines {
		_ = w.Write(l)
	}
	return b.Bytes()
}
