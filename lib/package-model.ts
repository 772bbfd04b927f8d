/** The model that ships with the package: narrow, trained on FER2013. */
import { fileURLToPath } from 'node:url';

export const PACKAGE_MODEL = fileURLToPath(new URL('../models/mini-xception-narrow/model.safetensors', import.meta.url));
