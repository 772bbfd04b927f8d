// A stand-in for the NVIDIA driver, as far as fer-cudnn asks it for facts. Compiled with VERSION (such as 12040), GPUS, and
// optionally MAJOR and MINOR (compute capability), INIT (what cuInit returns) or CRASH.
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef INIT
#define INIT 0
#endif
#ifndef MAJOR
#define MAJOR 8
#define MINOR 6
#endif

int cuInit(unsigned flags) {
  (void)flags;
#ifdef CRASH
  abort();
#endif
  return INIT ? INIT : GPUS ? 0 : 100;
}
int cuDriverGetVersion(int* version) { return *version = VERSION, 0; }
int cuDeviceGetCount(int* count) { return *count = GPUS, 0; }
int cuDeviceGet(int* device, int ordinal) { return *device = ordinal, 0; }
int cuDeviceGetName(char* name, int capacity, int device) { return snprintf(name, capacity, "Fake GPU %d", device), 0; }
int cuDeviceGetAttribute(int* value, int attribute, int device) {
  (void)device;
  *value = attribute == 75 ? MAJOR : attribute == 76 ? MINOR : 0;
  return 0;
}
int cuDeviceTotalMem_v2(size_t* bytes, int device) {
  (void)device;
  *bytes = (size_t)8 << 30;
  return 0;
}
int cuGetErrorName(int result, const char** name) {
  *name = result == 999 ? "CUDA_ERROR_UNKNOWN" : "CUDA_ERROR";
  return 0;
}
