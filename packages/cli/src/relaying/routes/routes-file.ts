/**
 * The file of `--routes-file`: a route a line, as `--route` takes it. Blank lines and those that begin with `#` are skipped. It is taken
 * whole or not at all.
 */
import { linesOf, readOptionFile } from '../../option-file.js';
import { type Routes, routes } from './routes.js';

/**
 * @param given by `--route`; a domain has its route there or here
 * @returns all of them
 * @throws {RangeError} it is no such file; the message names the line
 */
export function parseRoutes(octets: Uint8Array, given: Routes): Routes {
  let all = given;
  for (const [number, line] of linesOf(octets)) {
    try {
      all = routes(line, all);
    } catch (error) {
      throw new RangeError(`line ${number}: ${(error as Error).message}`);
    }
  }
  return all;
}

/** @throws {RangeError} it cannot be read, or is malformed: the message names the option and the file */
export async function readRoutesFile(path: string, given: Routes): Promise<Routes> {
  const octets = await readOptionFile('--routes-file', path);
  try {
    return parseRoutes(octets, given);
  } catch (error) {
    throw new RangeError(`--routes-file: ${path}: ${(error as Error).message}`);
  }
}
