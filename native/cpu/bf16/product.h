// product(m, n, operands, c, ...): one block, in tile registers or in vectors.
#pragma once
#ifdef FER_TILES
#include "cpu/bf16/tile_product.h"
#else
#include "cpu/bf16/pair_product.h"
#endif
