/** fer-cudnn info */
import { Command } from 'commander';
import { MiniXception } from '../model.js';
import { native } from '../native.js';
import { widthName } from '../width.js';
import { addModelOption, modelPath } from './options.js';

export function infoCommand(): Command {
  return addModelOption(new Command('info').description('What this installation computes with, and what a model file holds.')).action(async (flags: { model?: string }) => {
    const system = native().systemInfo();
    console.log(`node ${process.versions.node}, ${process.platform}-${process.arch}; addon by ${system.compiler}; devices: cpu (${system.isa}, ${system.cores} cores)`);
    const file = modelPath(flags.model);
    using model = await MiniXception.load(file);
    console.log(`${file}`);
    console.log(`  width ${widthName(model.width)}, ${model.parameterCount.toLocaleString('en')} parameters, ${(model.multiplyAdds / 1e6).toFixed(2)} M multiply-adds an image`);
    console.log(`  input ${model.inputSize}x${model.inputSize} grey, ${model.metadata.normalization}; classes ${model.classes.join(', ')}`);
    if (model.metadata.source) console.log(`  ${model.metadata.source}`);
    if (model.metadata.training) console.log(`  training ${JSON.stringify(model.metadata.training)}`);
  });
}
