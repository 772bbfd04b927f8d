/** What an ONNX file begins with. */

/**
 * Whether a file begins as an ONNX model, which has no magic word: exporters write the IR version first, a small number, and then who
 * made it, the graph, or what else a model has (fields 2 to 8, each with a length).
 */
export const looksLikeOnnx = (head: Uint8Array): boolean =>
  head.length > 3 && head[0] === 0x08 && head[1] > 1 && head[1] < 0x20 && [0x12, 0x1a, 0x22, 0x2a, 0x32, 0x3a, 0x42].includes(head[2]);
