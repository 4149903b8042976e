/** The files of the page, as the build of `packages/playground` made them. */
import { existsSync, readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { extname, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

/** In the published package; in a checkout whose command was not built. */
const FOLDERS = ['./page/', '../../../playground/dist/'];

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.json': 'application/json',
  '.webmanifest': 'application/manifest+json',
  '.woff2': 'font/woff2',
  '.txt': 'text/plain; charset=utf-8',
};

export interface PageFile {
  readonly content: Buffer;
  readonly type: string;
}

/** Only what was there at the beginning is served: no path leads out of the folder. */
export class PageFiles {
  readonly #paths: ReadonlyMap<string, string>;

  constructor(
    folder = FOLDERS.map((path) => fileURLToPath(new URL(path, import.meta.url))).find(existsSync),
  ) {
    this.#paths = new Map(folder === undefined ? [] : filesIn(folder));
  }

  /** Undefined: there is no such file. */
  async read(path: string): Promise<PageFile | undefined> {
    const file = this.#paths.get(path === '/' ? '/index.html' : path);
    if (file === undefined) return undefined;
    return { content: await readFile(file), type: TYPES[extname(file)] ?? 'application/octet-stream' };
  }

  /** The page was not built. */
  get areMissing(): boolean {
    return !this.#paths.has('/index.html');
  }
}

function filesIn(folder: string): [string, string][] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((file) => [`/${file.slice(folder.length).split(sep).join('/')}`, file]);
}
