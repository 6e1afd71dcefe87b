package echo

import conclab "conclab/internal/contract/echo"

// What you wrote goes behind the contract that the tests are written against.
// Read the tests in echo_test.go; there is nothing to do in here.
func init() {
	conclab.Handle = Handle
	conclab.ProvideServer[*Server](func(s *conclab.Server) *Server {
		return &Server{Log: s.Log, IdleTimeout: s.IdleTimeout, MaxConns: s.MaxConns}
	})

	conclab.Declared.Serve = (*Server).Serve
}
