// Package bench measures what the lab promises about speed; make bench runs it.
// It holds benchmarks only. Each compares within one run of one machine, and
// fails nobody: a figure is for people to read.
package bench
