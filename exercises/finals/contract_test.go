package finals

import conclab "conclab/internal/contract/finals"

// What you wrote goes behind the contract that the tests are written against.
// There is nothing to do in here: where the compiler finds fault with it,
// finals.go lacks what the lesson asks for, or has it with another type.
func init() {
	conclab.ProvideParse[Request](Parse, func(r Request) (op, arg string) { return r.Op, r.Arg })
	conclab.ProvidePingOp[Pinger](PingOp, func(p conclab.Pinger) Pinger { return p })
	conclab.ProvideGetOp(GetOp)
	conclab.ProvideServer[*Server](func(s *conclab.Server) *Server {
		return &Server{Ops: conclab.Operations[Operation](s.Ops), Timeout: s.Timeout, MaxConns: s.MaxConns}
	})

	conclab.Declared.Parse = Parse
	conclab.Declared.PingOp = PingOp
	conclab.Declared.GetOp = GetOp
	conclab.Declared.Serve = (*Server).Serve
}
