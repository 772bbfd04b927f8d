/** The page: a photo or the webcam, its faces, and what the network says of the one that is chosen while sliders spoil it. */
import { evidenceColour } from '../../explain/colours.js';
import {
  Failed,
  kinds,
  models,
  SERVER,
  useToken,
  type Answers,
  type Explanation,
  type Face,
  type Kind,
  type Model,
  type Prediction,
} from './api.js';
import { localAnswers } from './local.js';
import { slider, type Slider } from './sliders.js';

const element = <T extends HTMLElement>(id: string): T => document.getElementById(id) as T;
const photo = element<HTMLCanvasElement>('photo');
const video = element<HTMLVideoElement>('video');
const drop = element('drop');
const boxes = element('boxes');
const status = element('status');
const choice = element<HTMLSelectElement>('model');
const webcam = element<HTMLButtonElement>('webcam');
const freeze = element<HTMLButtonElement>('freeze');
const seen = element<HTMLCanvasElement>('seen');
const cam = element<HTMLInputElement>('cam');
const bars = element('bars');
const where = [...document.querySelectorAll<HTMLInputElement>('input[name=where]')];

let answers: Answers = SERVER;
let served: Model[] = [];
let known: Kind[] = [];
let sliders: Slider[] = [];
let found: Face[] = [];
let chosen: Face | undefined;
let last: { explanation: Explanation } | undefined;
let picture: Blob | undefined;

const model = (): Model => served.find(({ name }) => name === choice.value) ?? served[0];
const say = (words: string): void => void (status.textContent = words);

let underWay = 0;
/** While it lasts, those who listen to the page are told that it changes. */
async function working<T>(work: Promise<T>): Promise<T> {
  const tell = (more: number): void => element('main').setAttribute('aria-busy', String((underWay += more) > 0));
  tell(1);
  return work.finally(() => tell(-1));
}

/** Runs the newest of what was asked while it was busy, and leaves out what lies between. */
function newest(work: () => Promise<void>): () => void {
  let [busy, again] = [false, false];
  const run = async (): Promise<void> => {
    if (busy) return void (again = true);
    busy = true;
    try {
      await working(work());
    } catch (error) {
      told(error);
    }
    busy = false;
    if (again) {
      again = false;
      void run();
    }
  };
  return () => void run();
}

function told(error: unknown): void {
  element('token-form').hidden = !(error instanceof Failed && error.status === 401);
  say(error instanceof Error ? error.message : String(error));
}

function showBars(prediction: Prediction): void {
  const names = model().classes;
  if (bars.children.length !== names.length || bars.firstElementChild?.firstElementChild?.textContent !== names[0])
    bars.replaceChildren(
      ...names.map((name) => {
        const item = document.createElement('li');
        const word = document.createElement('span');
        word.textContent = name;
        const track = document.createElement('span');
        track.className = 'track';
        const bar = document.createElement('span');
        bar.className = 'bar';
        track.append(bar);
        item.append(word, track, document.createElement('output'));
        return item;
      }),
    );
  names.forEach((name, i) => {
    const item = bars.children[i];
    const share = `${(100 * prediction.probabilities[name]).toFixed(1)} %`;
    item.className = name === prediction.label ? 'most' : '';
    item.querySelector<HTMLElement>('.bar')!.style.width = share.replace(' ', '');
    item.querySelector('output')!.textContent = share;
  });
}

/** The face as the network sees it, the evidence over it in colour. */
function showSeen({ explanation: { size, pixels, map, class: name } }: { explanation: Explanation }): void {
  const marked = cam.checked && map !== undefined;
  const small = new OffscreenCanvas(size, size);
  const image = new ImageData(size, size);
  pixels.forEach((grey, i) => {
    const [red, green, blue, cover] = marked ? evidenceColour(map[i]) : [0, 0, 0, 0];
    image.data.set(
      [red, green, blue].map((channel) => grey + (channel - grey) * cover),
      4 * i,
    );
    image.data[4 * i + 3] = 255;
  });
  small.getContext('2d')!.putImageData(image, 0, 0);
  seen.getContext('2d')!.drawImage(small, 0, 0, seen.width, seen.height);
  seen.setAttribute('aria-label', `What the network sees${marked ? `, what speaks for ${name} in colour` : ''}`);
}

const ask = newest(async () => {
  if (!chosen) return;
  const perturbations = sliders.map((each) => each.value()).filter((value) => value !== undefined);
  const explanation = await answers.explain(chosen.seen, model(), perturbations);
  last = { explanation };
  showBars(explanation.prediction);
  showSeen(last);
  const { label, probability } = explanation.prediction;
  document.body.dataset.label = label;
  say(`${label}, ${(100 * probability).toFixed(0)} %${perturbations.length > 0 ? ', spoilt' : ''}`);
});

function choose(face: Face): void {
  chosen = face;
  for (const [i, button] of [...boxes.children].entries()) button.setAttribute('aria-pressed', String(found[i] === face));
  ask();
}

function showBoxes(width: number, height: number, canFind: boolean): void {
  boxes.replaceChildren(
    ...found
      .filter(() => canFind)
      .map((face, i) => {
        const { box, prediction } = face;
        const button = document.createElement('button');
        button.type = 'button';
        const share = (value: number, of: number): string => `${(100 * value) / of}%`;
        Object.assign(button.style, {
          left: share(box.left, width),
          top: share(box.top, height),
          width: share(box.width, width),
          height: share(box.height, height),
        });
        button.setAttribute('aria-label', `Face ${i + 1}: ${prediction.label}`);
        const word = document.createElement('span');
        word.textContent = prediction.label;
        button.append(word);
        button.addEventListener('click', () => choose(face));
        return button;
      }),
  );
}

