# The CPU backend's inner loops, once an instruction set of the processor built for: FER_KERNEL_OBJECTS. Which of them runs is
# chosen by native/cpu/architecture/${FER_ARCHITECTURE}.cc.

# fer_kernels(<namespace> <name> <folder of native/cpu with the products> <flags ...>): these and the passes
function(fer_kernels namespace name folder)
  file(GLOB sources CONFIGURE_DEPENDS native/cpu/passes/*.cc native/cpu/${folder}/*.cc)
  add_library(fer_kernels_${namespace} OBJECT ${sources})
  target_include_directories(fer_kernels_${namespace} PRIVATE native)
  target_compile_definitions(fer_kernels_${namespace} PRIVATE FER_ISA=${namespace} FER_ISA_NAME="${name}")
  target_compile_options(fer_kernels_${namespace} PRIVATE -O3 -ffp-contract=fast -fno-math-errno -fno-trapping-math ${ARGN})
endfunction()

# The same, and part of the product.
set(FER_KERNEL_OBJECTS "")
macro(fer_instruction_set namespace)
  fer_kernels(${namespace} ${ARGN})
  list(APPEND FER_KERNEL_OBJECTS $<TARGET_OBJECTS:fer_kernels_${namespace}>)
endmacro()

if(NOT FER_X86_64)
  set(FER_X86_64 x86-64-v)  # zig calls the levels otherwise
endif()
set(FER_512 -march=${FER_X86_64}4 -mprefer-vector-width=512)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64)$")
  set(FER_ARCHITECTURE x86_64)
  fer_instruction_set(v2 x86-64-v2 products -march=${FER_X86_64}2)
  fer_instruction_set(v3 x86-64-v3 products -march=${FER_X86_64}3)
  fer_instruction_set(v4 x86-64-v4 products ${FER_512})
  fer_instruction_set(avx512_bf16 avx512-bf16 bf16 ${FER_512} -mavx512bf16 -mprfchw)
  fer_instruction_set(amx_bf16 amx-bf16 bf16 ${FER_512} -mavx512bf16 -mprfchw -mamx-tile -mamx-bf16 -DFER_TILES)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "^(aarch64|arm64)$")
  set(FER_ARCHITECTURE aarch64)
  fer_instruction_set(neon neon products)
else()
  message(FATAL_ERROR "there are CPU kernels for x86-64 and 64-bit ARM, none for ${CMAKE_SYSTEM_PROCESSOR}")
endif()
