import { PRETRAINED, type PretrainedName } from 'fer-cudnn';
import { answer } from './program.mjs';

const names = Object.keys(PRETRAINED) as PretrainedName[];
if (!names.includes('narrow')) throw new Error('no packaged models');
console.log(await answer());
