/** Collects the rows of a data set one after another, whatever they are read from: images, labels, splits, and what was wrong. */
import { FerError } from '../errors.js';
import { native } from '../native.js';
import { rowsBySplit, type LabelledImages } from './data-set.js';
import type { Read } from './form.js';
import type { SplitName } from './splits.js';

/** What a reader knows of a data set beside its rows. */
export type Facts = Pick<LabelledImages, 'name' | 'classes' | 'notes'>;

export class RowCollector {
  private images = new Uint8Array(0);
  private readonly labels: number[] = [];
  private readonly splits: number[] = [];
  private readonly splitNames: SplitName[] = [];
  private readonly subjects: string[] = [];
  private readonly badRows: LabelledImages['badRows'] = [];

  /** Images of `size` x `size`; malformed rows are left out and listed where `skip`. */
  constructor(
    private readonly source: string,
    private readonly size: number,
    private readonly skip = false,
  ) {}

  /** Good rows so far. */
  get count(): number {
    return this.labels.length;
  }
  /** Rows left out so far. */
  get bad(): number {
    return this.badRows.length;
  }

  /**
   * Room for so many more rows.
   * @throws {FerError} ERR_FER_OUT_OF_MEMORY
   */
  reserve(rows: number): void {
    const each = this.size * this.size;
    const needed = (this.count + rows) * each;
    if (needed <= this.images.length) return;
    native().requireMemory(needed, `${this.count + rows} images of ${this.size}x${this.size}`);
    const images = new Uint8Array(Math.max(needed, this.count === 0 ? 0 : 2 * this.images.length));
    images.set(this.images.subarray(0, this.count * each));
    this.images = images;
  }

  /** `subject`: who is on the image; of all rows or of none. */
  add(image: Uint8Array, label: number, split: SplitName, subject?: string): void {
    this.reserve(1);
    this.images.set(image, this.count * this.size * this.size);
    if (!this.splitNames.includes(split)) this.splitNames.push(split);
    this.splits.push(this.splitNames.indexOf(split));
    if (subject !== undefined) this.subjects.push(subject);
    this.labels.push(label);
  }

  /** Leaves a row out, or throws `error`. */
  refuse(line: number, reason: string, error: FerError): void {
    if (!this.skip) throw error;
    this.badRows.push({ line, reason });
  }

  /** The data set. Splits stand in the order of `order`, or in that of their first rows. */
  finish({ name, classes, notes }: Facts, order: readonly SplitName[] = this.splitNames): Read {
    const { count, size, source, subjects } = this;
    const place = this.splitNames.map((split) => order.indexOf(split));
    return {
      name,
      source,
      synthetic: false,
      classes,
      size,
      images: this.images.length === count * size * size ? this.images : this.images.slice(0, count * size * size),
      labels: Uint8Array.from(this.labels),
      splits: rowsBySplit(
        order,
        Uint8Array.from(this.splits, (split) => place[split]),
      ),
      notes,
      badRows: this.badRows,
      ...(count > 0 && subjects.length === count ? { subjects } : {}),
    };
  }
}
