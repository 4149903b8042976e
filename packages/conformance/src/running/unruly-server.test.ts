/** Servers that are none: the kit comes to an end with each, and nothing passes that was not judged. */
import { createMemoryPair } from '@sansmtp/transport-memory';
import { describe, expect, it } from 'vitest';
import { starttls } from '../cases/commands/starttls.js';
import { smuggling } from '../cases/mail-data/smuggling.js';
import { sequence } from '../cases/sequence/index.js';
import type { CaseGroup } from '../contract/case.js';
import { generate } from '../generated/generation.js';
import { paths } from '../paths/paths.js';
import { examine } from './examination.js';
import { createIdleClock, type IdleClock } from './idle-clock.js';
import { judgeAll } from './judge-all.js';
import type { ServerToTest } from './server-to-test.js';

/** The server's end of a connection. */
interface Connection {
  /** False: it is full, and `drained` is called when it has room again. Nothing is said where it is closed. */
  say(text: string): boolean;
  drained(): void;
  readonly clock: IdleClock;
}

interface Unruly {
  /** What it says to a line, counted from 0 on; undefined: nothing. */
  reply(line: string, turn: number, connection: Connection): string | undefined;
  /** Comes after the greeting. */
  begin?(connection: Connection): void;
}

/** As a server is reached: in memory, on time that leaps where nothing happens. Its handshakes all fail. */
function reached({ reply, begin = () => {} }: Unruly): ServerToTest {
  const clock = createIdleClock();
  return {
    clock,
    to: 'ann@unruly.example',
    connect() {
      const [near, far] = createMemoryPair({ clock, tls: { mode: 'startTls', failHandshake: true } });
      let isOpen = true;
      const connection: Connection = {
        say: (text) => isOpen && far.write(Buffer.from(text)),
        drained() {},
        clock,
      };
      let turn = 0;
      let held = '';
      far.open({
        data(octets) {
          held += Buffer.from(octets).toString('latin1');
          for (let end = held.indexOf('\n'); end >= 0; end = held.indexOf('\n')) {
            const line = held.slice(0, end).trimEnd();
            held = held.slice(end + 1);
            const text = reply(line, turn++, connection);
            if (text === undefined) continue;
            connection.say(`${text}\r\n`);
            if (text.startsWith('421')) far.end();
            if (line === 'STARTTLS' && text.startsWith('220')) far.startTls();
          }
        },
        end: () => far.end(),
        drain: () => connection.drained(),
        secure() {},
        close() {
          isOpen = false;
        },
      });
      connection.say('220 unruly.example\r\n');
      begin(connection);
      return near;
    },
  };
}

async function resultsOf(server: ServerToTest, groups: readonly CaseGroup[], only: string) {
  const results = new Map<string, string>();
  for await (const { id, outcome } of judgeAll(await examine(server), groups, { only })) {
    const detail =
      outcome.result === 'passed' ? '' : outcome.result === 'failed' ? outcome.seen : outcome.reason;
    results.set(id, `${outcome.result} ${detail}`.trim());
  }
  return Object.fromEntries(results);
}

const takesAll = (line: string): string => (line === 'DATA' ? '354 go' : '250 OK');

describe('a server whose handshakes all fail', () => {
  const server = reached({
    reply: (line) =>
      line.startsWith('EHLO') ? '250-x\r\n250 STARTTLS' : line === 'STARTTLS' ? '220 go' : '250 OK',
  });

  it('has not shown that it drops what was injected', async () => {
    const only = 'starttls/noop-sent-in-the-clear-is-dropped,paths/ready-starttls-with-injection';
    const reason = 'skipped no handshake succeeds here, with something injected or without';
    expect(await resultsOf(server, [starttls, paths], only)).toEqual({
      'starttls/noop-sent-in-the-clear-is-dropped': reason,
      'paths/ready-starttls-with-injection': reason,
    });
  });
});

