package echo

import conclab "conclab/internal/contract/echo"

// What you wrote goes behind the contract that the tests are written against.
// There is nothing to do in here: where the compiler finds fault with it,
// echo.go lacks what the lesson asks for, or has it with another type.
func init() {
	conclab.Handle = Handle
	conclab.ProvideServer[*Server](func(s *conclab.Server) *Server {
		return &Server{Log: s.Log, IdleTimeout: s.IdleTimeout, MaxConns: s.MaxConns}
	})

	conclab.Declared.Serve = (*Server).Serve
}
