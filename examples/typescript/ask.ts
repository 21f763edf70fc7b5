// node built/ask.js http://127.0.0.1:8000 photo.jpg

import { readFile } from "node:fs/promises";
import { argv, env, exit } from "node:process";

import { Client, ServerError } from "./client.js";

const [, , url, photo] = argv;
if (url === undefined || photo === undefined) {
  console.error("usage: node built/ask.js URL PHOTO");
  exit(2);
}

try {
  const image = new Blob([new Uint8Array(await readFile(photo))]);
  const answer = await new Client(url, env["EMOLENS_KEY"]).predict(image, { threshold: 0.5 });
  const faces = answer.faces.map((face) => face.dominant);
  console.log(JSON.stringify({ dominant: answer.prediction.dominant_emotion, faces, emojis: answer.suggested_emojis }));
} catch (error) {
  if (!(error instanceof ServerError)) throw error;
  console.error(`${error.status} ${error.code}: ${error.message} (request ${error.requestId})`);
  exit(1);
}
