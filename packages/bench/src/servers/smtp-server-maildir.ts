/** smtp-server with a Maildir written as ours is: the same files, the same syncs, one after the other for each message. */
import { randomUUID } from 'node:crypto';
import { mkdir, open, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { SMTPServer } from 'smtp-server';

const [folder = ''] = process.argv.slice(2);
for (const name of ['tmp', 'new', 'cur']) await mkdir(join(folder, name), { recursive: true });

async function store(message: AsyncIterable<Uint8Array>): Promise<void> {
  const name = `${Date.now()}.${randomUUID()}.bench`;
  const temporary = join(folder, 'tmp', name);
  const file = await open(temporary, 'wx', 0o600);
  try {
    const chunks: Uint8Array[] = [];
    for await (const chunk of message) chunks.push(chunk);
    await file.writeFile(Buffer.concat(chunks));
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, join(folder, 'new', name));
  const entries = await open(join(folder, 'new'), 'r');
  try {
    await entries.sync();
  } finally {
    await entries.close();
  }
}

const server = new SMTPServer({
  disabledCommands: ['AUTH', 'STARTTLS'],
  disableReverseLookup: true,
  onData(stream, _session, done) {
    store(stream).then(() => done(), done);
  },
});

server.listen(0, '127.0.0.1', () => {
  const address = server.server.address();
  if (address !== null && typeof address === 'object')
    console.log(`listening smtp 127.0.0.1:${address.port}`);
});
