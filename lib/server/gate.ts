/** Who is let in: so many requests, and so many bytes of bodies, at a time; what is beyond hears at once when to come again. */

export class Gate {
  private requests = 0;
  private bytes = 0;
  /** Of the last requests, seconds: what Retry-After is reckoned from. */
  private pace = 0.05;
  /** Those that were sent away. */
  refused = 0;

  constructor(private readonly most: { requests: number; bytes: number }) {}

  /** Requests under way. */
  get under(): number {
    return this.requests;
  }

  /** A place, or nothing where there is none. Give it back once, by calling it. */
  enter(bytes: number): (() => void) | undefined {
    if (this.requests >= this.most.requests || (this.requests > 0 && this.bytes + bytes > this.most.bytes)) {
      this.refused++;
      return undefined;
    }
    this.requests++;
    this.bytes += bytes;
    const began = performance.now();
    let left = false;
    return () => {
      if (left) return;
      left = true;
      this.requests--;
      this.bytes -= bytes;
      this.pace += ((performance.now() - began) / 1000 - this.pace) / 16;
    };
  }

  /** Whole seconds after which half of those under way will have gone. */
  get retryAfter(): number {
    return Math.min(60, Math.max(1, Math.ceil(this.pace / 2)));
  }
}
