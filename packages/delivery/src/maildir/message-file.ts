/** A message on its way into a file that outlives a crash. */
import { unlink } from 'node:fs/promises';
import { close, createSynced, open, sync, write, writesAreSynced } from './file-calls.js';

/** Octets gathered for one write: lines may come one by one, and each write is a system call. */
const BATCH_OCTETS = 65_536;

/**
 * Makes a file of a message, as soon as the message begins. Once it resolves, the octets are on the disk. A message of one batch,
 * as most are, is written and synced by one call; whatever fails, no file is left.
 * @param path where nothing stands
 * @param header what stands in the file before the body
 * @returns the octets of the body
 * @throws what the body throws, and the system's error: `EEXIST` when there is such a file, which then stays
 */
export async function writeMessageFile(
  path: string,
  header: Buffer,
  body: AsyncIterable<Uint8Array>,
): Promise<number> {
  const created = createSynced(path);
  // Thrown below, where it is wanted first, unless the body has failed before.
  created.catch(() => {});
  let batch: Uint8Array[] = [header];
  let waiting = header.length;
  let size = 0;
  let descriptor: number | undefined;
  try {
    try {
      for await (const chunk of body) {
        batch.push(chunk);
        waiting += chunk.length;
        size += chunk.length;
        if (waiting < BATCH_OCTETS) continue;
        if (descriptor === undefined) {
          // Of several batches none but the last is to wait for the disk.
          const synced = await created;
          descriptor = await open(path);
          close(synced);
        }
        await write(descriptor, Buffer.concat(batch, waiting));
        batch = [];
        waiting = 0;
      }
      const isOneBatch = descriptor === undefined;
      descriptor ??= await created;
      if (waiting > 0) await write(descriptor, Buffer.concat(batch, waiting));
      if (!(isOneBatch && writesAreSynced)) await sync(descriptor);
    } finally {
      descriptor ??= await created.catch(() => undefined);
      if (descriptor !== undefined) close(descriptor);
    }
  } catch (error) {
    // That it failed is what matters. A file that this call did not make is somebody else's.
    if (descriptor !== undefined) await unlink(path).catch(() => {});
    throw error;
  }
  return size;
}
