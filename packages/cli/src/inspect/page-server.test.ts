import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type IncomingMessage, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTracer, type TraceRecord } from '@sansmtp/charts/trace';
import { describe, expect, it, onTestFinished } from 'vitest';
import { LiveSessions } from './live-sessions.js';
import { PageFiles } from './page-files.js';
import { type PageContent, servePage } from './page-server.js';

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'sansmtp-page-'));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  return path;
}

/** A page of two files, beside which stands one that is none of it. */
async function pageFiles(): Promise<PageFiles> {
  const path = await folder();
  await mkdir(join(path, 'page/assets'), { recursive: true });
  await writeFile(join(path, 'page/index.html'), '<!doctype html>');
  await writeFile(join(path, 'page/assets/a.js'), 'export {};');
  await writeFile(join(path, 'secret.txt'), 'secret');
  return new PageFiles(join(path, 'page/'));
}

interface Answer {
  readonly status: number | undefined;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

type Headers = Record<string, string>;

class Visitor {
  readonly origin: string;
  readonly token: string;
  cookie: string | undefined;

  constructor(url: string) {
    const { origin, hash } = new URL(url);
    this.origin = origin;
    this.token = hash.slice('#token='.length);
  }

  ask(path: string, headers: Headers = {}, method = 'GET', body = ''): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.open(path, headers, method, body, async (answer) => {
        let text = '';
        for await (const piece of answer) text += piece;
        resolve({ status: answer.statusCode, headers: answer.headers, body: text });
      }).on('error', reject);
    });
  }

  open(
    path: string,
    headers: Headers,
    method: string,
    body: string,
    onAnswer: (answer: IncomingMessage) => void,
  ) {
    const { hostname, port } = new URL(this.origin);
    const cookie = this.cookie === undefined ? {} : { Cookie: this.cookie };
    const outgoing = request({ hostname, port, path, method, headers: { ...cookie, ...headers } }, onAnswer);
    outgoing.end(body);
    return outgoing;
  }

  async enter(token = this.token, headers: Headers = {}): Promise<Answer> {
    const answer = await this.ask(
      '/token',
      { Origin: this.origin, ...headers },
      'POST',
      JSON.stringify({ token }),
    );
    const [cookie] = answer.headers['set-cookie'] ?? [];
    this.cookie = cookie?.split(';', 1)[0];
    return answer;
  }

  /** Reads events until so many have come. */
  async events(path: string, count: number, headers: Headers = {}): Promise<string[]> {
    return new Promise((resolve, reject) => {
      const outgoing = this.open(path, headers, 'GET', '', async (answer) => {
        if (answer.statusCode !== 200) {
          reject(new Error(`${answer.statusCode}`));
          return;
        }
        let text = '';
        for await (const piece of answer) {
          text += piece;
          const events = text
            .split('\n\n')
            .slice(0, -1)
            .filter((event) => event !== ':');
          if (events.length < count) continue;
          outgoing.destroy();
          resolve(events);
          return;
        }
        resolve(text.split('\n\n').slice(0, -1));
      });
      outgoing.on('error', () => {});
    });
  }
}

async function serving(content: PageContent = { mode: 'play' }): Promise<Visitor> {
  const page = await servePage(0, content, await pageFiles());
  onTestFinished(() => page.close());
  return new Visitor(page.url);
}

/** Sessions of which so much was told. */
function inspected() {
  const sessions = new LiveSessions();
  const observe = createTracer({
    end: 'server',
    write: (record: TraceRecord) => sessions.take(record),
    wallClock: () => 0,
  });
  const open = (id: string, address = '192.0.2.1') => {
    const session = { id, peer: { address, port: 1 } };
    observe({ type: 'opened', time: 0 }, session);
    return {
      receive: (length: number) => observe({ type: 'received', time: 1, length }, session),
      close: () =>
        observe(
          {
            type: 'closed',
            time: 2,
            ending: 'quit',
            state: 'session.ready',
            duration: 2,
            octetsReceived: 1,
            octetsSent: 1,
          },
          session,
        ),
    };
  };
  return { sessions, open, content: { mode: 'inspect', sessions } as const };
}

const numbersOf = (events: readonly string[]) =>
  events.map((event) => Number(/^id: (\d+)$/m.exec(event)?.[1]));

