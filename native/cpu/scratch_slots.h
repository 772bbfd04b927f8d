// Names of the pieces of a thread's scratch. Pieces that live at the same time have different names.
#pragma once

namespace fer::cpu {

enum ScratchSlot : int {
  kRing,           // three normalised rows
  kZeros,          // one row of zeros
  kDepthwiseOut,   // depthwise result where the caller keeps none
  kGradient,       // dz of one group
  kDepthwiseGrad,  // gradient of the depthwise result, one group
  kInput,          // normalised input of one group
  kColumns,        // this thread's columns of a product
  kPacked,         // packed weights, thread 0's serves all
  kReversed,       // weights with their taps reversed, likewise
  kWeightGrad,     // this thread's part of a weight gradient
  kWeightGrad2,
  kSum,  // doubles, one a channel
  kSquare,
  kSumShortcut,
  kSlots,
};

}  // namespace fer::cpu
