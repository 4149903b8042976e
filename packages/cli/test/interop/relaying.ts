/** `sansmtp relay` for one test: on free ports, with a queue and a Maildir of its own, and a DNS server that knows nobody; and whom it speaks to. */
import { join } from 'node:path';
import type { ServerHandlers } from '@sansmtp/transport';
import { startMailServer } from '@sansmtp/transport-node';
import { onTestFinished } from 'vitest';
import { serveDns, type Zone } from '../../../delivery/test/dns-server.js';
import { type Finished, type Running, run, sansmtp, scratchFolder, start, until } from './processes.js';
import { greeted } from './raw-client.js';
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
  /** @default a directory in the folder */
  readonly queue?: string;
  /** What DNS knows. @default nothing */
  readonly zone?: Zone;
  /** A program and its words to run the command under. */
  readonly wrapper?: readonly string[];
}

export async function relay(words: readonly string[], options: RelayingOptions = {}): Promise<Relaying> {
  const folder = options.folder ?? (await scratchFolder());
  const place = options.queue ?? join(folder, 'queue');
  const dns = await serveDns(options.zone ?? {});
  onTestFinished(() => dns.close());
  const places = ['--queue', place, '--maildir', join(folder, 'mail')];
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
  const queue = (...care: string[]) => run(...sansmtp('queue', ...care, '--queue', place));
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

/** A host that mail goes on to. */
export async function nextHop(handlers: Partial<ServerHandlers> = {}, port = 0) {
  const messages: { readonly from: string; readonly to: readonly string[]; readonly text: string }[] = [];
  const server = await startMailServer({
    addresses: [{ port }],
    handlers: {
      async onMessage({ envelope: { reversePath, recipients }, body }) {
        const pieces: Uint8Array[] = [];
        for await (const piece of body) pieces.push(piece);
        messages.push({
          from: reversePath === null ? '' : `${reversePath.localPart}@${reversePath.domain}`,
          to: recipients.map(({ forwardPath }) => forwardPath.localPart),
          text: Buffer.concat(pieces).toString('latin1'),
        });
      },
      ...handlers,
    },
  });
  onTestFinished(() => server.shutdown(0));
  const [address] = server.addresses;
  return { port: address?.kind === 'tcp' ? address.port : 0, messages };
}

/** Sends a message by hand. @returns the reply to its end */
export async function submit(
  server: Pick<Relaying, 'port'>,
  to: string,
  message = 'Subject: a\r\n\r\ntext\r\n',
  parameters = '',
) {
  const client = await greeted(server);
  await client.say(`EHLO c.example\r\nMAIL FROM:<ann@example.com>${parameters}\r\n`, /^250 2\.1\.0/m);
  await client.say(`RCPT TO:<${to}>\r\n`, /^250 2\.1\.5/m);
  await client.say('DATA\r\n', /^354 /m);
  const from = client.received.length;
  await client.say(`${message}.\r\n`, /^\d\d\d .*\r\n/m);
  client.socket.destroy();
  return client.received.slice(from).trimEnd();
}
