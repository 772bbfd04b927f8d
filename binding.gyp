{
  # node-gyp's door to the one build, which is CMake's: scripts/build.mjs --native.
  "targets": [{
    "target_name": "fer-cudnn-build",
    "type": "none",
    "actions": [{
      "action_name": "cmake",
      "inputs": ["CMakeLists.txt"],
      "outputs": ["build/Release/fer-cudnn.node"],
      "action": ["node", "scripts/build.mjs", "--native"],
    }],
  }],
}
