/**
 * A file that grows, as text, piece by piece. It begins anew where the file was replaced or made shorter, as log rotation
 * does.
 */
import { type FileHandle, open, stat } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';

/** Milliseconds between two looks at a file that does not grow. */
const INTERVAL = 200;
const PIECE = 64 * 1024;

/**
 * Yields what stands in the file; with `follow` also what is added to it, without an end.
 * @throws what the system says, if the file cannot be read
 */
export async function* piecesOf(path: string, follow: boolean): AsyncGenerator<string> {
  let handle = await open(path);
  let decoder = new TextDecoder();
  let position = 0;
  const buffer = Buffer.allocUnsafe(PIECE);
  try {
    for (;;) {
      const { bytesRead } = await handle.read(buffer, 0, PIECE, null);
      if (bytesRead > 0) {
        position += bytesRead;
        yield decoder.decode(buffer.subarray(0, bytesRead), { stream: true });
        continue;
      }
      if (!follow) return;
      await setTimeout(INTERVAL);
      const next = await replacementOf(path, handle, position);
      if (next === undefined) continue;
      await handle.close();
      handle = next;
      decoder = new TextDecoder();
      position = 0;
    }
  } finally {
    await handle.close();
  }
}

/** The file that has come into the place of this one, opened; or this one, where it was made shorter. */
async function replacementOf(
  path: string,
  handle: FileHandle,
  position: number,
): Promise<FileHandle | undefined> {
  const [here, there] = [await handle.stat(), await stat(path).catch(() => undefined)];
  const isReplaced = there !== undefined && (there.ino !== here.ino || there.dev !== here.dev);
  if (!isReplaced && here.size >= position) return undefined;
  return await open(path).catch(() => undefined);
}
