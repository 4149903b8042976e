/** After the build: the page that `play` and `serve --inspect` serve becomes part of the command. */
import { cpSync, rmSync } from 'node:fs';

const page = new URL('dist/page/', import.meta.url);
rmSync(page, { recursive: true, force: true });
cpSync(new URL('../playground/dist/', import.meta.url), page, { recursive: true });
