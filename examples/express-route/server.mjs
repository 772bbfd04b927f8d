// POST a picture to /predict: curl --data-binary @face.jpg -H 'content-type: image/jpeg' http://127.0.0.1:3000/predict
import express from 'express';
import { FerError, MiniXception } from 'fer-cudnn';

const model = await MiniXception.pretrained('narrow');
const app = express();

app.post('/predict', express.raw({ type: 'image/*', limit: '10mb' }), async (request, response) => {
  if (!Buffer.isBuffer(request.body)) return response.status(415).json({ error: 'send a picture, as image/jpeg, image/png, …' });
  response.json(await model.predict(request.body));
});

// What the picture is to blame for is the client's fault.
app.use((error, request, response, next) => {
  if (!(error instanceof FerError)) return next(error);
  response.status(422).json({ error: error.message, code: error.code });
});

const server = app.listen(Number(process.env.PORT ?? 3000), '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}`));
process.once('SIGTERM', () => server.close(() => model.dispose()));
