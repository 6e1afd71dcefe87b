package processes

import conclab "conclab/internal/contract/processes"

// What you wrote goes behind the contract that the tests are written against.
// There is nothing to do in here: where the compiler finds fault with it,
// processes.go lacks what the lesson asks for, or has it with another type.
func init() {
	conclab.ErrStarted, conclab.ErrNotStarted = ErrStarted, ErrNotStarted
	conclab.PrintTask, conclab.RunTasks = PrintTask, RunTasks
	conclab.ProvideProcess[*Process, Runner](NewProcess, Spawn, func(r conclab.Runner) Runner { return r })
	conclab.ProvideSpider(func(addr string, out conclab.Writer) *Spider { return &Spider{Addr: addr, Out: out} })
	conclab.ProvideCrash(
		func(e *CrashError) any { return e.Value },
		func(e *CrashError) []byte { return e.Stack },
		func(value any) *CrashError { return &CrashError{Value: value} },
	)

	conclab.Declared.Start = (*Process).Start
	conclab.Declared.Join = (*Process).Join
	conclab.Declared.IsAlive = (*Process).IsAlive
	conclab.Declared.Run = (*Spider).Run
}
