package coroutines

import conclab "conclab/internal/contract/coroutines"

// What you wrote goes behind the contract that the tests are written against.
// There is nothing to do in here: where the compiler finds fault with it,
// coroutines.go lacks what the lesson asks for, or has it with another type.
func init() {
	conclab.ErrNoDomain = ErrNoDomain
	conclab.Provide[Coroutine[string]](WaitHere, ShowMe, ExtractDomain, PrintDomain)
	conclab.ProvideThen[Coroutine[string], Coroutine[int]](Then[string, int])
	conclab.ProvideThen[Coroutine[string], Coroutine[string]](Then[string, string])
	conclab.ProvideThen[Coroutine[int], Coroutine[int]](Then[int, int])
	conclab.ProvideGather[Coroutine[int], Coroutine[[]int]](Gather[int])
	conclab.ProvideGather[Coroutine[string], Coroutine[[]string]](Gather[string])
	conclab.ProvideGather[Coroutine[error], Coroutine[[]error]](Gather[error])
	conclab.ProvideWithTimeout[Coroutine[int]](WithTimeout[int])
	conclab.ProvideWithTimeout[Coroutine[string]](WithTimeout[string])
	conclab.ProvideWithTimeout[Coroutine[error]](WithTimeout[error])

	conclab.Declared.WaitHere = WaitHere
	conclab.Declared.ShowMe = ShowMe
	conclab.Declared.ExtractDomain = ExtractDomain
	conclab.Declared.PrintDomain = PrintDomain
	conclab.Declared.Then = Then[string, int]
	conclab.Declared.Gather = Gather[int]
	conclab.Declared.WithTimeout = WithTimeout[int]
}
