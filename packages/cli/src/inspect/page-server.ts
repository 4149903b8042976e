/**
 * Serves the page over loopback: its files to anybody here, and what it shows of somebody's data to who has the token.
 *
 *     GET  /mode                  {"mode":"play"|"trace"|"inspect"}
 *     POST /token                 {"token":"…"}: 204 and a cookie, without which the rest is 401
 *     GET  /trace                 the trace, for `play --trace`
 *     GET  /sessions              the sessions; for `--inspect`, as are
 *     GET  /sessions/events       their changes, as server-sent events
 *     GET  /sessions/ID/events    the records of one, each with its `seq` as the event's id; `Last-Event-ID` resumes
 */
import { open } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { Access, isAtHome } from './access.js';
import type { LiveSessions } from './live-sessions.js';
import { LiveStreams } from './live-streams.js';
import { PageFiles } from './page-files.js';

const HOST = '127.0.0.1';
const MAXIMUM_CONNECTIONS = 128;
const MAXIMUM_BODY = 1024;

const HEADERS = {
  'Content-Security-Policy':
    "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
  'Cache-Control': 'no-store',
};

/** What the page is to show. */
export type PageContent =
  | { readonly mode: 'play' }
  /** `path`: of the file, which is read anew each time, for it may grow. */
  | { readonly mode: 'trace'; readonly path: string }
  | { readonly mode: 'inspect'; readonly sessions: LiveSessions };

export interface PageServer {
  /** To be opened in a browser; with the token, where there is somebody's data to be seen. */
  readonly url: string;
  /** Ends all connections. */
  close(): Promise<void>;
}

/**
 * Serves on the loopback address until `close`.
 * @param port 0 for any free one
 * @throws what the system says, if it cannot listen there
 */
export async function servePage(
  port: number,
  content: PageContent,
  files = new PageFiles(),
): Promise<PageServer> {
  const server = createServer({ requestTimeout: 10_000, headersTimeout: 10_000 });
  server.maxConnections = MAXIMUM_CONNECTIONS;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, HOST, () => {
      server.off('error', reject);
      resolve();
    });
  });
  const { port: bound } = server.address() as AddressInfo;
  const page = new Page(content, files, bound);
  server.on('request', (request, response) => page.answer(request, response));
  const fragment = content.mode === 'play' ? '' : `#token=${page.token}`;
  return { url: `http://${HOST}:${bound}/${fragment}`, close: () => closed(server) };
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

class Page {
  readonly #content: PageContent;
  readonly #files: PageFiles;
  readonly #port: number;
  readonly #access: Access;
  readonly #streams: LiveStreams | undefined;

  constructor(content: PageContent, files: PageFiles, port: number) {
    this.#content = content;
    this.#files = files;
    this.#port = port;
    this.#access = new Access(port);
    this.#streams = content.mode === 'inspect' ? new LiveStreams(content.sessions) : undefined;
  }

  get token(): string {
    return this.#access.token;
  }

  answer(request: IncomingMessage, response: ServerResponse): void {
    for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value);
    this.#answer(request, response).catch((error: Error) => {
      if (response.headersSent) response.destroy();
      else say(response, 500, error.message);
    });
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (!isAtHome(request, this.#port)) return say(response, 403, 'This page is for this machine alone');
    const path = (request.url ?? '').split(/[?#]/, 1)[0] ?? '';
    if (path === '/token') return await this.#takeToken(request, response);
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('Allow', 'GET, HEAD');
      return say(response, 405, 'GET only');
    }
    if (path === '/mode') return sayJson(response, { mode: this.#content.mode });
    if (path === '/trace' || path === '/sessions' || path.startsWith('/sessions/')) {
      if (!this.#access.isAllowed(request))
        return say(response, 401, 'Open the URL that was printed: it has the token');
      return await this.#show(path, request, response);
    }
    await this.#sendFile(path, response);
  }

  async #takeToken(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method !== 'POST') {
      response.setHeader('Allow', 'POST');
      return say(response, 405, 'POST only');
    }
    const cookie = this.#access.cookieFor(tokenIn(await bodyOf(request)));
    if (cookie === undefined) return say(response, 403, 'The token is wrong');
    response.writeHead(204, { 'Set-Cookie': cookie }).end();
  }

  async #show(path: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const content = this.#content;
    if (content.mode === 'trace' && path === '/trace') {
      const file = await open(content.path);
      response.writeHead(200, { 'Content-Type': 'application/x-ndjson; charset=utf-8' });
      return await pipeline(file.createReadStream(), response);
    }
    const streams = this.#streams;
    if (content.mode !== 'inspect' || streams === undefined)
      return say(response, 404, 'There is nothing here');
    const { sessions } = content;
    if (path === '/sessions')
      return sayJson(
        response,
        Array.from(sessions.all, ({ listed }) => listed),
      );
    // A stream has no end that an answer to HEAD could have: it would take the place of a follower.
    if (request.method === 'HEAD') {
      response.setHeader('Allow', 'GET');
      return say(response, 405, 'GET only');
    }
    if (path === '/sessions/events') return streams.list(response);
    const [, id = ''] = /^\/sessions\/([^/]+)\/events$/.exec(path) ?? [];
    const session = sessions.get(decoded(id));
    if (session === undefined) return say(response, 404, 'There is no such session, or it was forgotten');
    streams.follow(session, request, response);
  }

  async #sendFile(path: string, response: ServerResponse): Promise<void> {
    const file = await this.#files.read(path);
    if (file !== undefined) {
      response.writeHead(200, { 'Content-Type': file.type }).end(file.content);
      return;
    }
    if (this.#files.areMissing) return say(response, 503, 'The page is not built here: run npm run build');
    say(response, 404, 'There is nothing here');
  }
}

function say(response: ServerResponse, status: number, words: string): void {
  response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8' }).end(`${words}\n`);
}

function sayJson(response: ServerResponse, value: unknown): void {
  response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(value));
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of request as AsyncIterable<Buffer>) {
    length += piece.length;
    if (length > MAXIMUM_BODY) return '';
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString();
}

function tokenIn(body: string): unknown {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === 'object' && value !== null && 'token' in value ? value.token : undefined;
  } catch {
    return undefined;
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return '';
  }
}
