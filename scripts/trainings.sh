#!/usr/bin/env bash
# The long trainings behind docs/report and models/, in the order in which they are wanted; what is finished is left alone, what was
# interrupted goes on from its checkpoint: trainings.sh <data set> <folder> [name ...]. FER_DEVICE=cuda runs them on a GPU.
#   wide     the packaged wide model, teacher of the others                         hours on two cores: 2
#   taught   narrow networks that it teaches, three seeds                                               4
#   paper    the paper's C1 to C4 with the wide network (Tables 1 and 2)                               20
#   seeds    narrow under the presets paper and clean, three seeds                                      1
# Needs: npm run build.
set -euo pipefail
cd "$(dirname "$0")/.."
usage='expected trainings.sh <data set> <folder> [wide] [taught] [paper] [seeds]'
data=${1:?$usage} folder=${2:?$usage}
shift 2
fer() { node dist/cli/main.js "$@"; }

train() { # <name> <flags>
  local out=$folder/$1
  shift
  if [ -f "$out/evaluation.json" ]; then echo "$out is finished"
  elif [ -f "$out/last.safetensors" ]; then fer train --resume "$out"
  else fer train --data "$data" --out "$out" --precision bf16 "$@"; fi
}

# A wide network learns its images by heart where it sees them in few ways.
wide() {
  train wide --preset clean --width wide --epochs 60 --learning-rate 0.004 --weight-decay 0.05 \
    --rotation 15 --shift 0.1 --zoom 0.15 --cutout 0.5 --cutout-size 0.4
}
taught() { for seed in 0 1 2; do train "taught-$seed" --preset clean --width narrow --teacher "$folder/wide/model.safetensors" --seed "$seed"; done; }
paper() { fer experiment hyperparameters --data "$data" --out "$folder/paper" --precision bf16; }
seeds() { fer experiment width --data "$data" --out "$folder/seeds" --widths narrow --presets paper clean --seeds 0 1 2; }

[ $# -gt 0 ] || set -- wide taught paper seeds
for name in "$@"; do
  case $name in wide | taught | paper | seeds) "$name" ;; *) echo "$usage, got $name" >&2; exit 2 ;; esac
done
