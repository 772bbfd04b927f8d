// The checks of run.mjs: what each is about, the packages from PyPI and npm that it asks, and its file.
export const CHECKS = {
  onnx: {
    about: 'exported models by onnx.checker, their logits and predictions by ONNX Runtime',
    requirements: ['onnx==1.23.2', 'onnxruntime==1.32.0', 'numpy==2.4.6'],
    load: () => import('./onnx/check.mjs'),
  },
  torch: {
    about: 'model files in PyTorch, by examples/pytorch/mini_xception.py, and back',
    requirements: ['torch==2.15.0', 'safetensors==0.8.0', 'numpy==2.4.6'],
    load: () => import('./torch/check.mjs'),
  },
  huggingface: {
    about: "folders for Hugging Face's hub in transformers.js, and their cards by huggingface_hub",
    requirements: ['huggingface_hub==2.4.0'],
    packages: ['@huggingface/transformers@4.3.2'],
    load: () => import('./huggingface/check.mjs'),
  },
  tensorboard: {
    about: "a training's event files, read by TensorBoard",
    requirements: ['tensorboard==2.21.0'],
    load: () => import('./tensorboard/check.mjs'),
  },
  mlflow: {
    about: 'a training on a tracking server that this starts, read by the MLflow client',
    requirements: ['mlflow==3.17.2'],
    load: () => import('./mlflow/check.mjs'),
  },
};