async function look(blob: Blob, width: number, height: number): Promise<void> {
  picture = blob;
  const answer = await answers.faces(blob, model());
  found = answer.faces;
  showBoxes(width, height, answer.found);
  element('token-form').hidden = true;
  photo.setAttribute('aria-label', answer.found ? `Photo with ${found.length} face${found.length === 1 ? '' : 's'}` : 'Photo');
  if (found.length === 0) {
    chosen = undefined;
    say('No face was found.');
  } else choose(found[0]);
}

async function show(file: Blob): Promise<void> {
  stopWebcam();
  say('Looking for faces …');
  const image = await createImageBitmap(file);
  photo.width = image.width;
  photo.height = image.height;
  photo.getContext('2d')!.drawImage(image, 0, 0);
  await look(file, image.width, image.height);
}

const take = (file: Blob | null | undefined): void => {
  if (!file) return;
  working(show(file)).catch((error: unknown) =>
    error instanceof DOMException ? say('This is not a picture that can be shown here.') : told(error),
  );
};

let stream: MediaStream | undefined;

function stopWebcam(): void {
  stream?.getTracks().forEach((track) => track.stop());
  stream = undefined;
  video.hidden = true;
  photo.hidden = false;
  freeze.hidden = true;
  webcam.setAttribute('aria-pressed', 'false');
}

/** The frame that is on show. */
async function frame(): Promise<Blob> {
  photo.width = video.videoWidth;
  photo.height = video.videoHeight;
  photo.getContext('2d')!.drawImage(video, 0, 0);
  return new Promise((resolve, reject) =>
    photo.toBlob((blob) => (blob ? resolve(blob) : reject(new Error('no frame'))), 'image/jpeg', 0.9),
  );
}

async function startWebcam(): Promise<void> {
  stream = await navigator.mediaDevices.getUserMedia({ video: { width: 640, height: 480 } });
  video.srcObject = stream;
  await video.play();
  video.hidden = false;
  photo.hidden = true;
  freeze.hidden = false;
  webcam.setAttribute('aria-pressed', 'true');
  // One frame at a time: the next goes out once this one is answered.
  while (stream) {
    await look(await frame(), video.videoWidth, video.videoHeight);
    await new Promise((resolve) => setTimeout(resolve, 150));
  }
}

webcam.addEventListener('click', () => {
  if (stream) return stopWebcam();
  startWebcam().catch((error: unknown) => {
    stopWebcam();
    if (error instanceof DOMException) say(`The webcam cannot be opened: ${error.message}`);
    else told(error);
  });
});
freeze.addEventListener('click', stopWebcam);
element<HTMLInputElement>('file').addEventListener('change', ({ target }) => take((target as HTMLInputElement).files?.[0]));
addEventListener('paste', ({ clipboardData }) => take([...(clipboardData?.files ?? [])][0]));
for (const type of ['dragenter', 'dragover', 'dragleave', 'drop'])
  addEventListener(type, (event) => {
    event.preventDefault();
    drop.classList.toggle('over', type === 'dragenter' || type === 'dragover');
  });
addEventListener('drop', ({ dataTransfer }) => take(dataTransfer?.files[0]));
cam.addEventListener('change', () => last && showSeen(last));
element('reset').addEventListener('click', () => {
  for (const each of sliders) each.reset();
  ask();
});
choice.addEventListener('change', () => {
  for (const each of sliders) each.curve(model());
  if (picture) working(look(picture, photo.width, photo.height)).catch(told);
});
/** From now on these answer. */
function answerFrom(given: Answers): void {
  answers.close();
  answers = given;
  cam.disabled = !given.can.explain;
  element('cam-note').textContent = given.can.explain ? '' : ': only the server does this';
  for (const [i, each] of sliders.entries()) each.allow(given.can.perturb(known[i].type));
  document.body.dataset.from = given === SERVER ? 'server' : 'browser';
}

for (const choice of where)
  choice.addEventListener('change', () => {
    if (!choice.checked) return;
    const moved = async (): Promise<void> => {
      const local = choice.value === 'browser';
      if (local) say('Loading the networks into this browser …');
      answerFrom(local ? await localAnswers(served, known) : SERVER);
      say(local ? 'From now on this browser answers; the server is asked no more.' : 'From now on the server answers.');
      if (picture) await look(picture, photo.width, photo.height);
    };
    working(moved()).catch((error: unknown) => {
      told(error);
      for (const each of where) each.checked = each.value === (answers === SERVER ? 'server' : 'browser');
    });
  });
element('token-form').addEventListener('submit', (event) => {
  event.preventDefault();
  useToken(element<HTMLInputElement>('token').value);
  start().catch(told);
});

/** The paper's two. */
const MAIN = ['rotation', 'brightness'];

async function start(): Promise<void> {
  [served, known] = await Promise.all([models(), kinds()]);
  choice.replaceChildren(...served.map(({ name }) => new Option(name, name)));
  const holders = { main: element('main-sliders'), more: element('more-sliders') };
  holders.main.replaceChildren();
  holders.more.replaceChildren();
  sliders = known.map((kind) => slider(kind, MAIN.includes(kind.type) ? holders.main : holders.more, ask));
  for (const each of sliders) each.curve(model());
  const images = model().robustness?.images;
  element('curve-note').textContent = images
    ? `The curves: how often the model is right at each strength, measured on ${images} test pictures of FER2013.`
    : 'No robustness was measured of this model: there are no curves.';
  element('token-form').hidden = true;
  say('Choose a photo.');
  document.body.dataset.ready = 'true';
}

start().catch(told);
