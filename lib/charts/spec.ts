/** What a chart is before it is drawn. */

/** A Vega-Lite 5 specification: plain JSON, for `writeChart` or for vega-embed on a page. */
export interface ChartSpec {
  [key: string]: unknown;
}
