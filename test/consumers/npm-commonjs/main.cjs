// As users of CommonJS write it: the package by require, in Node 20.19 and later.
const { MiniXception } = require('fer-cudnn');

if (typeof MiniXception.pretrained !== 'function') throw new Error('the package gave no MiniXception');
import('./program.mjs').then(async ({ answer }) => console.log(await answer()));
