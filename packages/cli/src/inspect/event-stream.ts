/** Server-sent events (HTML Standard §9.2), to a client that may be slow: whoever writes asks first whether there is room. */
import type { ServerResponse } from 'node:http';

/** Milliseconds between comments that show that the connection stands. */
const HEARTBEAT = 15_000;

export class EventStream {
  readonly #response: ServerResponse;
  readonly #heartbeat: NodeJS.Timeout;
  #isFull = false;

  /**
   * @param onDrain there is room again
   * @param onClose the client has gone, or `end` was called
   */
  constructor(response: ServerResponse, onDrain: () => void, onClose: () => void) {
    this.#response = response;
    response.writeHead(200, {
      'Content-Type': 'text/event-stream; charset=utf-8',
      'Cache-Control': 'no-store',
    });
    response.flushHeaders();
    response.on('drain', () => {
      this.#isFull = false;
      onDrain();
    });
    response.on('close', () => {
      clearInterval(this.#heartbeat);
      onClose();
    });
    this.#heartbeat = setInterval(() => {
      if (this.hasRoom) this.#response.write(':\n\n');
    }, HEARTBEAT);
  }

  get hasRoom(): boolean {
    return !this.#isFull && !this.#response.writableEnded && !this.#response.destroyed;
  }

  /** @param data on one line, as JSON is */
  send(data: string, { id, event }: { readonly id?: number; readonly event?: string } = {}): void {
    const name = event === undefined ? '' : `event: ${event}\n`;
    const number = id === undefined ? '' : `id: ${id}\n`;
    if (!this.#response.write(`${name}${number}data: ${data}\n\n`)) this.#isFull = true;
  }

  end(): void {
    this.#response.end();
  }
}
