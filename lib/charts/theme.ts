/** How charts look: one theme for files, on white, and one whose colours are a page's CSS variables. */
import type { Config } from 'vega-lite';

export const FONT = 'DejaVu Sans';

/** Told apart by people who see colours differently, and readable on white. */
export const PALETTE = {
  light: ['#2563a8', '#c2570c', '#23815a', '#7b4fc4', '#a8324a', '#5f6b7a'],
  dark: ['#7db4f0', '#f2a262', '#66cf9f', '#bfa1f5', '#f08ca0', '#aab4c2'],
};

function theme(ink: string, grid: string, category: string[]): Config {
  const text = { labelColor: ink, titleColor: ink };
  return {
    background: 'transparent',
    title: { fontSize: 14, color: ink },
    axis: { ...text, gridColor: grid, domainColor: grid, tickColor: grid },
    legend: text,
    view: { stroke: grid },
    range: { category },
  };
}

/** For SVG and PNG files. */
export const FILE_THEME: Config = { ...theme('#1f2933', '#d5dbe3', PALETTE.light), font: FONT, background: 'white' };

/** For a page that defines `--ink`, `--line` and `--c1`, `--c2`, ...; so the page's style alone decides between light and dark. */
export const PAGE_THEME: Config = {
  ...theme(
    'var(--ink)',
    'var(--line)',
    PALETTE.light.map((_, i) => `var(--c${i + 1})`),
  ),
  font: 'system-ui, sans-serif',
};
