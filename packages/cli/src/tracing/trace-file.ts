/**
 * The file that `--trace` names. Mail never waits for it: lines are written one batch after the other, in the order in
 * which they came, and while the disk is slower than the mail, what no longer fits is left out; the numbers of the
 * records then show the gap. A file that cannot be written ends the trace, and nothing else.
 */
import { type FileHandle, open, stat } from 'node:fs/promises';

/** Octets that wait for the disk. */
const MAXIMUM_PENDING = 8 * 1024 * 1024;

export interface TraceFileEvents {
  /** The trace is over, for it cannot be written. Called once for each opening of the file. */
  readonly onEnd: (error: Error) => void;
  /** Records are left out, for the disk is too slow. Called once. */
  readonly onOverflow: () => void;
}

export class TraceFile {
  readonly #path: string;
  readonly #header: string;
  readonly #events: TraceFileEvents;
  /** Undefined: the trace is over. */
  #handle: FileHandle | undefined;
  #pending: string[] = [];
  #pendingOctets = 0;
  #hasOverflowed = false;
  /** What is being written, and whatever comes after it. */
  #work: Promise<void> = Promise.resolve();
  #isWriting = false;

  private constructor(path: string, header: string, events: TraceFileEvents) {
    this.#path = path;
    this.#header = header;
    this.#events = events;
  }

  /**
   * Opens the file, for appending, and writes the header. Only its owner may read it: it has addresses in it.
   * @throws what the system says, if it cannot be opened
   */
  static async open(path: string, header: string, events: TraceFileEvents): Promise<TraceFile> {
    const file = new TraceFile(path, header, events);
    file.#handle = await openForAppending(path);
    file.write(await beginningOf(path, header));
    return file;
  }

  /** Takes a line with its end. */
  write(line: string): void {
    if (this.#handle === undefined) return;
    // Lines are ASCII, or nearly.
    if (this.#pendingOctets + line.length > MAXIMUM_PENDING) {
      if (!this.#hasOverflowed) this.#events.onOverflow();
      this.#hasOverflowed = true;
      return;
    }
    this.#pending.push(line);
    this.#pendingOctets += line.length;
    if (this.#isWriting) return;
    this.#isWriting = true;
    this.#work = this.#work.then(() => this.#flush());
  }

  /**
   * Goes on in a new file of the same name, where the old one was moved away or its disk was full.
   * @throws what the system says, if it cannot be opened; the trace then stays where it is
   */
  async reopen(): Promise<void> {
    const next = await openForAppending(this.#path);
    const old = this.#handle;
    this.#work = this.#work.then(async () => {
      this.#handle = next;
      this.#pending.unshift(await beginningOf(this.#path, this.#header));
      await old?.close().catch(() => undefined);
      await this.#flush();
    });
    await this.#work;
  }

  /** Writes what waits, and closes the file. */
  async end(): Promise<void> {
    await this.#work;
    const handle = this.#handle;
    this.#handle = undefined;
    await handle?.close().catch(() => undefined);
  }

  async #flush(): Promise<void> {
    try {
      while (this.#pending.length > 0) {
        const batch = this.#pending.join('');
        this.#pending = [];
        this.#pendingOctets = 0;
        await this.#handle?.appendFile(batch);
      }
    } catch (error) {
      await this.#fail(error as Error);
    } finally {
      this.#isWriting = false;
    }
  }

  async #fail(error: Error): Promise<void> {
    const handle = this.#handle;
    this.#handle = undefined;
    this.#pending = [];
    this.#pendingOctets = 0;
    this.#events.onEnd(error);
    await handle?.close().catch(() => undefined);
  }
}

/** The header, in a line of its own also where a crash or a full disk has torn the last one. */
async function beginningOf(path: string, header: string): Promise<string> {
  return (await endsWithinLine(path)) ? `\n${header}` : header;
}

async function endsWithinLine(path: string): Promise<boolean> {
  const { size } = await stat(path).catch(() => ({ size: 0 }));
  if (size === 0) return false;
  // What cannot be read may have any end: an empty line more does no harm.
  const handle = await open(path).catch(() => undefined);
  try {
    const read = await handle?.read(Buffer.alloc(1), 0, 1, size - 1);
    return read?.buffer.toString() !== '\n';
  } catch {
    return true;
  } finally {
    await handle?.close();
  }
}

function openForAppending(path: string): Promise<FileHandle> {
  return open(path, 'a', 0o600);
}
