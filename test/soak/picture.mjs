// The soak as a picture: memory above, files and threads below, over the hours.
import { writeChart } from '../../dist/charts/write.js';

const WIDTH = 640;

/** Writes `<base>.svg` and, where it can be drawn, `<base>.png`. */
export async function drawSoak({ samples, warmUpHours, verdict }, base) {
  const values = (keys) =>
    samples.flatMap((sample) => Object.entries(keys).map(([key, name]) => ({ hours: sample.hours, name, value: sample[key] })));
  const panel = (keys, title, height, { marks = [], ...rest } = {}) => ({
    width: WIDTH,
    height,
    ...rest,
    layer: [
      {
        data: { values: values(keys) },
        mark: { type: 'line', strokeWidth: 1.2 },
        encoding: {
          x: { field: 'hours', type: 'quantitative', title: 'hours' },
          y: { field: 'value', type: 'quantitative', title, scale: { zero: true } },
          color: { field: 'name', type: 'nominal', title: null, sort: Object.values(keys) },
        },
      },
      ...marks,
    ],
  });
  const collections = {
    data: { values: samples.filter(({ held }) => held) },
    mark: { type: 'point', size: 8, filled: true, color: 'black' },
    encoding: { x: { field: 'hours', type: 'quantitative' }, y: { field: 'held', type: 'quantitative' } },
  };
  const warmUp = {
    data: { values: [{ hours: warmUpHours }] },
    mark: { type: 'rule', strokeDash: [4, 4] },
    encoding: { x: { field: 'hours', type: 'quantitative' } },
  };
  await writeChart(
    {
      $schema: 'https://vega.github.io/schema/vega-lite/v5.json',
      vconcat: [
        panel({ rss: 'resident', external: "V8's external", heapUsed: "V8's heap", native: 'models, native' }, 'MiB', 280, {
          marks: [warmUp, collections],
          title: ['One process at work; the dashed line ends the warm-up, points: held after a collection.', verdict.sentence],
        }),
        panel({ files: 'open files', threads: 'threads' }, 'count', 140),
      ],
      resolve: { scale: { color: 'independent' } },
      config: { title: { fontSize: 11 } },
    },
    base,
  );
}
