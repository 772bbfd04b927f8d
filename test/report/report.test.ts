import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { allExperiments } from '../../lib/experiments/index.js';
import { EXPERIMENTS } from '../../lib/experiments/registry.js';
import { figure, heading, shown } from '../../lib/report/format.js';
import { toCsv } from '../../lib/report/csv.js';
import { chartSvg } from '../../lib/charts/write.js';
import { reportHtml } from '../../lib/report/html.js';
import { reportMarkdown } from '../../lib/report/markdown.js';
import type { ExperimentResult, Report } from '../../lib/report/result.js';
import { writeReport } from '../../lib/report/write.js';
import { tinyData, TINY } from '../experiments/tiny.js';

let folder: string;
let report: Report;
let html: string;
let files: { html: string; markdown: string };
beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'fer-report-'));
  report = await allExperiments(tinyData(), {
    ...TINY,
    folder: path.join(folder, 'work'),
    widths: ['narrow', '4,4:8,8'],
    grid: [{ name: 'A', config: { width: '4,4:8,8' } }],
    seeds: [0, 1],
    inputSize: 48,
    draws: 10,
    epochs: { all: 2 },
    threads: 2,
  });
  files = await writeReport(report, path.join(folder, 'report'));
  html = readFileSync(files.html, 'utf8').replaceAll('\u00a0', ' ');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const entities = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;').replaceAll("'", '&#39;');
/** What a reader of Markdown sees. */
const unescaped = (markdown: string): string => markdown.replace(/\\([^\w\s])/g, '$1').replaceAll('&amp;', '&');

/** Everything that a reader must find, in words. */
function wordsOf(result: ExperimentResult): string[] {
  return [
    result.title,
    result.summary,
    ...result.statements,
    ...result.comparisons.flatMap((each) => [
      each.name,
      each.place,
      figure(each.paper, each.format),
      figure(each.ours, each.format),
      each.why,
    ]),
    ...result.tables.flatMap(({ caption, columns, rows }) => [
      caption,
      ...columns.flatMap((column) => [heading(column), ...rows.map((row) => shown(row[column.key], column.format))]),
    ]),
    ...[...result.charts, ...result.pictures].flatMap(({ caption, alt }) => [caption, alt]),
    ...result.environments.flatMap((each) => [each.device, each.processor, each.node, each.version, each.date]),
    ...result.openPoints.flatMap(({ point, here }) => [point, here]),
  ];
}

describe('a report', () => {
  it('holds every experiment, and every figure of each', () => {
    expect(report.results.map(({ experiment }) => experiment)).toEqual(EXPERIMENTS.map(({ name }) => name));
    const markdown = unescaped(readFileSync(files.markdown, 'utf8'));
    for (const result of report.results)
      for (const words of wordsOf(result)) {
        expect(html).toContain(entities(words));
        expect(markdown).toContain(words);
      }
  });

  it('names the seeds and what has not run', async () => {
    const partial = await reportHtml({ results: report.results.slice(0, 2), missing: ['robustness/1-jpeg', 'width/x'] });
    expect(partial).toContain('Seeds: 0, 1.');
    expect(partial).toContain('Not run yet, and so without a section: robustness/1-jpeg.');
  });

  it('needs nothing but itself and is below 5 MB', () => {
    const markup = html.replace(/<script[^]*?<\/script>/g, '').replace(/<!--[^]*?-->/g, '');
    expect(markup).not.toMatch(/https?:\/\/|@import|<link[^>]+stylesheet/);
    for (const [, source] of markup.matchAll(/<[a-z]+[^>]*\s(?:src|href)="([^"]*)"/g)) expect(source).toMatch(/^(data:|#)/);
    expect(statSync(files.html).size).toBeLessThan(5e6);
  });

  it('has a file for every table and chart, and a JSON that says the same', () => {
    for (const result of report.results) {
      const inFolder = readdirSync(path.join(folder, 'report', result.experiment));
      const expected = [
        'result.json',
        'result.md',
        ...result.tables.map(({ id }) => `${id}.csv`),
        ...result.charts.flatMap(({ id }) => [`${id}.svg`, `${id}.png`]),
        ...result.pictures.map(({ id }) => `${id}.png`),
      ];
      expect(inFolder.sort()).toEqual(expected.sort());
      const stored = JSON.parse(readFileSync(path.join(folder, 'report', result.experiment, 'result.json'), 'utf8')) as ExperimentResult;
      expect(stored.tables).toEqual(JSON.parse(JSON.stringify(result.tables)));
      expect(stored.comparisons).toEqual(JSON.parse(JSON.stringify(result.comparisons)));
    }
  });

  it('survives words that look like markup', async () => {
    const evil = '</script><img src=x onerror=alert(1)> & "quoted" | <!-- ';
    const result = { ...report.results[0], title: evil, charts: [{ ...report.results[0].charts[0], caption: evil, alt: evil }] };
    result.charts[0].spec = { ...result.charts[0].spec, title: evil } as never;
    const text = await reportHtml({ results: [result], missing: [] });
    expect(text).not.toContain('<img src=x');
    expect(text.match(/<script/g)!.length).toBe(text.match(/<\/script>/g)!.length);
  });
});

