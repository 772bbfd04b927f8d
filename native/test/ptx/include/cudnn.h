// The pretended cuDNN: its own declarations, for the backend's sources as for the tests.
#pragma once
#include "test/cuda_on_host/cudnn.h"
