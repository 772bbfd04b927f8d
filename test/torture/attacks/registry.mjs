// Every attack, in the order in which they run. One is { name, about, holds, count, short, alone, prepare, attempt }:
//   about, holds    what it does, and what must hold, as a reader is told
//   count, short    attempts of the full form, and of the short one that CI runs; 0: not there
//   alone           its attempts have the machine to themselves
//   prepare         once: what its attempts need (`shared` has data sets and models); may throw `Skip`
//   attempt         one: throws `Broken` where it does not hold. It gets { folder, random, index, shared, mark, keep }, all its chance
//                   from `random`, so that seed and index repeat it; `mark(stage, when)` notes where the blow fell, `keep(folder)` saves
//                   what lies on a disk that goes
import { firstStepsReadOnly, halfProcessor, littleMemory, nowhereToWrite, unknownUser } from './containers.mjs';
import { forbiddenFiles, fullCache, fullDisk, fullDiskWriters, permissions, readOnlyDisk, removedFolder } from './disk.mjs';
import { killExperiment } from './kill-experiment.mjs';
import { killedLeaveNothing, killTraining } from './kill-training.mjs';
import { killCompact, killConvert, killPrepare, killSave } from './kill-writing.mjs';
import { raceCache, raceMany, raceModel, racePairs, raceResume, raceWithin } from './races.mjs';
import { closedOutput, signals } from './signals.mjs';

export const ATTACKS = [
  killTraining,
  killedLeaveNothing,
  killPrepare,
  killCompact,
  killConvert,
  killSave,
  killExperiment,
  signals,
  closedOutput,
  fullDisk,
  fullDiskWriters,
  fullCache,
  readOnlyDisk,
  permissions,
  forbiddenFiles,
  removedFolder,
  racePairs,
  raceMany,
  raceResume,
  raceCache,
  raceModel,
  raceWithin,
  unknownUser,
  firstStepsReadOnly,
  nowhereToWrite,
  littleMemory,
  halfProcessor,
];
