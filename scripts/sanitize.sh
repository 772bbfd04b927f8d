#!/usr/bin/env bash
# Everything under the sanitizers: sanitize.sh [core] [addon] [threads], by default all. Prints what ran under each.
#   core     native tests, and the corpus of the fuzz targets, under AddressSanitizer, LeakSanitizer and UndefinedBehaviorSanitizer
#   addon    what a program does with the package, in Node with workers, under AddressSanitizer and UndefinedBehaviorSanitizer; V8 and its
#            libraries leave memory to the end of the process, so leaks there are the soak's to see. Needs: npm run build
#   threads  native tests of what runs on several threads under ThreadSanitizer
# valgrind is for none of it: what it would see, these see, and it knows no AVX-512.
set -euo pipefail
cd "$(dirname "$0")/.."
export UBSAN_OPTIONS=print_stacktrace=1

sanitized=build/native-tests-sanitized

core() {
  echo "== native tests under address, leak and undefined"
  # The addon is built with them: what it links is the same.
  ASAN_OPTIONS=detect_leaks=1 bash scripts/native-tests.sh $sanitized -DFER_SANITIZE=address,undefined -DFER_FUZZ=ON \
    -DFER_ADDON=ON "-DCMAKE_JS_INC=$(bash scripts/node-headers.sh)"
}

addon() {
  [ -f $sanitized/fer-cudnn.node ] || FER_TESTS=NetworkSpec core
  echo "== the addon in Node under address and undefined"
  mkdir -p $sanitized/build/Release
  ln -sf ../../fer-cudnn.node $sanitized/build/Release/
  # Node is not built with the sanitizers, so their libraries are loaded before it.
  FER_CUDNN_PREBUILD=$PWD/$sanitized LD_PRELOAD="$(${CC:-cc} -print-file-name=libasan.so) $(${CC:-cc} -print-file-name=libubsan.so)" \
    ASAN_OPTIONS=detect_leaks=0 node test/soak/run.mjs --rounds 1 --out build/soak/sanitized
}

threads() {
  echo "== native tests under thread"
  # What has threads of its own: the team and what it computes, batches of perturbations, lanes of inference, training.
  FER_TESTS=${FER_TESTS:-'ThreadPool|Perturb|Sampling|PackedWeights|TrainerRequest|Cpu|cpu'} TSAN_OPTIONS=halt_on_error=1 \
    bash scripts/native-tests.sh build/native-tests-thread -DFER_SANITIZE=thread
}

[ $# -gt 0 ] || set -- core addon threads
for part in "$@"; do "$part"; done
