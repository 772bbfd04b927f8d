// The plan and its layout: lifetimes, and memory that values share only where they never live at once.
#include "network/plan.h"

#include <gtest/gtest.h>

#include "base/philox.h"
#include "network/fusion.h"
#include "network/layout.h"

namespace fer {
namespace {

TEST(PlanTest, LayersRunInOrderAndValuesLiveFromTheirMakerToTheirLastReader) {
  const Plan plan = make_plan({}, 8);
  for (size_t i = 0; i < plan.layers.size(); ++i)
    for (int in : plan.layers[i].inputs) {
      EXPECT_LT(plan.values[in].from, static_cast<int>(i)) << "layer " << i << " reads what is made later";
      EXPECT_GE(plan.values[in].last, static_cast<int>(i));
    }
  EXPECT_EQ(plan.values.front().name, "input");
  EXPECT_EQ(plan.values.back().channels, 7);
  EXPECT_EQ(plan.values.back().last, -1) << "nobody reads the logits";
  EXPECT_EQ(plan.parameter_count, 56951u);
  Spec wide{{32, 64}, {128, 256, 512, 1024}, 7, 48};
  EXPECT_EQ(make_plan(wide, 8).parameter_count, 2906151u);
}

// A layer of one channel is stored padded; only the picture is not. Products read beyond the weights where they disagree.
TEST(PlanTest, WeightsArePaddedAsTheValuesThatTheyMultiply) {
  for (int channels : {1, 2, 8, 9}) {
    const Plan plan = make_plan({{channels, channels}, {channels, channels}, 2, 20}, 8);
    for (const Layer& layer : plan.layers) {
      if (layer.kind != LayerKind::kConvolution || layer.depthwise) continue;
      EXPECT_EQ(plan.tensors[layer.tensors[0]].in_padded, plan.values[layer.inputs[0]].padded) << layer.name << " of " << channels;
      EXPECT_EQ(plan.tensors[layer.tensors[0]].out_padded, plan.values[layer.output].padded) << layer.name << " of " << channels;
    }
  }
}

TEST(FusionTest, TakesEveryLayerOnce) {
  for (int modules : {1, 4, 16}) {
    Spec spec;
    spec.modules.assign(modules, 8);
    spec.input_size = 512;
    const Plan plan = make_plan(spec, 8);
    const Fusion fusion = fuse(plan);
    EXPECT_EQ(fusion.ops.size(), 2u + 4u * modules + 1u);
    EXPECT_EQ(fusion.norms.size(), 2u + 3u * modules);
    EXPECT_EQ(fusion.ops.back().out, static_cast<int>(plan.values.size()) - 1);
  }
}

TEST(LayoutTest, PiecesInUseAtOnceLieApartAndOthersShare) {
  std::vector<Piece> pieces;
  for (uint32_t i = 0; i < 60; ++i) {
    const Draw draw = philox(4, {i, 0, 0, 0});
    const int first = static_cast<int>(draw[0] % 20);
    pieces.push_back({.size = 1 + draw[1] % 500, .first = first, .last = first + static_cast<int>(draw[2] % 4)});
  }
  const Layout layout = lay_out(pieces);
  size_t all = 0, most = 0;
  for (int step = 0; step < 24; ++step) {
    size_t live = 0;
    for (size_t i = 0; i < pieces.size(); ++i) {
      if (step < pieces[i].first || step > pieces[i].last) continue;
      live += (pieces[i].size + 15) / 16 * 16;
      for (size_t j = 0; j < i; ++j) {
        if (step < pieces[j].first || step > pieces[j].last) continue;
        EXPECT_TRUE(layout.offsets[i] + pieces[i].size <= layout.offsets[j] || layout.offsets[j] + pieces[j].size <= layout.offsets[i])
            << i << " and " << j << " at step " << step;
      }
    }
    most = std::max(most, live);
  }
  for (size_t i = 0; i < pieces.size(); ++i) {
    EXPECT_EQ(layout.offsets[i] % 16, 0u);
    EXPECT_LE(layout.offsets[i] + pieces[i].size, layout.size);
    all += pieces[i].size;
  }
  EXPECT_GE(layout.size, most);
  EXPECT_LT(layout.size, all / 2) << "memory is shared";
}

}  // namespace
}  // namespace fer
