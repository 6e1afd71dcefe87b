package queues

import conclab "conclab/internal/contract/queues"

// What you wrote goes behind the contract that the tests are written against.
// There is nothing to do in here: where the compiler finds fault with it,
// queues.go lacks what the lesson asks for, or has it with another type.
func init() {
	conclab.ErrClosed = ErrClosed
	conclab.Sleepy, conclab.Work = Sleepy, Work
	conclab.ProvideNew[int, *Queue[int]](New[int])
	conclab.ProvideNew[error, *Queue[error]](New[error])
	conclab.ProvideNew[[]int, *Queue[[]int]](New[[]int])
	conclab.ProvideNew[struct{}, *Queue[struct{}]](New[struct{}])

	conclab.Declared.Put = (*Queue[int]).Put
	conclab.Declared.Get = (*Queue[int]).Get
	conclab.Declared.Len = (*Queue[int]).Len
	conclab.Declared.Close = (*Queue[int]).Close
}
