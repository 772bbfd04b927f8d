/**
 * fer-cudnn: train, evaluate and run Mini_Xception facial-expression networks.
 * @module fer-cudnn
 */
export { FerError, type FerErrorCode } from './errors.js';
export { MiniXception } from './model.js';
export { PRETRAINED, type PretrainedModel, type PretrainedName } from './pretrained.js';
export type { CreateOptions } from './network/network.js';
export type { PredictOptions } from './predict/predict.js';
export type { EvaluatedOverlap, EvaluateOptions, Evaluation } from './evaluate/evaluate.js';
export type { Prediction } from './predict/prediction.js';
export { faceFinder, type FaceFinder, type FinderOptions, type OwnFaceFinder } from './faces/finder.js';
export type { FoundFace, Point } from './faces/blazeface.js';
export type { FacePrediction, PredictFacesOptions } from './faces/predict-faces.js';
export { drawFaces, type DrawFacesOptions } from './faces/draw.js';
export { EXPLANATION_METHODS, type ExplainOptions, type Explanation, type ExplanationMethod } from './explain/explain.js';
export { drawExplanation, type DrawOptions } from './explain/draw.js';
export type { Device, DeviceOptions, Precision } from './device.js';
export { WIDTHS, resolveWidth, widthName, type Width, type WidthSpec } from './network/width.js';
export { loadDataSet } from './data/registry.js';
export type { LoadOptions } from './data/form.js';
export { FER_CLASSES, type ClassMap, type ClassOrder } from './data/class-names.js';
export type { ClassOverlap } from './data/class-map.js';
export type { LabelledImages, Reading } from './data/data-set.js';
export { auditDataSet, type DataAudit } from './data/audit.js';
export {
  decodeImage,
  type Box,
  type ColourPicture,
  type GreyPicture,
  type ImageBatch,
  type ImageInput,
  type Pixels,
} from './data/image.js';
export { resizeBilinear } from './data/bilinear.js';
export { syntheticFaces } from './data/synthetic.js';
export { classificationMetrics, wilsonInterval, type ClassificationMetrics, type ClassMetrics } from './metrics/index.js';
export { formatConfusionMatrix, formatReport } from './metrics/text.js';
export { resolveConfig } from './training/config.js';
export { OPTIONS, type PresetName, type TrainingConfig } from './training/options.js';
export { PRESETS } from './training/presets.js';
export type { FitOptions, RunEnd, RunFacts, Tracker, TrainingProgress, TrainingResult } from './training/fit.js';
export { tensorBoard } from './tracking/tensorboard.js';
export { mlflow, type MlflowOptions } from './tracking/mlflow.js';
export type { EpochRow } from './metrics/epoch.js';
export type { OnnxOptions } from './onnx/options.js';
export { readModelFile, writeModelFile, type ModelFile, type ModelMetadata } from './network/model-file.js';
export type { Tensor } from './network/safetensors.js';
export { classDistributionChart, confusionMatrixChart, learningCurvesChart } from './charts/charts.js';
export { writeChart } from './charts/write.js';
export {
  perturb,
  perturbBatch,
  atSeverity,
  PERTURBATIONS,
  type Perturbation,
  type PerturbationType,
  type PerturbOptions,
  type Severity,
} from './perturb/index.js';
export { measureRobustness, type MeasureRobustnessOptions, type RobustnessMeasurement } from './experiments/robustness/measure.js';
export { PAPER_SERIES, SEVERITY_SERIES } from './experiments/robustness/series.js';
export {
  allExperiments,
  collectExperiments,
  dataExperiment,
  explainExperiment,
  hyperparametersExperiment,
  robustnessExperiment,
  runExperiments,
  widthExperiment,
} from './experiments/index.js';
export type { RunOptions, RunOutcome } from './experiments/run/run.js';
export type { ExperimentProgress } from './experiments/run/work.js';
export type { ExperimentOptions } from './experiments/options.js';
export type { GridPoint } from './experiments/hyperparameters/grid.js';
export { readGrid } from './experiments/hyperparameters/grid-file.js';
export { serve, type RunningServer } from './server/serve.js';
export type { ServeOptions } from './server/options.js';
export { writeReport, type ReportFiles } from './report/write.js';
export type { Comparison, Environment, ExperimentResult, Figure, Report, Table } from './report/result.js';
