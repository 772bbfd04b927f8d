/** The networks that a training learns from beside its labels: read, checked against the run, and told apart by their weights. */
import { createHash } from 'node:crypto';
import path from 'node:path';
import { FerError } from '../errors.js';
import type { NativeTeacher } from '../native.js';
import { describe, specOf } from '../network/description.js';
import type { ModelFile } from '../network/metadata.js';
import { readModelFile } from '../network/model-file.js';
import type { Network } from '../network/network.js';
import type { Tensor } from '../network/safetensors.js';
import { modelFileOf } from '../pretrained.js';
import type { TrainingConfig } from './options.js';

export interface Teachers {
  given: NativeTeacher[];
  /** SHA-256 of each one's weights, in order. */
  weights: string[];
}

/**
 * Those that the configuration names.
 * @throws {FerError} ERR_FER_DATA_NOT_FOUND, ERR_FER_MODEL_FORMAT, ERR_FER_ARGUMENT; ERR_FER_CONFIG where one tells other classes apart.
 */
export async function readTeachers({ teacher }: TrainingConfig, { metadata: { classes } }: Network): Promise<Teachers> {
  const teachers: Teachers = { given: [], weights: [] };
  for (const name of teacher) {
    const file = await readModelFile(modelFileOf(name));
    const theirs = file.metadata.classes;
    if (theirs.join() !== classes.join())
      throw new FerError(
        'ERR_FER_CONFIG',
        `expected a teacher of the classes ${classes.join(', ')}, got ${name}, which knows ${theirs.join(', ')}, for teacher`,
        { details: { key: 'teacher' } },
      );
    const tensors = describe(file.metadata).tensors.map(({ name }) => ({ name, data: (file.tensors.get(name) as Tensor).data }));
    teachers.given.push({ spec: specOf(file.metadata), tensors });
    teachers.weights.push(digest(file, tensors));
  }
  return teachers;
}

function digest({ metadata }: ModelFile, tensors: NativeTeacher['tensors']): string {
  const hash = createHash('sha256').update(JSON.stringify(specOf(metadata)));
  for (const { data } of tensors) hash.update(data);
  return hash.digest('hex');
}

/** @throws {FerError} ERR_FER_CHECKPOINT where a run would go on with others than it began with. */
export function checkTeachers({ teacher }: TrainingConfig, { weights }: Teachers, before: readonly string[], runFolder?: string): void {
  const other = teacher.find((_, i) => weights[i] !== before[i]);
  if (other !== undefined)
    throw new FerError('ERR_FER_CHECKPOINT', `${other} has other weights than when ${runFolder} began to learn from it`);
}

/** What a model's file says of those that taught it: names without the way to them. */
export const teacherNames = ({ teacher }: TrainingConfig): string[] => teacher.map((name) => path.basename(name));
