package intake_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"conclab/internal/intake"
)

func TestANameInAGradebookFindsItsSubmission(t *testing.T) {
	for name, id := range map[string]string{
		"s07": "s07", "Jane.Doe@uni.edu": "jane.doe-uni.edu", "Müller": "muller", "a.zip": "a", "": "",
	} {
		assert.Equal(t, id, intake.ID(name), name)
	}
}

func TestAnotherFormIsNoOtherName(t *testing.T) {
	assert.True(t, intake.Same("alice", "alice.zip"))
	assert.True(t, intake.Same("alice.TGZ", "alice.tar.gz"))
	assert.False(t, intake.Same("alice", "Alice"))
}
