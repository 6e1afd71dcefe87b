package encoding

import conclab "conclab/internal/contract/encoding"

// What you wrote goes behind the contract that the tests are written against.
// There is nothing to do in here: where the compiler finds fault with it,
// encoding.go lacks what the lesson asks for, or has it with another type.
func init() {
	conclab.ErrUnknown = ErrUnknown
	conclab.Decode, conclab.Encode = Decode, Encode
	conclab.Truncate, conclab.Declared.Sandwich = Truncate, Sandwich
	conclab.Transcode = Transcode
	conclab.ProvideError[*Error](
		func(e *Error) string { return e.Encoding },
		func(e *Error) int64 { return e.Offset },
	)
}
