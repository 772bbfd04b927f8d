// Sends a frame, shows the answer, sends the next. The server's address stands in the page's own: ?server=http://127.0.0.1:8080
const server = new URLSearchParams(location.search).get('server');
const video = document.getElementById('video');
const answer = document.getElementById('answer');

video.srcObject = await navigator.mediaDevices.getUserMedia({ video: { width: 640, height: 480 } });
await video.play();

const canvas = new OffscreenCanvas(video.videoWidth, video.videoHeight);
for (;;) {
  canvas.getContext('2d').drawImage(video, 0, 0);
  const body = await canvas.convertToBlob({ type: 'image/jpeg' });
  const response = await fetch(`${server}/v1/predict?faces=true`, { method: 'POST', body, headers: { 'content-type': 'image/jpeg' } });
  const { predictions, error } = await response.json();
  const faces = predictions?.[0].faces ?? [];
  answer.textContent = error?.message ?? (faces.length > 0 ? faces.map(({ prediction }) => prediction.label).join(', ') : 'no face');
}
