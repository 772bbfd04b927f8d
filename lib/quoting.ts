/**
 * A text of any origin as it stands in each kind of document, so that it stays a text there: one function a kind. YAML is written by the
 * library `yaml` alone.
 */
import { invalidArgument } from './errors.js';

/** A word of a POSIX shell. Nothing in it is read by the shell, a newline neither. */
export const shellWord = (text: string): string => (/^[\w./:@%+=,-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`);

/**
 * A word on a line of #SBATCH, which sbatch reads by rules of its own: a backslash quotes within quotes, too.
 * @throws {FerError} ERR_FER_ARGUMENT for more than a line
 */
export function sbatchWord(text: string, name: string): string {
  if (CONTROL.test(text)) invalidArgument(name, 'a name without line breaks and other control characters', text);
  return /^[\w./:@%+=,-]+$/.test(text) ? text : `"${text.replace(/["\\]/g, '\\$&')}"`;
}

/** What goes into a comment that ends with its line, as in YAML and scripts of a shell. */
export const comment = (text: string): string => text.replace(new RegExp(CONTROL, 'gu'), ' ');

const CONTROL = /[\p{Cc}\p{Zl}\p{Zp}]/u;

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
// What XML cannot hold, not even as a reference.
// eslint-disable-next-line security/detect-unsafe-regex -- one character
const NOT_IN_XML = /[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu;

/** Text, or the value of a quoted attribute, in HTML and XML, and so SVG. */
export const markup = (text: string): string => text.replace(NOT_IN_XML, '').replace(/[&<>"']/g, (character) => ENTITIES[character]);

/** JSON inside a script element of HTML. */
export const jsonInScript = (value: unknown): string => JSON.stringify(value).replaceAll('<', '\\u003c');

/** A line of Markdown that is text alone: no HTML, no link, no emphasis; a cell of a table, or what stands in brackets. */
export const markdown = (text: string): string =>
  text
    .replace(/\s+/g, ' ')
    .replace(/[\\`*[\]<>|~]|(?<!\w)_|_(?!\w)/g, '\\$&')
    .replaceAll('&', '&amp;')
    .replace(/^(\d+)([.)])/, '$1\\$2')
    .replace(/^[#+=-]/, '\\$&');

/** Where a link or a picture of Markdown leads: a path beside the document. */
export const markdownPath = (path: string): string =>
  path
    .split('/')
    .map((part) => encodeURIComponent(part).replace(/[()'*!~]/g, (character) => `%${character.charCodeAt(0).toString(16)}`))
    .join('/');
