/**
 * SVG is a program that draws: two hundred blurs of 4,000 x 4,000 pixels take minutes, and nothing stops a renderer once it runs.
 * So what multiplies work is refused, and the rest is held to a budget.
 */

/** Elements that draw others again, over whole areas, or from elsewhere; properties in CSS, and escapes that could hide them. */
// eslint-disable-next-line security/detect-unsafe-regex -- nothing in it repeats what could match in two ways
const COSTLY = /<(?:[\w.-]+:)?(use|pattern|marker|mask|filter|fe[A-Z]\w*|image|symbol|foreignObject)\b|(<!ENTITY)|\b(filter)\s*[:=]|(\\)/i;
/** Pixels times elements: some seconds. */
const BUDGET = 4e9;

/** Why this SVG of so many pixels is not drawn; undefined where it is. */
export function costOfSvg(bytes: Uint8Array, pixels: number): string | undefined {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
  const costly = COSTLY.exec(text);
  if (costly) return `it uses ${costly.slice(1).find(Boolean)}, which may take without end to draw: save it as PNG`;
  const elements = text.split('<').length - 1;
  return pixels * elements > BUDGET ? `it has ${elements} tags for ${pixels} pixels, too many to draw: save it as PNG` : undefined;
}
