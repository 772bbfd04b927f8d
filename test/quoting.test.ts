/** Hostile texts stay texts, in every kind of document: read back by what reads such documents. */
import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { comment, jsonInScript, markdown, markdownPath, markup, sbatchWord, shellWord } from '../lib/quoting.js';

const HOSTILE = [
  'plain/path-1.0',
  '',
  'two words',
  "it's",
  '$(touch x) `touch x` ${HOME} !! * ~ # \\',
  'a\ntouch x\n#SBATCH --wrap=x',
  '"; touch x; "',
  '"><script>alert(1)</script><img src=x onerror=alert(1)>',
  '&lt;script&gt; &amp; ]]> -->',
  '[x](javascript:alert(1)) ![x](x) | <b>b</b> *e* _e_ `c`',
  '😀 \u2028 \u0085 ü',
];

describe('quoting', () => {
  it.each(HOSTILE)('for a shell: %j', (text) => {
    const script = `printf '%s\\0' ${shellWord(text)} end`;
    expect(execFileSync('bash', ['-c', script], { encoding: 'utf8' }).split('\0')).toEqual([text, 'end', '']);
    expect(execFileSync('sh', ['-c', script], { encoding: 'utf8' }).split('\0')).toEqual([text, 'end', '']);
  });

  it.each(HOSTILE)('for markup, in text and attributes: %j', (text) => {
    const quoted = markup(text);
    expect(quoted).not.toMatch(/[<>"']/);
    const entities: Record<string, string> = { '&amp;': '&', '&lt;': '<', '&gt;': '>', '&quot;': '"', '&#39;': "'" };
    expect(quoted.replace(/&[^;]*;/g, (entity) => entities[entity])).toBe(text);
  });

  it('for markup leaves out what XML cannot hold', () => expect(markup('a\u0000b\u001b[31mc\uffff\ud800d\te')).toBe('ab[31mcd\te'));

  it.each(HOSTILE)('for JSON in a script: %j', (text) => {
    const quoted = jsonInScript({ text });
    expect(quoted).not.toContain('<');
    expect(JSON.parse(quoted)).toEqual({ text });
  });

  it.each(HOSTILE)('for Markdown: %j', (text) => {
    const quoted = markdown(text);
    expect(quoted).not.toMatch(/\n/);
    // Every mark is escaped: by an odd number of backslashes.
    expect(quoted.replace(/\\[\\`*[\]<>|~_]/g, '')).not.toMatch(/[\\`*[\]<>|~]/);
    expect(quoted.replace(/\\(.)/g, '$1').replaceAll('&amp;', '&')).toBe(text.replace(/\s+/g, ' '));
  });

  it.each([
    ['1. first', '1\\. first'],
    ['# heading', '\\# heading'],
    ['- item', '\\- item'],
    ['Mini_Xception, 8~128', 'Mini_Xception, 8\\~128'],
    ['&copy;', '&amp;copy;'],
  ])('for Markdown: %s', (text, quoted) => expect(markdown(text)).toBe(quoted));

  it('for a path in Markdown', () => {
    expect(markdownPath('width/a b)(<x>"\n.svg')).toBe('width/a%20b%29%28%3Cx%3E%22%0A.svg');
    expect(markdownPath('width/accuracy-1.svg')).toBe('width/accuracy-1.svg');
  });

  it('for sbatch', () => {
    expect(sbatchWord('/a/job-%a.log', 'out')).toBe('/a/job-%a.log');
    expect(sbatchWord('/a b"\\ #/job', 'out')).toBe('"/a b\\"\\\\ #/job"');
    for (const text of ['a\nb', 'a\rb', 'a\u2028b', 'a\0b'])
      expect(() => sbatchWord(text, 'out')).toThrow(
        /^expected a name without line breaks and other control characters, got [^]*, for out$/,
      );
  });

  it('for comments', () => expect(comment('a\nb\r\nc\u2028d')).toBe('a b  c d'));
});
