/**
 * The message that `send` is given: looked through before anything is sent, then read again for each attempt.
 *
 * A file is read twice. Anything else can be read but once, so it is stored meanwhile in a temporary file that has
 * no name any more: nobody else can open it, and it is gone with this process, however that ends.
 */
import { type FileHandle, mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type LongLines, MessageScan, type MessageTraits } from './message-scan.js';

export type { LongLines };

const CHUNK_OCTETS = 65_536;

export interface OutgoingMessage extends MessageTraits {
  /** The octets as they were given; lines may end in LF. May be called more than once. */
  read(): AsyncIterable<Uint8Array>;
  close(): Promise<void>;
}

/** A fault of this machine, which may pass: nothing is wrong with the message. */
export class TemporaryFault extends Error {
  override readonly name = 'TemporaryFault';
}

/** The codes of those that opening or reading a file may meet. */
const TEMPORARY: ReadonlySet<unknown> = new Set([
  'EIO',
  'EMFILE',
  'ENFILE',
  'ENOMEM',
  'EAGAIN',
  'ENOSPC',
  'EDQUOT',
]);

function temporary(what: string, error: unknown): TemporaryFault {
  return new TemporaryFault(`${what}: ${error instanceof Error ? error.message : String(error)}`, {
    cause: error,
  });
}

const cannotKeep = (error: unknown): never => {
  throw temporary(`the message cannot be stored in ${tmpdir()}`, error);
};

async function openNameless(): Promise<FileHandle> {
  const folder = await mkdtemp(join(tmpdir(), 'sansmtp-'));
  try {
    return await open(join(folder, 'message'), 'wx+', 0o600);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** @param begin where to begin; undefined for what is no regular file, and is read from where it stands */
async function* readFrom(file: FileHandle, begin?: number): AsyncGenerator<Uint8Array> {
  for (let position = begin; ; ) {
    const { bytesRead, buffer } = await file.read({ buffer: Buffer.allocUnsafe(CHUNK_OCTETS), position });
    if (bytesRead === 0) return;
    if (position !== undefined) position += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

/**
 * What was looked through, and no more. A part must never pass for the whole.
 * @throws {Error} the file has become shorter meanwhile
 */
async function* reread(file: FileHandle, length: number): AsyncGenerator<Uint8Array> {
  let left = length;
  for await (const chunk of readFrom(file, 0)) {
    yield chunk.subarray(0, left);
    left -= Math.min(left, chunk.length);
    if (left === 0) return;
  }
  if (left > 0) throw new Error(`the message has become shorter by ${left} octets while it was sent`);
}

async function scan(file: FileHandle, longLines: LongLines): Promise<OutgoingMessage> {
  const scan = new MessageScan(longLines);
  let length = 0;
  for await (const chunk of readFrom(file, 0)) {
    scan.push(chunk);
    length += chunk.length;
  }
  return { ...scan.end(), read: () => reread(file, length), close: () => file.close() };
}

async function copy(source: AsyncIterable<Uint8Array>, file: FileHandle): Promise<FileHandle> {
  for await (const chunk of source) await file.writeFile(chunk).catch(cannotKeep);
  return file;
}

/** Does something with a file, and closes it if that fails. */
async function orClose<Result>(file: FileHandle, use: Promise<Result>): Promise<Result> {
  try {
    return await use;
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function spool(source: AsyncIterable<Uint8Array>, longLines: LongLines): Promise<OutgoingMessage> {
  const file = await openNameless().catch(cannotKeep);
  return orClose(
    file,
    copy(source, file).then((copied) => scan(copied, longLines)),
  );
}

/**
 * Call `close()` when the message is not needed any more.
 * @param path a file, or `-` for `stdin`
 * @throws {MailDataError} it holds a bare CR or a NUL
 * @throws {LongLineError} it has a line over 998 octets, if such are refused
 * @throws {TemporaryFault} there is no room to store it, or the like
 * @throws the system's error when it cannot be read
 */
export async function openMessage(
  path: string,
  stdin: AsyncIterable<Uint8Array>,
  longLines: LongLines = 'refuse',
): Promise<OutgoingMessage> {
  try {
    return await openKept(path, stdin, longLines);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    throw TEMPORARY.has(code) ? temporary('the message cannot be read now', error) : error;
  }
}

async function openKept(
  path: string,
  stdin: AsyncIterable<Uint8Array>,
  longLines: LongLines,
): Promise<OutgoingMessage> {
  if (path === '-') return spool(stdin, longLines);
  const file = await open(path);
  if ((await file.stat()).isFile()) return orClose(file, scan(file, longLines));
  try {
    return await spool(readFrom(file), longLines);
  } finally {
    await file.close();
  }
}
