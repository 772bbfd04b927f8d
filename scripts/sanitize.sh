#!/usr/bin/env bash
# Everything under the sanitizers: sanitize.sh [core] [threads], by default both. Prints how many tests ran under each.
#   core     native tests, and the corpus of the fuzz targets, under AddressSanitizer, LeakSanitizer and UndefinedBehaviorSanitizer
#   threads  native tests of what runs on several threads under ThreadSanitizer
# valgrind is for none of it: what it would see, these see, and it knows no AVX-512.
set -euo pipefail
cd "$(dirname "$0")/.."
export UBSAN_OPTIONS=print_stacktrace=1

core() {
  echo "== native tests under address, leak and undefined"
  ASAN_OPTIONS=detect_leaks=1 bash scripts/native-tests.sh build/native-tests-sanitized -DFER_SANITIZE=address,undefined -DFER_FUZZ=ON
}

threads() {
  echo "== native tests under thread"
  # What has threads of its own: the team and what it computes, batches of perturbations, lanes of inference, training.
  FER_TESTS=${FER_TESTS:-'ThreadPool|Perturb|Sampling|PackedWeights|TrainerRequest|Cpu|cpu'} TSAN_OPTIONS=halt_on_error=1 \
    bash scripts/native-tests.sh build/native-tests-thread -DFER_SANITIZE=thread
}

[ $# -gt 0 ] || set -- core threads
for part in "$@"; do "$part"; done