describe('the page', () => {
  it('is served under a policy that lets nothing in from elsewhere', async () => {
    const visitor = await serving();
    const { status, headers, body } = await visitor.ask('/');
    expect({ status, body }).toEqual({ status: 200, body: '<!doctype html>' });
    expect(headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': expect.stringMatching(/^default-src 'self';/),
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
    });
    expect((await visitor.ask('/assets/a.js')).headers['content-type']).toBe(
      'text/javascript; charset=utf-8',
    );
  });

  it.each([
    '/../secret.txt',
    '/%2e%2e/secret.txt',
    '/..%2fsecret.txt',
    '/assets',
    '/none.js',
    '//secret.txt',
  ])('has no %s', async (path) => {
    expect(await (await serving()).ask(path)).toMatchObject({ status: 404 });
  });

  it('that was not built says so', async () => {
    const page = await servePage(0, { mode: 'play' }, new PageFiles(join(await folder(), '/')));
    onTestFinished(() => page.close());
    expect(await new Visitor(page.url).ask('/')).toMatchObject({
      status: 503,
      body: 'The page is not built here: run npm run build\n',
    });
  });

  it('needs no token where there is nobody’s data', async () => {
    const visitor = await serving();
    expect(visitor.token).toBe('');
    expect((await visitor.ask('/mode')).body).toBe('{"mode":"play"}');
    expect((await visitor.ask('/sessions')).status).toBe(401);
  });
});

describe('somebody’s data', () => {
  it('are for whoever has the token: by a cookie that no script and no other site gets', async () => {
    const { content, open } = inspected();
    open('a');
    const visitor = await serving(content);
    expect((await visitor.ask('/mode')).body).toBe('{"mode":"inspect"}');
    for (const path of ['/sessions', '/sessions/events', '/sessions/a/events', '/trace']) {
      expect(await visitor.ask(path)).toMatchObject({
        status: 401,
        body: expect.not.stringContaining('192.0.2.1'),
      });
    }
    const answer = await visitor.enter();
    expect(answer.status).toBe(204);
    expect(answer.headers['set-cookie']?.[0]).toMatch(
      /^sansmtp-\d+=[\w-]{43}; HttpOnly; SameSite=Strict; Path=\/$/,
    );
    expect(JSON.parse((await visitor.ask('/sessions')).body)).toEqual([
      {
        id: 'a',
        peer: '192.0.2.1:1',
        end: 'server',
        state: 'connecting',
        began: '1970-01-01T00:00:00.000Z',
        records: 1,
      },
    ]);
  });

  it.each([
    ['a wrong token', 'x'.repeat(43)],
    ['none', ''],
  ])('are not for who has %s', async (_, token) => {
    const visitor = await serving(inspected().content);
    expect((await visitor.enter(token)).status).toBe(403);
    expect((await visitor.ask('/sessions', { Cookie: 'sansmtp-1=a' })).status).toBe(401);
  });

  it.each(['{', '[]', '"x"', JSON.stringify({ token: 1 }), 'x'.repeat(100_000)])(
    'are not for %s',
    async (body) => {
      const visitor = await serving(inspected().content);
      const answer = await visitor.ask('/token', { Origin: visitor.origin }, 'POST', body.slice(0, 50_000));
      expect(answer.status).toBe(403);
    },
  );

  it.each<[string, Headers]>([
    ['by another name, which may lead here', { Host: 'evil.example' }],
    ['by another name at this port', { Host: 'evil.example:PORT' }],
    ['at another port', { Host: '127.0.0.1:1' }],
    ['from a page elsewhere', { Origin: 'http://evil.example' }],
    ['from a page at another port', { Origin: 'http://127.0.0.1:1' }],
    ['from a page without an origin', { Origin: 'null' }],
    ['by a script elsewhere', { 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'no-cors' }],
    ['by a script at another port', { 'Sec-Fetch-Site': 'same-site', 'Sec-Fetch-Mode': 'cors' }],
  ])('are not asked for %s', async (_, headers) => {
    const visitor = await serving(inspected().content);
    const { port } = new URL(visitor.origin);
    const named = Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [name, value.replace('PORT', port)]),
    );
    expect((await visitor.enter(visitor.token, named)).status).toBe(403);
    await visitor.enter();
    expect((await visitor.ask('/sessions')).status).toBe(200);
    expect((await visitor.ask('/sessions', named)).status).toBe(403);
  });

  it('may be opened by a link that stands elsewhere: the page alone comes then', async () => {
    const visitor = await serving(inspected().content);
    const link = { 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'navigate' };
    expect((await visitor.ask('/', link)).status).toBe(200);
  });

  it.each([
    ['/sessions', 'POST', 405],
    ['/token', 'GET', 405],
    ['/', 'DELETE', 405],
    ['/sessions/events', 'HEAD', 405],
  ])('%s is not for %s', async (path, method, status) => {
    const visitor = await serving(inspected().content);
    await visitor.enter();
    expect((await visitor.ask(path, { Origin: visitor.origin }, method)).status).toBe(status);
  });

  it('are a trace, as it stands in its file', async () => {
    const path = join(await folder(), 'a.trace');
    await writeFile(path, 'first\n');
    const visitor = await serving({ mode: 'trace', path });
    await visitor.enter();
    expect(await visitor.ask('/trace')).toMatchObject({ status: 200, body: 'first\n' });
    await writeFile(path, 'first\nsecond\n');
    expect((await visitor.ask('/trace')).body).toBe('first\nsecond\n');
    expect((await visitor.ask('/sessions')).status).toBe(404);
    await rm(path);
    expect((await visitor.ask('/trace')).status).toBe(500);
  });
});

