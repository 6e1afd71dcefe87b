#!/bin/bash
# Puts the shards of slurm.sh together. It may run again: merging twice changes
# nothing, and a shard that is missing or stands in two places is an error.
#SBATCH --job-name=grade-merge
#SBATCH --time=00:10:00
#SBATCH --output=grade-merge-%j.log
set -euo pipefail

: "${CONCLAB:=$HOME/conclab}"
: "${LAB:=$CONCLAB/lab}"
: "${RESULTS:=$HOME/results}"
: "${POLICY:=}"

"$LAB" grade merge --root "$CONCLAB" --out "$RESULTS/all" "$RESULTS"/shard-*
exec "$LAB" grade report "$RESULTS/all" --root "$CONCLAB" ${POLICY:+--policy "$POLICY"} --format csv --out "$RESULTS/marks.csv"
