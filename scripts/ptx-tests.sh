#!/usr/bin/env bash
# The CUDA kernels' real PTX on the CPU (native/test/ptx): every op in fp32, tf32 and bf16 under an interpreter that reports what a GPU
# would fault at, races included; then the same results, bit for bit, as the kernels compiled for the host (cuda_on_host).
#   ptx-tests.sh <build folder> [--networks]     --networks: whole networks too, some ten minutes
# Needs what `npm run build:cuda` needs. FER_PTX_MULTIPROCESSORS, FER_PTX_RACES=0 and FER_PTX_MUTATE=<kernel>|<find>|<replace>|<n> are
# for trials: of another GPU, without race checks, with the n-th such text of a kernel's PTX replaced.
set -euo pipefail
cd "$(dirname "$0")/.."
folder=$1
mapfile -t toolkit < <(bash scripts/cuda-toolkit.sh)
generator=()
command -v ninja >/dev/null && generator=(-G Ninja)
cmake -S . -B "$folder" "${generator[@]}" -DFER_ADDON=OFF -DFER_TESTS=ON -DFER_PTX=ON -DCMAKE_CUDA_COMPILER="${toolkit[0]}/bin/nvcc" \
  -DCMAKE_PREFIX_PATH="$PWD/build/googletest/usr" >"$folder-ptx.log" 2>&1 || { cat "$folder-ptx.log"; exit 1; }
cmake --build "$folder" --target ptx_tests ptx_exact_tests native_tests --parallel "$(nproc)" >"$folder-ptx.log" 2>&1 ||
  { tail -50 "$folder-ptx.log"; exit 1; }

export FER_CUDA_KERNELS=own
ops='*OpTest*cuda_on_host*:*OpTest*cuda_as_plugin*:*CudaProductsTest*'
wide=(--gtest_filter="Ptx*:$ops")
[ "${2-}" = --networks ] && wide=(--gtest_filter="Ptx*:$ops:*NetworkTest*cuda_on_host_*:CudaModes*:-*LaunchesWhat*")
"$folder/ptx_tests" "${wide[@]}" >"$folder-ptx.log" 2>&1 || { grep -E 'FAILED|Failure|^PTX' -A4 "$folder-ptx.log" | tail -60; exit 1; }
tail -1 "$folder-ptx.log"

# Races were looked for above; the products of tensor cores are summed in the shim's order, which is one a GPU might take. The loss is
# made of each library's own exponential and logarithm.
exact=(--gtest_filter="$ops:-*AreBitIdentical*:*TensorCores*:*LossOp*:*DistillationOp*")
FER_PTX_RACES=0 FER_PTX_MMA_AS_SHIM=1 "$folder/ptx_exact_tests" "${exact[@]}" --gtest_output="json:$folder/ptx.json" >"$folder-ptx.log" 2>&1 ||
  { tail -30 "$folder-ptx.log"; exit 1; }
"$folder/native_tests" "${exact[@]}" --gtest_output="json:$folder/host.json" >"$folder-ptx.log" 2>&1 || { tail -30 "$folder-ptx.log"; exit 1; }
node -e '
  const bits = (file) => new Map(JSON.parse(require("fs").readFileSync(file, "utf8")).testsuites
    .flatMap(({ name, testsuite }) => testsuite.map((test) => [`${name}.${test.name}`, test.bits])).filter(([, bits]) => bits));
  const [ptx, host] = [bits(process.argv[1]), bits(process.argv[2])];
  const apart = [...host].filter(([name, of]) => ptx.get(name) !== of);
  for (const [name] of apart) console.error(`FAILED  other bits: ${name}`);
  console.log(`${host.size - apart.length} of ${host.size} tests give the same bits as on the host`);
  process.exit(apart.length > 0 || host.size === 0 ? 1 : 0);' "$folder/ptx.json" "$folder/host.json"
