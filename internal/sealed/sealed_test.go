package sealed_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"conclab/internal/sealed"
)

var key = sealed.NewKey()

func written(t *testing.T, lines ...sealed.Line) string {
	var b bytes.Buffer
	w := sealed.NewWriter(&b, key)
	for _, l := range lines {
		require.NoError(t, w.Write(l))
	}
	return b.String()
}

var whole = []sealed.Line{
	{Kind: sealed.Begun},
	{Kind: sealed.Ended, Test: "TestA/TestX"},
	{Kind: sealed.Ended, Test: "TestA/TestY", Failed: true},
	{Kind: sealed.Canaries, Dead: []string{sealed.CanaryAssertion}},
	{Kind: sealed.Whole},
}

func TestARecordIsReadAsItWasWritten(t *testing.T) {
	r := sealed.Read(strings.NewReader(written(t, whole...)), key)
	assert.True(t, r.Begun && r.Whole)
	assert.Empty(t, r.Forged)
	assert.Equal(t, []string{sealed.CanaryAssertion}, r.Dead)
	assert.False(t, r.Ended["TestA/TestX"].Failed)
	assert.True(t, r.Ended["TestA/TestY"].Failed)
}

func TestARecordThatIsCutOffIsNotWhole(t *testing.T) {
	lines := strings.SplitAfter(written(t, whole...), "\n")
	for n := range len(whole) {
		r := sealed.Read(strings.NewReader(strings.Join(lines[:n], "")), key)
		assert.False(t, r.Whole, n)
		assert.Empty(t, r.Forged, n)
	}
}

func TestForgeriesAreFound(t *testing.T) {
	genuine := strings.SplitAfter(written(t, whole...), "\n")[:len(whole)]
	line := func(n int) string { return genuine[n] }
	for name, text := range map[string]string{
		"another key":        string(writtenWith(sealed.NewKey(), whole)),
		"without a code":     `{"Kind":"begun"}` + "\n",
		"changed":            strings.ReplaceAll(written(t, whole...), `,"Failed":true`, ""),
		"left out":           line(0) + line(1) + line(3) + line(4),
		"twice":              line(0) + line(1) + line(1) + line(2),
		"in another order":   line(0) + line(2) + line(1),
		"goes on":            written(t, append(whole[:len(whole):len(whole)], sealed.Line{Kind: sealed.Ended, Test: "TestZ"})...),
		"garbage at the end": written(t, whole...) + "x\n",
		"without end":        strings.Repeat("x", 1<<20),
	} {
		assert.NotEmpty(t, sealed.Read(strings.NewReader(text), key).Forged, name)
	}
}

func writtenWith(other []byte, lines []sealed.Line) []byte {
	var b bytes.Buffer
	w := sealed.NewWriter(&b, other)
	for _, l := range lines {
		_ = w.Write(l)
	}
	return b.Bytes()
}