describe('a session that is followed', () => {
  it('is told record by record, each with its number, and on from where one was', async () => {
    const { content, open } = inspected();
    const session = open('a');
    for (let length = 0; length < 300; length += 1) session.receive(length);
    const visitor = await serving(content);
    await visitor.enter();
    const events = await visitor.events('/sessions/a/events', 301);
    expect(numbersOf(events)).toEqual(Array.from({ length: 301 }, (_, index) => index));
    expect(JSON.parse(/^data: (.*)$/m.exec(events[1] ?? '')?.[1] ?? '')).toMatchObject({
      seq: 1,
      group_id: 'a',
      name: 'smtp:bytes_received',
    });
    const more = visitor.events('/sessions/a/events', 3, { 'Last-Event-ID': '299' });
    session.receive(1);
    session.receive(2);
    expect(numbersOf(await more)).toEqual([300, 301, 302]);
  });

  it('that is over ends the stream, and whoever asks again is sent away for good', async () => {
    const { content, open } = inspected();
    open('a').close();
    const visitor = await serving(content);
    await visitor.enter();
    const events = await visitor.ask('/sessions/a/events');
    expect(numbersOf(events.body.split('\n\n').slice(0, -1))).toEqual([0, 1]);
    expect((await visitor.ask('/sessions/a/events', { 'Last-Event-ID': '1' })).status).toBe(204);
    expect((await visitor.ask('/sessions/b/events')).status).toBe(404);
  });

  it('has 16 followers at most, and room again when one leaves', async () => {
    const { content, open } = inspected();
    open('a');
    const visitor = await serving(content);
    await visitor.enter();
    const opened = Array.from(
      { length: 16 },
      () =>
        new Promise<ReturnType<Visitor['open']>>((resolve) => {
          const outgoing = visitor.open('/sessions/a/events', {}, 'GET', '', () => resolve(outgoing));
          outgoing.on('error', () => {});
        }),
    );
    const followers = await Promise.all(opened);
    expect((await visitor.ask('/sessions/a/events')).status).toBe(503);
    followers[0]?.destroy();
    for (;;) {
      const next = await visitor.events('/sessions/a/events', 1).catch(() => undefined);
      if (next !== undefined) break;
    }
  });

  it('costs no more memory than its ring, whoever does not read', async () => {
    const { sessions, content, open } = inspected();
    const session = open('a');
    const visitor = await serving(content);
    await visitor.enter();
    const paused = await new Promise<IncomingMessage>((resolve) => {
      visitor.open('/sessions/a/events', {}, 'GET', '', resolve).on('error', () => {});
    });
    paused.pause();
    for (let length = 0; length < 50_000; length += 1) session.receive(length);
    expect(sessions.get('a')?.octets).toBeLessThanOrEqual(512 * 1024);
    let text = '';
    for await (const piece of paused) {
      text += piece;
      if (text.includes('id: 50000\n')) break;
    }
    const numbers = numbersOf(text.split('\n\n').slice(0, -1));
    expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
    expect(new Set(numbers).size).toBe(numbers.length);
  });
});

describe('the list of sessions', () => {
  it('is told as it changes, from those on that there are', async () => {
    const { content, open } = inspected();
    open('a');
    const visitor = await serving(content);
    await visitor.enter();
    const events = visitor.events('/sessions/events', 4);
    await new Promise((resolve) => setTimeout(resolve, 300));
    const session = open('b');
    await new Promise((resolve) => setTimeout(resolve, 300));
    session.receive(1);
    await new Promise((resolve) => setTimeout(resolve, 300));
    session.close();
    const told = (await events).map((event) => [
      /^event: (\w+)$/m.exec(event)?.[1],
      JSON.parse(/^data: (.*)$/m.exec(event)?.[1] ?? '').id,
    ]);
    expect(told).toEqual([
      ['opened', 'a'],
      ['opened', 'b'],
      ['changed', 'b'],
      ['closed', 'b'],
    ]);
  });

  it('forgets the oldest that are closed where there are too many, and no more than that', () => {
    const { sessions, open } = inspected();
    open('open');
    for (let index = 0; index < 3000; index += 1) open(`s${index}`).close();
    const ids = Array.from(sessions.all, ({ id }) => id);
    expect(ids).toHaveLength(2000);
    expect(ids[0]).toBe('open');
    expect(ids.at(-1)).toBe('s2999');
    expect(sessions.get('s0')).toBeUndefined();
  });
});
