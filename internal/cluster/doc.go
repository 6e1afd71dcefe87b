// Package cluster holds the proof of docs/cluster: its tests run the scripts that
// stand there on a real Slurm, of one node and started by themselves, and hold the
// files for Kubernetes and GitHub against their forms. There is nothing to import.
package cluster
