/** The examples of docs/delivery.md run as they are printed. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Rejection } from '@sansmtp/transport';
import { startMailServer } from '@sansmtp/transport-node';
import { expect, it, onTestFinished } from 'vitest';

const top = fileURLToPath(new URL('../../..', import.meta.url));
const documented = await readFile(join(top, 'docs/delivery.md'), 'utf8');

/** What the example prints, sending to a server that does not know eve. */
async function run(name: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sansmtp-delivery-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const server = await startMailServer({
    addresses: [{ port: 0 }],
    handlers: {
      onRcptTo({ forwardPath }) {
        if (forwardPath.localPart === 'eve') throw new Rejection(550, '5.1.1', 'Unknown');
      },
      onMessage() {},
    },
  });
  onTestFinished(() => server.shutdown(0));
  const [address] = server.addresses;
  const port = address?.kind === 'tcp' ? String(address.port) : '';
  const [, code = ''] =
    new RegExp(`<!-- example: ${name} -->\n\`\`\`js\n([\\s\\S]*?)\`\`\``).exec(documented) ?? [];
  await symlink(join(top, 'node_modules'), join(folder, 'node_modules'));
  await writeFile(join(folder, 'example.mjs'), code);
  const env = { ...process.env, PORT: port };
  const { stdout } = await promisify(execFile)(process.execPath, ['example.mjs'], {
    cwd: folder,
    env,
    timeout: 20_000,
  });
  return stdout;
}

it('shows the mailer, and what it says of each recipient', async () => {
  expect(await run('mailer')).toMatch(
    /^bob delivered .*250 2\.0\.0.*\neve rejected .*550 5\.1\.1 Unknown\n$/,
  );
});

it('shows the transport for nodemailer', async () => {
  expect(await run('nodemailer')).toBe("[ 'bob@example.com' ] [ 'eve@example.net' ] 2\n");
});
