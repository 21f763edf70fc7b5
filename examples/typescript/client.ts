// A small client whose types are generated from the server's OpenAPI: npm run types

import type { components, paths } from "./schema.js";

export type Answer = components["schemas"]["PredictAnswer"];
export type Options = NonNullable<paths["/predict"]["post"]["parameters"]["query"]>;
type ErrorAnswer = components["schemas"]["ErrorAnswer"];

export class ServerError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly requestId: string,
  ) {
    super(message);
  }
}

export class Client {
  constructor(
    private readonly url: string,
    private readonly key?: string,
    private readonly attempts = 4,
  ) {}

  predict(image: Blob, options: Options = {}): Promise<Answer> {
    const asked = new URLSearchParams();
    for (const [name, value] of Object.entries(options)) asked.set(name, String(value));
    return this.ask(`/predict?${asked}`, image);
  }

  private async ask(path: string, image: Blob): Promise<Answer> {
    const headers: Record<string, string> = { "Content-Type": image.type || "application/octet-stream" };
    if (this.key !== undefined) headers["Authorization"] = `Bearer ${this.key}`;
    for (let attempt = 1; ; attempt++) {
      const answer = await fetch(this.url + path, { method: "POST", headers, body: image });
      if (answer.ok) return (await answer.json()) as Answer;
      const { error } = (await answer.json()) as ErrorAnswer;
      const busy = answer.status === 429 || answer.status === 503;
      if (!busy || attempt === this.attempts) {
        throw new ServerError(answer.status, error.code, error.message, error.request_id);
      }
      const seconds = Number(answer.headers.get("Retry-After") ?? 0) + Math.random() * 0.25 * 2 ** attempt;
      await new Promise((resolve) => setTimeout(resolve, 1000 * seconds));
    }
  }
}