describe('a server that says 421 to whatever comes after EHLO', () => {
  const server = reached({
    reply: (line) => (/^(?:EHLO|HELO)/.test(line) ? '250 x.example' : '421 4.7.0 Too many'),
  });

  it('is skipped for the limit that it announces', async () => {
    const only = 'paths/ready-noop,paths/ready-unknown,smuggling/command-noop-lf-noop';
    const results = await resultsOf(server, [smuggling, paths], only);
    expect(Object.keys(results)).toHaveLength(3);
    for (const result of Object.values(results))
      expect(result).toMatch(/^skipped the server announced a limit/);
  });
});

describe('a server that says 421 to every command', () => {
  it('has no generated dialogue that could be judged', async () => {
    let connections = 0;
    const server = reached({
      reply: () => (connections < 3 ? '250 x.example' : '421 4.7.0 Too many'),
      begin: () => void connections++,
    });
    const { outcome } = await generate(await examine(server), { runs: 10, seed: 1 });
    expect(outcome).toMatchObject({ result: 'skipped' });
    expect(outcome).toHaveProperty('reason', expect.stringContaining('no dialogue could be judged'));
  });

  it('has none where none was generated', async () => {
    const server = reached({ reply: takesAll });
    const { outcome } = await generate(await examine(server), { runs: 0 });
    expect(outcome).toMatchObject({ result: 'skipped' });
  });
});

describe('a server that falls silent', () => {
  it('has not taken a command as one: it may have taken nothing', async () => {
    const server = reached({ reply: (_, turn) => (turn < 1 ? '250 x.example' : undefined) });
    expect(await resultsOf(server, [smuggling], 'smuggling/command-noop-lf-noop')).toEqual({
      'smuggling/command-noop-lf-noop': 'skipped the server says nothing, not even to QUIT',
    });
  });
});

describe('a server that replies before anything is said', () => {
  it('is not taken for one that replies to it', async () => {
    const server = reached({
      reply: () => undefined,
      begin: ({ say }) => void say('250 x.example\r\n250 OK\r\n250 OK\r\n'),
    });
    // EHLO is a prerequisite of the first, and what the second judges.
    await expect(examine(server)).rejects.toThrow('the server said 250 x.example before EHLO probe.invalid');
  });

  it('deviates where a reply is judged', async () => {
    const server = reached({
      reply: (line) => (line.startsWith('NOOP') ? undefined : `${takesAll(line)}\r\n250 OK`),
    });
    const results = await resultsOf(
      server,
      [sequence],
      'sequence/noop-needs-no-ehlo,sequence/rset-after-ehlo',
    );
    expect(results['sequence/rset-after-ehlo']).toMatch(/^failed .*before RSET was said to it/);
  });
});

describe('a server that does not come to an end', () => {
  const groups = [smuggling, sequence];
  const deviates = /^failed the server does not come to an end after /;

  it('is broken off', async () => {
    const octets = `250 ${'x'.repeat(400)}\r\n`.repeat(160);
    const server = reached({
      reply(line, _, connection) {
        if (!line.startsWith('NOOP')) return takesAll(line);
        connection.drained = () => {
          while (connection.say(octets));
        };
        connection.drained();
        return undefined;
      },
    });
    const only = 'smuggling/command-noop-lf,sequence/noop-needs-no-ehlo';
    const results = await resultsOf(server, groups, only);
    expect(results['smuggling/command-noop-lf']).toMatch(deviates);
    // Its reply has come: what follows is some other case's finding.
    expect(results['sequence/noop-needs-no-ehlo']).toBe('passed');
  });

  it('is not waited for without end where it goes on drop by drop', async () => {
    const server = reached({
      reply(line, _, { say, clock }) {
        if (!line.startsWith('NOOP')) return takesAll(line);
        const drop = () => {
          if (say('250 OK\r\n')) clock.set(clock.now() + 200, drop);
        };
        drop();
        return undefined;
      },
    });
    const results = await resultsOf(server, groups, 'smuggling/command-noop-lf');
    expect(Object.values(results)).toEqual([expect.stringMatching(deviates)]);
  });
});
