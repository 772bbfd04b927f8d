#!/usr/bin/env bash
# Everything under the sanitizers: sanitize.sh [core] [threads] [addon], by default all three. Prints how many tests ran under each.
#   core     native tests, and the corpus of the fuzz targets, under AddressSanitizer, LeakSanitizer and UndefinedBehaviorSanitizer
#   threads  native tests of what runs on several threads under ThreadSanitizer
#   addon    the addon built with AddressSanitizer and UndefinedBehaviorSanitizer, under the tests of the API in Node, workers included
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

# Node itself is not instrumented: the run time must be there before it, and what Node and other packages keep to the end of the
# process (sanitize-leaks.txt) is not the addon's leak. node-gyp-build looks for the addon where FER_CUDNN_PREBUILD says.
addon() {
  echo "== the addon under address, leak and undefined, in Node"
  local folder=build/addon-sanitized headers generator=()
  command -v ninja >/dev/null && generator=(-G Ninja)
  headers="$PWD/node_modules/node-addon-api;$PWD/node_modules/node-api-headers/include"
  cmake -S . -B "$folder" "${generator[@]}" -DFER_SANITIZE=address,undefined -DCMAKE_JS_INC="$headers" \
    -DCMAKE_LIBRARY_OUTPUT_DIRECTORY="$PWD/$folder/build/Release" >"$folder.log" 2>&1 || { cat "$folder.log"; exit 1; }
  cmake --build "$folder" --target fer-cudnn --parallel "$(nproc)" >"$folder.log" 2>&1 || { tail -50 "$folder.log"; exit 1; }
  # shellcheck disable=SC2086 # files, one a word
  FER_CUDNN_PREBUILD=$PWD/$folder LD_PRELOAD=$(${CXX:-c++} -print-file-name=libasan.so) ASAN_OPTIONS=detect_leaks=1 \
    LSAN_OPTIONS=suppressions=$PWD/scripts/sanitize-leaks.txt:print_suppressions=0 \
    node node_modules/vitest/vitest.mjs run $FER_API_TESTS --no-file-parallelism
}

FER_API_TESTS=${FER_API_TESTS:-test/model.test.ts test/network test/training test/perturb}
[ $# -gt 0 ] || set -- core threads addon
for part in "$@"; do "$part"; done
