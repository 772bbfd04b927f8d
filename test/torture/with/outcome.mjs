// What an attempt can come to, beside holding.

/** What must hold does not. The message is for the person who mends it. */
export class Broken extends Error {}

/** The machine cannot stage this attack: a sentence that says why. */
export class Skip extends Error {}

const TYPED = /^fer-cudnn: .*\[(ERR_FER_\w+)\]$/m;
const WORDS = 300;

/** The end of what a program said, in one line. */
const lastWords = ({ errors }) =>
  errors
    .trim()
    .replace(/\s*\n\s*/g, ' | ')
    .slice(-WORDS) || 'nothing';

/** How a program ended, in words. */
export function told(ended) {
  const { name, status, signal, late, seconds } = ended;
  const how = late ? `had not ended after ${seconds.toFixed(0)} s` : signal ? `was ended by ${signal}` : `ended with status ${status}`;
  return `${name} ${how}; it said: ${lastWords(ended)}`;
}

export function mustWork(ended) {
  if (ended.status !== 0) throw new Broken(told(ended));
}

/** Ended with status 1 and one line that carries a code of the package: one of `codes`, where given. */
export function mustFailTyped(ended, codes = []) {
  const code = TYPED.exec(ended.errors)?.[1];
  const wanted = codes.length === 0 || codes.includes(code);
  if (ended.status === 1 && code && wanted && !ended.errors.includes('not foreseen')) return code;
  throw new Broken(`expected status 1 and ${codes.join(' or ') || 'an error with a code'}: ${told(ended)}`);
}
