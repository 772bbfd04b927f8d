/** Parts of results as files hold them. */
import { matching, maybe, object, text, whole } from '../schema.js';
import type { Environment, Picture } from './result.js';

export const picture = object<Picture>({
  id: matching(/^[^/\\\p{Cc}.][^/\\\p{Cc}]{0,199}$/u, 'the name of a file, without a folder'),
  caption: text(),
  alt: text(),
  // eslint-disable-next-line security/detect-unsafe-regex -- blocks of four that cannot match in two ways
  png: matching(/^(?:[A-Za-z\d+/]{4})*(?:[A-Za-z\d+/]{2}==|[A-Za-z\d+/]{3}=)?$/, "a PNG's bytes in base64"),
});

export const environment = object<Environment>({
  device: text(),
  processor: text(),
  cores: whole(1),
  memoryGibibytes: whole(),
  system: text(),
  node: text(),
  version: text(),
  commit: maybe(text()),
  date: matching(/^\d{4}-\d\d-\d\d$/, 'an ISO day'),
});
