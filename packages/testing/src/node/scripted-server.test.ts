import { createTransport } from 'nodemailer';
import { afterEach, describe, expect, it } from 'vitest';
import { type NodeScriptedServerOptions, openScriptedServer, type Script } from './index.js';

const open: { close(): Promise<void> }[] = [];
afterEach(() => Promise.all(open.splice(0).map((each) => each.close())));

async function serverWith(script: Script, options: NodeScriptedServerOptions = {}) {
  const server = await openScriptedServer(script, options);
  open.push(server);
  return server;
}

const MAIL = { from: 'ann@example.org', to: ['bob@example.com', 'eve@example.com'], text: 'Hi.' };

describe('a scripted server for nodemailer', () => {
  it('refuses one recipient, in memory and at the port', async () => {
    const server = await serverWith({ RCPT: ['250 2.1.5 OK', '550 5.1.1 No such user'] });
    for (const options of [server.transport, { host: '127.0.0.1', port: server.port }]) {
      const { accepted, rejected } = await createTransport(options).sendMail(MAIL);
      expect([accepted, rejected]).toEqual([['bob@example.com'], ['eve@example.com']]);
    }
    expect(server.messages.map(({ to }) => to)).toEqual([['bob@example.com'], ['bob@example.com']]);
  });

  it('drops after the final dot', async () => {
    const server = await serverWith({ message: 'drop' });
    await expect(createTransport({ host: '127.0.0.1', port: server.port }).sendMail(MAIL)).rejects.toThrow();
    expect(server.messages).toEqual([]);
  });

  it('stalls in real time', async () => {
    const script = { message: { reply: '250 2.0.0 Stored', stall: { after: 3, for: 60_000 } } };
    const server = await serverWith(script, { realTime: true });
    const transport = createTransport({ host: '127.0.0.1', port: server.port, socketTimeout: 100 });
    await expect(transport.sendMail(MAIL)).rejects.toMatchObject({ code: 'ETIMEDOUT' });
  });

  it.each(['startTls', 'implicit'] as const)('speaks TLS, %s', async (tls) => {
    const server = await serverWith({ offers: tls === 'startTls' ? ['STARTTLS'] : [] }, { tls });
    const { port, certificate: ca } = server;
    const secure = tls === 'implicit';
    await createTransport({ host: 'localhost', port, secure, requireTLS: true, tls: { ca } }).sendMail(MAIL);
    await createTransport(server.transport).sendMail(MAIL);
    expect(server.messages.map((message) => message.secure)).toEqual([true, true]);
  });

  it('fails the handshake', async () => {
    const script: Script = {
      offers: ['STARTTLS'],
      STARTTLS: { reply: '220 Go on', ending: 'failHandshake' },
    };
    const server = await serverWith(script, { tls: 'startTls' });
    const { port, certificate: ca } = server;
    const direct = createTransport({ host: 'localhost', port, requireTLS: true, tls: { ca } });
    for (const transport of [direct, createTransport({ ...server.transport, requireTLS: true })]) {
      await expect(transport.sendMail(MAIL)).rejects.toThrow(/handshake failure/i);
    }
    expect(server.messages).toEqual([]);
  });

  it('says why it gave up, when its script cannot be followed', async () => {
    const server = await serverWith({ offers: ['STARTTLS'] });
    await expect(createTransport({ host: '127.0.0.1', port: server.port }).sendMail(MAIL)).rejects.toThrow();
    expect(server.transcript()).toContain('give the server the option tls');
  });
});
