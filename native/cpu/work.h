// How ops look at their input and cut their work; shared by forward and backward.
#pragma once
#include <algorithm>
#include <climits>

#include "backend.h"
#include "cpu/kernels.h"

namespace fer::cpu {

// What ops call floats, as it is stored.
template <class S>
const S* stored(const float* p) {
  return reinterpret_cast<const S*>(p);
}
template <class S>
S* stored(float* p) {
  return reinterpret_cast<S*>(p);
}

inline Affine pending(const View& view) { return view.bn ? Affine{view.bn->scale, view.bn->shift, true} : Affine{nullptr, nullptr, false}; }

// Cuts images of size x size pixels into pieces: enough pixels to fill the matrix kernel's tiles, few enough that a piece's
// tensors stay in the second-level cache. A piece is some rows of one image, or several whole small images.
class Cut {
 public:
  // `share`: the most rows a piece may have, where there are fewer images than threads.
  explicit Cut(int size, int share = INT_MAX) : size_(size), rows_(std::clamp(kPixels / size, 1, size)) {
    rows_ = std::min(rows_, std::max(share, 1));
    strips_ = (size + rows_ - 1) / rows_;
    images_ = strips_ > 1 ? 1 : std::max(1, kPixels / (size * size));
  }
  int strips() const { return strips_; }             // of an image
  int images() const { return images_; }             // at most, in a piece
  int most_rows() const { return images_ * rows_; }  // of a piece

 private:
  static constexpr int kPixels = 288;
  friend class Pieces;
  int size_, rows_, strips_, images_;
};

// Walks the pieces of strips [begin, end), counted over all images: while (pieces.next()) ...
class Pieces {
 public:
  Pieces(const Cut& cut, int begin, int end) : cut_(cut), next_(begin), end_(end) {}
  bool next() {
    if (next_ >= end_) return false;
    image = next_ / cut_.strips_;
    count = std::min(cut_.images_, end_ - next_);
    y0 = next_ % cut_.strips_ * cut_.rows_;
    y1 = std::min(y0 + cut_.rows_, cut_.size_);
    next_ += count;
    return true;
  }
  int pixels() const { return count * (y1 - y0) * cut_.size_; }
  // Where the piece begins in a tensor of this many channels.
  size_t offset(int channels) const { return (static_cast<size_t>(image) * cut_.size_ + y0) * cut_.size_ * channels; }

  int image = 0, count = 0;  // images [image, image + count), all rows; or
  int y0 = 0, y1 = 0;        // rows [y0, y1) of one

 private:
  Cut cut_;
  int next_, end_;
};

}  // namespace fer::cpu
