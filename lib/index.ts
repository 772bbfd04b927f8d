/** fer-cudnn: train, evaluate and run Mini_Xception facial-expression networks. */
export { FerError, type FerErrorCode } from './errors.js';
export { MiniXception, type CreateOptions, type EvaluateOptions, type ImageInput, type Pixels, type PredictOptions } from './model.js';
export type { Prediction } from './predict/prediction.js';
export { EXPLANATION_METHODS, type ExplainOptions, type Explanation, type ExplanationMethod } from './explain/explain.js';
export { drawExplanation, type DrawOptions } from './explain/draw.js';
export type { Device, DeviceOptions, Precision } from './device.js';
export { WIDTHS, resolveWidth, widthName, type Width, type WidthSpec } from './network/width.js';
export { loadDataSet, type LoadOptions } from './data/registry.js';
export { FER_CLASSES, type LabelledImages } from './data/data-set.js';
export { auditDataSet, type DataAudit } from './data/audit.js';
export { decodeImage, resizeBilinear, type Box, type GreyPicture } from './data/image.js';
export { syntheticFaces } from './data/synthetic.js';
export { classificationMetrics, wilsonInterval, type ClassificationMetrics, type ClassMetrics } from './metrics/index.js';
export { formatConfusionMatrix, formatReport } from './metrics/text.js';
export { OPTIONS, resolveConfig, type TrainingConfig } from './training/config.js';
export { PRESETS, type PresetName } from './training/presets.js';
export type { FitOptions, TrainingProgress, TrainingResult } from './training/loop.js';
export type { EpochRow } from './training/run-folder.js';
export { readModelFile, writeModelFile, type ModelFile, type ModelMetadata } from './network/model-file.js';
export { classDistributionChart, confusionMatrixChart, learningCurvesChart } from './charts/charts.js';
export { writeChart } from './charts/write.js';
export {
  perturb,
  perturbBatch,
  atSeverity,
  PERTURBATIONS,
  type ImageBatch,
  type Perturbation,
  type PerturbationType,
  type PerturbOptions,
  type Severity,
} from './perturb/index.js';
export { measureRobustness, type MeasureRobustnessOptions, type RobustnessMeasurement } from './experiments/robustness/measure.js';
export { PAPER_SERIES, SEVERITY_SERIES } from './experiments/robustness/series.js';
export {
  allExperiments,
  dataExperiment,
  explainExperiment,
  hyperparametersExperiment,
  robustnessExperiment,
  widthExperiment,
} from './experiments/index.js';
export { collectExperiments, type ExperimentProgress, type RunOptions, type RunOutcome } from './experiments/run/run.js';
export type { ExperimentOptions } from './experiments/options.js';
export { readGrid, type GridPoint } from './experiments/hyperparameters/grid.js';
export { writeReport } from './report/write.js';
export type { Comparison, Environment, ExperimentResult, Figure, Report, Table } from './report/result.js';
