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
