/** The examples of docs/delivery.md run as they are printed. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Secret } from '@sansmtp/core';
import { Rejection } from '@sansmtp/transport';
import {
  createTlsContext,
  type MailListenOptions,
  type MailServerOptions,
  startMailServer,
} from '@sansmtp/transport-node';
import { generate } from 'selfsigned';
import { expect, it, onTestFinished } from 'vitest';

const top = fileURLToPath(new URL('../../..', import.meta.url));
const documented = await readFile(join(top, 'docs/delivery.md'), 'utf8');

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sansmtp-delivery-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  return folder;
}

type Receiving = Partial<Pick<MailServerOptions, 'handlers'> & MailListenOptions>;

/** A folder with the example, and a server that does not know eve for it to send to. */
async function runnable(
  name: string,
  { tls, session, handlers }: Receiving,
  variables: Readonly<Record<string, string>> = {},
) {
  const folder = await temporaryFolder();
  const server = await startMailServer({
    addresses: [{ port: 0, ...(tls && { tls }) }],
    ...(session && { session }),
    handlers: {
      onRcptTo({ forwardPath }) {
        if (forwardPath.localPart === 'eve') throw new Rejection(550, '5.1.1', 'Unknown');
      },
      onMessage() {},
      ...handlers,
    },
  });
  onTestFinished(() => server.shutdown(0));
  const [address] = server.addresses;
  const port = address?.kind === 'tcp' ? String(address.port) : '';
  const [, code = ''] =
    new RegExp(`<!-- example: ${name} -->\n\`\`\`js\n([\\s\\S]*?)\`\`\``).exec(documented) ?? [];
  await symlink(join(top, 'node_modules'), join(folder, 'node_modules'));
  await writeFile(join(folder, 'example.mjs'), code);
  const env = { ...process.env, ...variables, PORT: port };
  return { folder, env };
}

/** What the example prints until it ends. */
async function run(
  name: string,
  receiving: Receiving = {},
  variables: Readonly<Record<string, string>> = {},
): Promise<string> {
  const { folder, env } = await runnable(name, receiving, variables);
  const { stdout } = await promisify(execFile)(process.execPath, ['example.mjs'], {
    cwd: folder,
    env,
    timeout: 20_000,
  });
  return stdout;
}

it('shows the mailer, and what it says of each recipient', async () => {
  expect(await run('mailer')).toMatch(
    /^bob@example\.com delivered .*250 2\.0\.0.*\neve@example\.net rejected .*550 5\.1\.1 Unknown\n$/,
  );
});

it('shows how to send through a relay, under TLS and with a password', async () => {
  const altNames = [{ type: 2, value: 'localhost' } as const];
  const made = await generate([{ name: 'commonName', value: 'localhost' }], {
    keyType: 'ec',
    algorithm: 'sha256',
    extensions: [{ name: 'subjectAltName', altNames }],
  });
  const authority = join(await temporaryFolder(), 'certificate.pem');
  await writeFile(authority, made.cert);
  const came: unknown[] = [];
  const relay: Parameters<typeof run>[1] = {
    tls: { mode: 'implicit', context: createTlsContext({ cert: made.cert, key: made.private }) },
    session: { authentication: { required: true } },
    handlers: {
      onCredentials: ({ username }) =>
        username === 'ann' ? { kind: 'password', password: new Secret('pencil') } : undefined,
      onAuth: ({ mechanism }) => mechanism.startsWith('SCRAM-'),
      onMessage({ envelope }, { tls, identity }) {
        came.push([tls?.protocol, identity?.username, envelope.parameters]);
      },
    },
  };
  const variables = { RELAY: 'localhost', PASSWORD: 'pencil', NODE_EXTRA_CA_CERTS: authority };
  expect(await run('relay', relay, variables)).toMatch(/^delivered .*250 2\.0\.0.*\n$/);
  expect(came).toEqual([['TLSv1.3', 'ann', expect.objectContaining({ body: '8BITMIME', smtpUtf8: true })]]);
}, 30_000);

it('shows the transport for nodemailer', async () => {
  expect(await run('nodemailer')).toBe("[ 'bob@example.com' ] [ 'eve@example.net' ] 2\n");
});

it('shows the outbox: what is sent is safe, arrives, or bounces', async () => {
  const came: string[] = [];
  const onMessage = ({
    envelope,
  }: {
    envelope: { recipients: readonly { forwardPath: { localPart: string } }[] };
  }) => {
    came.push(...envelope.recipients.map(({ forwardPath }) => forwardPath.localPart));
  };
  const { folder, env } = await runnable('outbox', { handlers: { onMessage } });
  const child = spawn(process.execPath, ['example.mjs'], {
    cwd: folder,
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let printed = '';
  for await (const chunk of child.stdout) {
    printed += chunk;
    if (/bounced.*\n/.test(printed) && came.length > 0) child.kill('SIGTERM');
  }
  if (child.exitCode === null) await once(child, 'exit');
  expect(child.exitCode).toBe(0);
  expect(came).toEqual(['bob']);
  expect(printed).toMatch(/^queued \w+\nbounced \w+ eve .*550 5\.1\.1 Unknown\n$/);
}, 30_000);
