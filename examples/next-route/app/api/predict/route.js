// app/api/predict/route.js: POST a form with the file `image`. next.config.mjs keeps the package out of the bundle.
import { FerError, MiniXception } from 'fer-cudnn';

export const runtime = 'nodejs';

// One model a process, loaded by the first request.
let loading;

export async function POST(request) {
  loading ??= MiniXception.pretrained('narrow');
  const image = (await request.formData()).get('image');
  if (!(image instanceof Blob)) return Response.json({ error: 'send a form with the file "image"' }, { status: 400 });
  try {
    return Response.json(await (await loading).predict(new Uint8Array(await image.arrayBuffer())));
  } catch (error) {
    if (!(error instanceof FerError)) throw error;
    return Response.json({ error: error.message, code: error.code }, { status: 422 });
  }
}
