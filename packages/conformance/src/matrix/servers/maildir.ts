/** The messages in a Maildir, as they come. */
import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { StoredTestMessage } from '../../contract/target.js';

/** Milliseconds without a new message after which none is under way any more, and those for the first one, if one comes. */
const QUIET = 1000;
const TIME_FOR_THE_FIRST = 4000;

/** Servers of Unix store lines that end in LF. Where CRLF is stored, an LF by itself was sent so. */
function asSent(octets: Buffer): Uint8Array {
  const text = octets.toString('latin1');
  return text.includes('\r\n') ? octets : Buffer.from(text.replaceAll('\n', '\r\n'), 'latin1');
}

/** Takes the messages out of the Maildir that have come since it was last called, in order, once no more come. */
export function takeFrom(maildir: string): () => Promise<readonly StoredTestMessage[]> {
  const folder = join(maildir, 'new');
  const names = async () => (await readdir(folder).catch(() => [])).sort();
  return async () => {
    let known: readonly string[] = [];
    for (let waited = QUIET; ; waited += QUIET) {
      await new Promise((resolve) => setTimeout(resolve, QUIET));
      const found = await names();
      if (found.join() === known.join() && (found.length > 0 || waited >= TIME_FOR_THE_FIRST)) break;
      known = found;
    }
    const files = await Promise.all(
      known.map(async (name) => ({ path: join(folder, name), at: (await stat(join(folder, name))).mtimeMs })),
    );
    files.sort((one, other) => one.at - other.at);
    const messages: StoredTestMessage[] = [];
    for (const { path } of files) {
      messages.push({ content: asSent(await readFile(path)) });
      await rm(path);
    }
    return messages;
  };
}
