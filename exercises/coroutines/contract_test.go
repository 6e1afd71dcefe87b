package coroutines

import conclab "conclab/internal/contract/coroutines"

// What you wrote goes behind the contract that the tests are written against.
// Read the tests in coroutines_test.go; there is nothing to do in here.
func init() {
	conclab.ErrNoDomain = ErrNoDomain
	conclab.Provide(WaitHere, ShowMe, ExtractDomain, PrintDomain)
	conclab.ProvideThen(Then[string, int])
	conclab.ProvideThen(Then[string, string])
	conclab.ProvideThen(Then[int, int])
	conclab.ProvideGather(Gather[int])
	conclab.ProvideGather(Gather[string])
	conclab.ProvideGather(Gather[error])
	conclab.ProvideWithTimeout(WithTimeout[int])
	conclab.ProvideWithTimeout(WithTimeout[string])
	conclab.ProvideWithTimeout(WithTimeout[error])

	conclab.Declared.WaitHere = WaitHere
	conclab.Declared.ShowMe = ShowMe
	conclab.Declared.ExtractDomain = ExtractDomain
	conclab.Declared.PrintDomain = PrintDomain
	conclab.Declared.Then = Then[string, int]
	conclab.Declared.Gather = Gather[int]
	conclab.Declared.WithTimeout = WithTimeout[int]
}