describe('hostile words', () => {
  const evil = '"><script>alert(1)</script><img src=x onerror=alert(1)> [x](javascript:alert(1)) | `c` *e* \n# h\n- l';

  /** The first result with every text and name replaced. */
  const hostile = (): ExperimentResult => {
    const [first] = report.results;
    return {
      ...first,
      experiment: evil,
      title: evil,
      summary: evil,
      statements: [evil],
      comparisons: [{ id: 'x', place: evil, name: evil, format: 'percent', paper: { value: 0.5 }, why: evil }],
      tables: [{ id: evil, caption: evil, columns: [{ key: evil, title: evil, format: 'text' }], rows: [{ [evil]: evil }] }],
      charts: [{ id: evil, caption: evil, alt: evil, spec: { ...first.charts[0].spec, title: evil } }],
      pictures: [{ id: evil, caption: evil, alt: evil, png: evil }],
      environments: [{ ...first.environments[0], device: evil, processor: evil, commit: evil }],
      openPoints: [{ point: evil, here: evil }],
      missing: [evil],
    };
  };

  it('are no elements of the page', async () => {
    const text = await reportHtml({ results: [hostile()], missing: [evil] });
    const known = text.replace(/<script>[^]*?<\/script>/g, '').replace(/<!--[^]*?-->/g, '');
    expect(known).not.toMatch(/<img src=x|<script>/);
    for (const [, source] of known.matchAll(/<img[^>]*\ssrc="([^"]*)"/g)) expect(source).toMatch(/^data:image\/[\w+]+;base64,[\w+/=]*$/);
  });

  it('are no HTML, links or headings of the Markdown', () => {
    const text = reportMarkdown({ results: [hostile()], missing: [evil] });
    const bare = text.replace(/\\[^\w\s]/g, '');
    expect(bare).not.toContain('<');
    // Pictures lead to files beside the report.
    for (const [, target] of bare.matchAll(/\]\(([^)]*)\)/g)) expect(target).toMatch(/^[\w%./-]+\.(svg|png)$/);
    expect(bare.match(/\]\(/g)).toHaveLength(2);
    expect(text.split('\n').filter((line) => /^(# h|- l)/.test(line))).toEqual([]);
  });

  it('are no elements of a chart', async () => {
    expect(await chartSvg(hostile().charts[0].spec)).not.toMatch(/<script|<img/);
  });
});

describe('CSV', () => {
  it('quotes what must be, and gives an interval two columns', () => {
    const csv = toCsv({
      id: 'a',
      caption: '',
      columns: [
        { key: 'name', title: 'name', format: 'text' },
        { key: 'range', title: 'range', format: 'interval' },
      ],
      rows: [
        { name: 'a,"b"', range: [0.25, 0.5] },
        { name: 'c', range: null },
      ],
    });
    expect(csv).toBe('name,rangeLow,rangeHigh\n"a,""b""",0.25,0.5\nc,,\n');
  });
});

const BROWSERS = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const executablePath = [process.env.CHROMIUM, ...BROWSERS].find((file) => file && existsSync(file));
if (!executablePath)
  console.warn(
    `No Chromium here (CHROMIUM, ${BROWSERS.join(', ')}): the report is not looked at in a browser. Debian: apt-get install chromium`,
  );

describe.skipIf(!executablePath)('in a browser', () => {
  let browser: Browser;
  const problems: string[] = [];
  beforeAll(async () => {
    browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
    mkdirSync('build/report-screenshots', { recursive: true });
  });
  afterAll(() => browser?.close());

  async function open(options: BrowserContextOptions): Promise<Page> {
    const context = await browser.newContext({ ...options, offline: true });
    const page = await context.newPage();
    page.on('pageerror', (error) => problems.push(error.message));
    page.on('console', (message) => message.type() === 'error' && problems.push(message.text()));
    page.on('request', (request) => !/^(file|data|blob):/.test(request.url()) && problems.push(`asked for ${request.url()}`));
    await page.goto(`file://${files.html}`);
    await page.waitForFunction(() =>
      [...document.querySelectorAll('.plot')].every((plot) => plot.querySelector('svg') ?? /could not/.test(plot.textContent ?? '')),
    );
    return page;
  }
  const inkOf = (page: Page): Promise<string> =>
    page.evaluate(() => getComputedStyle(document.querySelector('.plot svg .role-axis-label text')!).fill);
  const luminance = (colour: string): number => {
    const [red, green, blue] = colour.match(/\d+/g)!.map(Number);
    return (red + green + blue) / 3;
  };
  const paperOf = (page: Page): Promise<string> => page.evaluate(() => getComputedStyle(document.body).backgroundColor);

  it.each(['light', 'dark'] as const)('draws every chart, offline, readable in %s', async (colorScheme) => {
    const page = await open({ colorScheme, viewport: { width: 1200, height: 900 } });
    expect(await page.locator('.plot svg').count()).toBe(report.results.flatMap(({ charts }) => charts).length);
    const [paper, ink] = [luminance(await paperOf(page)), luminance(await inkOf(page))];
    expect(Math.abs(paper - ink)).toBeGreaterThan(150);
    expect(paper > 128).toBe(colorScheme === 'light');
    for (const plot of await page.locator('.plot').all()) {
      const picture = await plot.screenshot();
      // A chart that came out empty would have next to no spread.
      expect(Math.max(...(await sharp(picture).stats()).channels.map(({ stdev }) => stdev))).toBeGreaterThan(5);
    }
    await page.screenshot({ path: `build/report-screenshots/${colorScheme}.png`, fullPage: true });
    expect(problems).toEqual([]);
  });

  it('fits a phone: only tables and pictures scroll sideways, in their own boxes', async () => {
    const page = await open({ viewport: { width: 390, height: 844 }, isMobile: true });
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(390);
    for (const plot of await page.locator('.plot svg').all()) expect((await plot.boundingBox())!.width).toBeLessThanOrEqual(390);
    await page.screenshot({ path: 'build/report-screenshots/phone.png', fullPage: true });
  });

  it('prints dark on white, whatever the screen has', async () => {
    const page = await open({ colorScheme: 'dark', viewport: { width: 1200, height: 900 } });
    await page.pdf({ path: 'build/report-screenshots/print.pdf', format: 'A4' });
    await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
    expect(luminance(await paperOf(page))).toBe(255);
    expect(luminance(await inkOf(page))).toBeLessThan(80);
  });

  it('tells its tables and charts to those who cannot see them', async () => {
    const page = await open({ viewport: { width: 390, height: 844 } });
    const tables = report.results.flatMap((result) => [...(result.comparisons.length > 0 ? [result.comparisons] : []), ...result.tables]);
    expect(await page.getByRole('table').count()).toBe(tables.length + 1); // and the environment
    expect(await page.locator('table:not(:has(caption))').count()).toBe(0);
    expect(await page.locator('img:not([alt]), .plot:not([aria-label])').count()).toBe(0);
    expect(await page.getByRole('rowheader').count()).toBeGreaterThan(tables.length);
  });
});
