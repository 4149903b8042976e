/** A stream without another end: it notes what it is told to do, and the test calls its listener. */
import type { ByteStream, ByteStreamListener } from '@sansmtp/transport';
import { textOf } from './peer.js';

export class StubStream implements ByteStream {
  readonly peer = {};
  readonly tls = undefined;
  readonly canStartTls = false;
  readonly calls: string[] = [];
  readonly writes: string[] = [];
  /** What a write is answered with: whether more of them are welcome. */
  hasRoom = true;
  #listener: ByteStreamListener | undefined;

  get listener(): ByteStreamListener {
    if (this.#listener === undefined) throw new Error('The stream was not opened');
    return this.#listener;
  }

  open(listener: ByteStreamListener): void {
    this.#listener = listener;
  }

  write(bytes: Uint8Array): boolean {
    this.writes.push(textOf(bytes));
    return this.hasRoom;
  }

  pause(): void {
    this.calls.push('pause');
  }

  resume(): void {
    this.calls.push('resume');
  }

  end(): void {
    this.calls.push('end');
  }

  startTls(): void {
    this.calls.push('startTls');
  }

  abort(): void {
    this.calls.push('abort');
  }
}
