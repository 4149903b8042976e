/** The cases for clients, on the kit's own small client, which is right as long as no fault is planted in it. */
import { describe, expect, it } from 'vitest';
import { deliver } from '../planted/client/small-client.js';
import type { SmtpClient } from './contract.js';
import { describeSmtpClient } from './describe-client.js';
import { CLIENT_CASES, judgeClient } from './judge-client.js';

// Long enough for a busy machine; silence is waited for where power is measured.
const right: SmtpClient = {
  run: (task) => deliver(task, { timeout: 10_000 }),
  setups: ['plain', 'startTls', 'implicitTls', 'login', 'lmtp'],
};

describe('the cases for clients', () => {
  it('have ids of their own, and are many', () => {
    const ids = CLIENT_CASES.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.length).toBeGreaterThan(300);
  });

  it('find nothing in a client that is right', async () => {
    const verdicts = await judgeClient(right, { concurrency: 16 });
    expect(verdicts.filter(({ outcome }) => outcome.result === 'failed')).toEqual([]);
    const skipped = verdicts.flatMap(({ outcome }) => (outcome.result === 'skipped' ? [outcome.reason] : []));
    // What it refuses to send at all, and silence.
    expect(skipped.filter((reason) => !/a bare (?:CR|LF)|waits 300 s/.test(reason))).toEqual([]);
  }, 120_000);

  it('skip what the client was given no way to do', async () => {
    const [verdict] = await judgeClient(
      { run: async () => {} },
      { cases: CLIENT_CASES.filter(({ setup }) => setup === 'lmtp').slice(0, 1) },
    );
    expect(verdict?.outcome).toEqual({
      result: 'skipped',
      reason: 'the client was not given a way to speak LMTP',
    });
  });

  it('find what a client claims that did nothing', async () => {
    const [verdict] = await judgeClient(
      { run: async (task) => void (await deliver(task).catch(() => {})) },
      { cases: CLIENT_CASES.filter(({ id }) => id === 'client-data/message-554-not-delivered') },
    );
    expect(verdict?.outcome.result).toBe('failed');
  });
});

describe('describeSmtpClient', () => {
  it('makes a test of each case: those that pass, fail, or are skipped', async () => {
    const tests = new Map<string, (context?: { skip?(reason?: string): void }) => Promise<void>>();
    const runner = {
      describe: (_: string, define: () => void) => define(),
      it: (name: string, run: () => Promise<void>) => tests.set(name.split(':', 1)[0] ?? '', run),
    };
    const run = async (task: Parameters<SmtpClient['run']>[0]) => void (await deliver(task).catch(() => {}));
    describeSmtpClient({
      runner,
      run,
      only: 'client-data/message-554,client-data/message-250,client-lmtp/lhlo',
    });
    expect([...tests.keys()]).toEqual([
      'client-data/message-250',
      'client-data/message-554',
      'client-lmtp/lhlo',
    ]);
    await tests.get('client-data/message-250')?.();
    await expect(tests.get('client-data/message-554')?.()).rejects.toThrow('client-data/message-554 (MUST');
    const skipped: unknown[] = [];
    await tests.get('client-lmtp/lhlo')?.({ skip: (reason) => void skipped.push(reason) });
    expect(skipped).toEqual(['the client was not given a way to speak LMTP']);
  });
});
