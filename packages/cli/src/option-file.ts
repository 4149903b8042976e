/** The files that options name. */
import { readFile } from 'node:fs/promises';

/** @throws {RangeError} it cannot be read: the message names the option and the file, as not all of the system's do */
export async function readOptionFile(option: string, path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    throw new RangeError(`${option}: ${path} cannot be read: ${(error as Error).message}`, { cause: error });
  }
}

/**
 * What a list in UTF-8 says, line by line, with the numbers of the lines; blank ones and those that begin with `#` are skipped.
 * @throws {RangeError} it is not UTF-8
 */
export function* linesOf(octets: Uint8Array): Generator<readonly [number: number, line: string]> {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(octets);
  } catch {
    throw new RangeError('it is not UTF-8');
  }
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.trim();
    if (line !== '' && !line.startsWith('#')) yield [index + 1, line];
  }
}
