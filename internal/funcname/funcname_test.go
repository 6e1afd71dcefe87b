package funcname_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"conclab/internal/funcname"
)

func TestShort(t *testing.T) {
	for function, want := range map[string]string{
		"conclab/exercises/queues.(*Queue[...]).Put.func1":              "Queue.Put",
		"conclab/exercises/queues.(*Queue[go.shape.int]).Put":           "Queue.Put",
		"conclab/exercises/queues.New[map[string]conclab/x.T].func1.2":  "New",
		"conclab/exercises/processes.RunTasks.gowrap1":                  "RunTasks",
		"conclab/exercises/processes.Process.Start.deferwrap1":          "Process.Start",
		"conclab/exercises/coroutines_test.TestAll.func1.Gather[...].2": "Gather",
		"conclab/exercises/echo.glob..func1":                            "glob.",
		"main.main":                                                     "main",
		"main.func1":                                                    "func1",
		"main":                                                          "main",
		"":                                                              "",
	} {
		assert.Equal(t, want, funcname.Short(function), function)
	}
}
