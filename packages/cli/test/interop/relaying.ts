/** `sansmtp relay` for one test: on free ports, with a queue and a Maildir of its own, and a DNS server that knows nobody. */
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { serveDns, type Zone } from '../../../delivery/test/dns-server.js';
import { type Finished, type Running, run, sansmtp, scratchFolder, start, until } from './processes.js';
import { readMaildir, type StoredMessage } from './serving.js';

export interface Relaying extends Running {
  readonly port: number;
  readonly folder: string;
  portOf(kind: 'smtps' | 'submission' | 'lmtp' | 'metrics'): number;
  messages(): Promise<StoredMessage[]>;
  /** `sansmtp queue`, with the place of the queue. */
  queue(...words: string[]): Promise<Finished>;
  /** The messages of the queue, as `list --json` tells them. */
  listed(): Promise<Listed[]>;
}

export interface Listed {
  readonly id: string;
  readonly from: string;
  readonly state: string;
  readonly recipients: readonly {
    readonly address: string;
    readonly state: string;
    readonly attempts: number;
    readonly last: { readonly verdict: string; readonly reply: string | null } | null;
  }[];
}

export interface RelayingOptions {
  /** @default a folder of the test's own */
  readonly folder?: string;
  /** What DNS knows. @default nothing */
  readonly zone?: Zone;
  /** A program and its words to run the command under. */
  readonly wrapper?: readonly string[];
}

export async function relay(words: readonly string[], options: RelayingOptions = {}): Promise<Relaying> {
  const folder = options.folder ?? (await scratchFolder());
  const dns = await serveDns(options.zone ?? {});
  onTestFinished(() => dns.close());
  const places = ['--queue', join(folder, 'queue'), '--maildir', join(folder, 'mail')];
  const common = ['--port', '0', '--hostname', 'relay.example', '--dns', dns.address, ...places];
  const [node, script] = sansmtp('relay', ...common, ...words);
  const [program = node, ...rest] = [...(options.wrapper ?? []), node, ...script];
  const running = start(program, rest);
  await Promise.race([
    until(() => running.stdout.includes('listening smtp')),
    running.exit.then((exit) => Promise.reject(new Error(`relay ended with ${exit}: ${running.stderr}`))),
  ]);
  const portOf = (kind: string) =>
    Number(new RegExp(`^listening ${kind} 127\\.0\\.0\\.1:(\\d+)$`, 'm').exec(running.stdout)?.[1]);
  const queue = (...care: string[]) => run(...sansmtp('queue', ...care, '--queue', join(folder, 'queue')));
  return Object.assign(running, {
    port: portOf('smtp'),
    folder,
    portOf,
    queue,
    messages: () => readMaildir(join(folder, 'mail')),
    async listed() {
      const { stdout } = await queue('list', '--json');
      return stdout
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as Listed);
    },
  });
}
