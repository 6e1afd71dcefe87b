#!/bin/bash
# Grades a class with an array job of Slurm: one task a shard. Fill in the paths,
# and the account and partition if your cluster wants them; then
#
#   job=$(sbatch --parsable slurm.sh)
#   sbatch --dependency=afterany:$job slurm-merge.sh
#
# A task that is killed, preempted or requeued goes on where it stopped: every
# result is stored as soon as it is there.
#SBATCH --job-name=grade
#SBATCH --array=0-3
#SBATCH --cpus-per-task=2
#SBATCH --mem=2G
#SBATCH --time=01:00:00
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output=grade-%A-%a.log
set -euo pipefail

# On a file system that all nodes see.
: "${CONCLAB:=$HOME/conclab}"       # the clone
: "${LAB:=$CONCLAB/lab}"            # built by: go build -o lab ./cmd/lab
: "${SUBMISSIONS:=$HOME/submissions}"
: "${RESULTS:=$HOME/results}"
: "${POLICY:=}"                     # a policy file, if you have one

echo "shard $((SLURM_ARRAY_TASK_ID + 1)) of $SLURM_ARRAY_TASK_COUNT, start $((${SLURM_RESTART_COUNT:-0} + 1)), on $(hostname)"
# exec: a signal from Slurm reaches the lab itself.
exec "$LAB" grade "$SUBMISSIONS" --root "$CONCLAB" ${POLICY:+--policy "$POLICY"} ${ISOLATION:+--isolation "$ISOLATION"} \
	--jobs "${SLURM_CPUS_PER_TASK:-1}" \
	--shard "$((SLURM_ARRAY_TASK_ID + 1))/$SLURM_ARRAY_TASK_COUNT" \
	--out "$RESULTS/shard-$SLURM_ARRAY_TASK_ID"
