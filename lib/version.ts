/** The package's version. */
import { readFileSync } from 'node:fs';

/** Such as "0.1.0"; "unknown" in a bundle, which has no package.json beside it. */
export function packageVersion(): string {
  try {
    return (JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }).version;
  } catch {
    return 'unknown';
  }
}
