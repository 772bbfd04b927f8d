import { answer } from './program.mjs';

console.log(await answer());
