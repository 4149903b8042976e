import { readFile } from 'node:fs/promises';
import { createTransport } from 'nodemailer';
import PostalMime from 'postal-mime';
import { afterEach, describe, expect, it } from 'vitest';
import { type NodeInboxOptions, openInbox, StalledError } from './index.js';

const open: { close(): Promise<void> }[] = [];
afterEach(() => Promise.all(open.splice(0).map((each) => each.close())));

async function inboxWith<Parsed = undefined>(options: NodeInboxOptions<Parsed> = {}) {
  const inbox = await openInbox(options);
  open.push(inbox);
  return inbox;
}

const MAIL = { from: 'ann@example.org', to: 'bob@example.com', subject: 'hello', text: 'Hi.' };

describe("nodemailer's transport", () => {
  it('delivers in memory', async () => {
    const inbox = await inboxWith();
    await createTransport(inbox.transport).sendMail(MAIL);
    expect(await inbox.next({ to: 'bob@example.com' })).toMatchObject({
      from: 'ann@example.org',
      secure: false,
    });
  });

  it('delivers to the port', async () => {
    const inbox = await inboxWith();
    await createTransport({ host: '127.0.0.1', port: inbox.port }).sendMail(MAIL);
    expect((await inbox.next()).text).toContain('Subject: hello');
  });

  it.each(['startTls', 'implicit'] as const)(
    'delivers under TLS, %s, in memory and to the port',
    async (tls) => {
      const inbox = await inboxWith({ tls });
      await createTransport(inbox.transport).sendMail(MAIL);
      await createTransport({
        host: 'localhost',
        port: inbox.port,
        secure: tls === 'implicit',
        requireTLS: true,
        tls: { ca: inbox.certificate },
      }).sendMail(MAIL);
      expect(inbox.messages.map(({ secure }) => secure)).toEqual([true, true]);
    },
  );

  it('logs in, or not', async () => {
    const inbox = await inboxWith({ users: { ann: 'pencil' } });
    const transport = (pass: string) => createTransport({ ...inbox.transport, auth: { user: 'ann', pass } });
    await transport('pencil').sendMail(MAIL);
    expect((await inbox.next()).user).toBe('ann');
    await expect(transport('pen').sendMail(MAIL)).rejects.toMatchObject({ responseCode: 535 });
  });

  it('may read files meanwhile: nothing stalls as long as something is under way', async () => {
    const inbox = await inboxWith();
    const file = new URL(import.meta.url).pathname;
    const sending = createTransport(inbox.transport).sendMail({
      ...MAIL,
      attachments: Array.from({ length: 20 }, () => ({ path: file })),
    });
    const message = await inbox.next();
    await sending;
    expect(message.raw.length).toBeGreaterThan(20 * (await readFile(file)).length);
  });
});

describe('an inbox with a port', () => {
  it('has what a parser makes of a message', async () => {
    const inbox = await inboxWith({ parse: (raw) => PostalMime.parse(raw) });
    await createTransport(inbox.transport).sendMail({ ...MAIL, subject: 'Grüße' });
    expect((await inbox.next()).parsed.subject).toBe('Grüße');
  });

  it('is closed with all that stands', async () => {
    const inbox = await openInbox();
    const transport = createTransport({ host: '127.0.0.1', port: inbox.port, pool: true });
    await transport.sendMail(MAIL);
    await inbox.close();
    transport.close();
    await expect(
      createTransport({ host: '127.0.0.1', port: inbox.port }).sendMail(MAIL),
    ).rejects.toMatchObject({
      code: 'ESOCKET',
    });
  });

  it('still says that nothing can come, of a session in memory', async () => {
    const inbox = await inboxWith();
    inbox.connect();
    await expect(inbox.next()).rejects.toThrow(StalledError);
  });

  it('names a mistake', async () => {
    await expect(openInbox({ tls: 'ssl' as 'implicit' })).rejects.toThrow("'startTls' or 'implicit'");
    await expect(openInbox({ ports: 25 } as object)).rejects.toThrow('ports');
    await expect(openInbox({ port: 65_536 })).rejects.toThrow('65536');
  });
});
