/** Where training stands, and what has computed it so far. */
import type { Reading } from '../data/data-set.js';
import type { EpochRow } from '../metrics/epoch.js';
import type { NativeEpochTotals } from '../native.js';
import type { TrainingConfig } from './options.js';

/** Kept in the checkpoint beside the tensors. */
export interface Progress {
  config: TrainingConfig;
  /** Finished epochs; the next one's zero-based number. */
  epoch: number;
  /** Totals of an interrupted epoch. */
  totals: NativeEpochTotals;
  /** Optimiser steps taken. */
  steps: number;
  schedule: Record<string, number>;
  rows: EpochRow[];
  best: { epoch: number; accuracy: number };
  dataSource: string;
  /** SHA-256 of the weights of each teacher. Absent where there are none. */
  teachers?: string[];
  /** How that was read, where it was asked for. */
  reading?: Reading;
  /** What computed it, in order: more than one after a resumption elsewhere. Absent in checkpoints of earlier versions. */
  devices?: string[];
  /** CPU threads of the last of them: a run goes on with as many. Absent in checkpoints of earlier versions. */
  threads?: number;
}

/** The devices that computed a run, once `device` goes on with it. */
export const withDevice = ({ devices = [] }: Progress, device: string): string[] =>
  devices.at(-1) === device ? devices : [...devices, device];

/** A run is the same bit for bit only on one device, instruction set and number of threads: what to say where there were more. */
export const noteOnDevices = (devices: readonly string[] = []): string[] =>
  devices.length > 1
    ? [`computed on ${devices.join('; then on ')}: run on one of them throughout, it would differ in its last digits`]
    : [];
