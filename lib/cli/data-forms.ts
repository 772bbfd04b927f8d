/** The forms that a data set may have, as help lists them. */
import { FORMS } from '../data/registry.js';

const WIDTH = 32;

export const DATA_FORMS = `A data set is one of
${FORMS.flatMap(({ looks }) => looks.map(([name, what]) => `  ${name.padEnd(WIDTH)}  ${what}`)).join('\n')}`;
