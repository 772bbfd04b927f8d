/** The "did you mean" of every error about an unknown name. */

/** Smallest number of single-character edits between two words. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) next[j] = Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + Number(a[i - 1] !== b[j - 1]));
    row = next;
  }
  return row[b.length];
}

/** The known name that looks most like `word`. */
export function suggestion(word: string, known: readonly string[]): string {
  return [...known].sort((a, b) => editDistance(a, word) - editDistance(b, word))[0];
}
