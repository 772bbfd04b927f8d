// A stand-in for libcudnn.so.9 that, like the real one, opens its sub-libraries at the first call and aborts the process
// when one is missing. Compiled with CUDA (such as 12090), what it was built for, and VERSION (such as 91002).
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

static void open_all(void) {
  static const char* const names[] = {"libcudnn_graph.so.9", "libcudnn_ops.so.9", "libcudnn_cnn.so.9", "libcudnn_adv.so.9",
                                      "libcudnn_engines_precompiled.so.9", "libcudnn_engines_runtime_compiled.so.9", "libcudnn_heuristic.so.9"};
  for (size_t i = 0; i < sizeof names / sizeof *names; ++i)
    if (!dlopen(names[i], RTLD_NOW)) {
      fprintf(stderr, "Unable to load %s\nInvalid handle.\n", names[i]);
      abort();
    }
}

size_t cudnnGetVersion(void) {
  open_all();
  return VERSION;
}
size_t cudnnGetCudartVersion(void) { return CUDA; }
