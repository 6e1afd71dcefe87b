package locks

import conclab "conclab/internal/contract/locks"

// What you wrote goes behind the contract that the tests are written against.
// There is nothing to do in here: where the compiler finds fault with it,
// locks.go lacks what the lesson asks for, or has it with another type.
func init() {
	conclab.Hello = Hello
	conclab.Provide[*Screen, *Tally, Cell](NewScreen, NewTally, Crew, func(c conclab.Cell) Cell { return c })

	conclab.Declared.Print = (*Screen).Print
	conclab.Declared.PrintContext = (*Screen).PrintContext
	conclab.Declared.NewTally = NewTally
	conclab.Declared.Add = (*Tally).Add
	conclab.Declared.Total = (*Tally).Total
	conclab.Declared.Crew = Crew
}
