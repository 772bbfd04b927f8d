#!/usr/bin/env node
// Writes models/*/robustness.json, the accuracy curves that the server's page draws, from what experiment 3 measured
// (docs/report/robustness/result.json). Of every perturbation the curve by its main parameter: rotation and brightness as the paper
// has them, the others at their five severities.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { PRETRAINED } from '../dist/pretrained.js';
import { definitionOf, PERTURBATIONS } from '../dist/perturb/registry.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const { tables } = JSON.parse(readFileSync(`${root}docs/report/robustness/result.json`, 'utf8'));
const rowsOf = (id, model) => tables.find((table) => table.id === id).rows.filter((row) => row.model === model);

/** The strength that changes nothing. A turn of 1° moves no pixel of a 48x48 picture either: its accuracy is that of the pictures as they are. */
const NOTHING = { brightness: 1, gamma: 1, contrast: 1, scale: 1, jpeg: 100 };
const numberIn = (setting) => Number(/[\d.]+/.exec(setting)[0]);

for (const { file } of Object.values(PRETRAINED)) {
  const folder = file.slice(0, file.lastIndexOf('/'));
  const model = folder.slice(folder.lastIndexOf('/') + 1);
  const rotation = rowsOf('rotation', model);
  const clean = rotation[0].accuracy;
  const measured = { rotation, brightness: rowsOf('brightness', model) };
  const curves = rowsOf('severities', model).map((row) => {
    const definition = Object.values(PERTURBATIONS).find(({ title }) => title === row.perturbation);
    const { type, main } = definition;
    const bySeverity = definitionOf(type).severities.map((settings, i) => [settings[main], row[`severity${i + 1}`]]);
    const own = (measured[type] ?? []).map(({ setting, accuracy }) => [numberIn(setting), accuracy]);
    const points = new Map([[NOTHING[type] ?? 0, clean], ...bySeverity, ...own].sort((a, b) => a[0] - b[0]));
    return { type, parameter: main, points: [...points].map(([value, accuracy]) => ({ value, accuracy: Number(accuracy.toFixed(4)) })) };
  });
  writeFileSync(`${folder}/robustness.json`, `${JSON.stringify({ images: rotation[0].n, curves }, null, 2)}\n`);
  console.log(`wrote ${model}/robustness.json: ${curves.length} curves`);
}
