#!/usr/bin/env bash
# Starts a whole Slurm cluster of one node in a folder of its own and runs a
# command in it: one-node.sh DIR COMMAND [ARG…]. When the command ends, or this
# script is stopped, so do the daemons. It needs root, and Debian's packages
# slurm-wlm and munge (or the like elsewhere), of which it uses the programs only:
# no service, no file in /etc, no user of yours.
set -euo pipefail

dir=$1
shift
mkdir -p "$dir"
dir=$(cd "$dir" && pwd)
user=$(id -un munge 2>/dev/null || echo root)
mkdir -p "$dir"/{state,spool,munge}
chmod 755 "$dir"
chown "$user" "$dir/munge"
chmod 755 "$dir/munge"

daemons=()
stop() {
	trap - EXIT
	# Steps outlive the daemons: they are to end first.
	if [ -n "${SLURM_CONF:-}" ]; then
		timeout 5 scancel --quiet --user="$(id -un)" 2>/dev/null || true
		for _ in {1..50}; do
			[ -n "$(timeout 5 squeue --noheader 2>/dev/null)" ] || break
			sleep 0.1
		done
	fi
	for ((i = ${#daemons[@]} - 1; i >= 0; i--)); do
		kill -TERM "${daemons[i]}" 2>/dev/null || true
	done
	for pid in "${daemons[@]}"; do
		for _ in {1..50}; do
			kill -0 "$pid" 2>/dev/null || break
			sleep 0.1
		done
		kill -KILL "$pid" 2>/dev/null || true
	done
}
trap stop EXIT
trap 'exit 130' INT TERM

# wait_for WHAT LOG CHECK…: until the check holds, or say why it never will.
wait_for() {
	local what=$1 log=$2
	shift 2
	for _ in {1..100}; do
		"$@" >/dev/null 2>&1 && return
		sleep 0.1
	done
	echo "one-node.sh: $what did not come up:" >&2
	tail -n 20 "$log" >&2
	exit 1
}

# munged speaks for who sends a message. It wants a key and a socket that are its
# own user's alone.
dd if=/dev/urandom of="$dir/munge/key" bs=1024 count=1 status=none
chown "$user" "$dir/munge/key"
chmod 400 "$dir/munge/key"
socket=$dir/munge/socket
setpriv --reuid="$user" --regid="$(id -g "$user")" --clear-groups \
	munged --foreground --num-threads=2 --key-file="$dir/munge/key" --socket="$socket" \
	--pid-file="$dir/munge/pid" --seed-file="$dir/munge/seed" --log-file="$dir/munge/log" >"$dir/munge.out" 2>&1 &
daemons+=($!)
wait_for munged "$dir/munge.out" test -S "$socket"

port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

name=$(hostname -s)
cat >"$dir/slurm.conf" <<CONF
ClusterName=onenode
SlurmctldHost=$name(127.0.0.1)
SlurmctldPort=$(port)
SlurmdPort=$(port)
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket=$socket,cred_expire=5
CredType=cred/munge
StateSaveLocation=$dir/state
SlurmdSpoolDir=$dir/spool
SlurmctldPidFile=$dir/slurmctld.pid
SlurmdPidFile=$dir/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=2
MpiDefault=none
SchedulerParameters=sched_interval=1,batch_sched_delay=0
KillWait=2
NodeName=$name NodeAddr=127.0.0.1 CPUs=$(nproc) RealMemory=$(($(sed -n "s/^MemTotal: *\([0-9]*\).*/\1/p" /proc/meminfo) / 1024)) State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
CONF
export SLURM_CONF=$dir/slurm.conf

slurmctld -D -f "$SLURM_CONF" >"$dir/slurmctld.out" 2>&1 &
daemons+=($!)
wait_for slurmctld "$dir/slurmctld.out" scontrol ping
slurmd -D -f "$SLURM_CONF" >"$dir/slurmd.out" 2>&1 &
daemons+=($!)
idle() { [ "$(sinfo -h -o %t)" = idle ]; }
wait_for "the node" "$dir/slurmd.out" idle

"$@"
