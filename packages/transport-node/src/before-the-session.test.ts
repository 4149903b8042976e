/** Connections that do not come straight from their client: through a proxy, or one that has ended their TLS. */
import { connect as connectSocket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type MailListenOptions, type MailSessionOptions, startMailServer } from './listening/mail-server.js';
import { eventually } from './listening.test-support.js';
import { trustedPeers } from './proxies/trusted-peers.js';
import { createTlsContext } from './tls/tls-context.js';
import { generateCertificate } from './tls-certificates.test-support.js';

const context = createTlsContext(await generateCertificate('localhost'));

async function serverAt(address: Partial<MailListenOptions>) {
  const peers: unknown[] = [];
  const tls: unknown[] = [];
  const errors: string[] = [];
  const server = await startMailServer({
    addresses: [{ port: 0, onError: (error) => errors.push(error.message), ...address } as MailListenOptions],
    handlers: {
      onConnect: (session) => void peers.push(session.peer.address),
      onSecure: (information) => void tls.push(information),
      onAuth: () => true,
      onMessage() {},
    },
  });
  onTestFinished(() => server.shutdown(0));
  const [at] = server.addresses;
  const port = at?.kind === 'tcp' ? at.port : 0;
  /** Says this, and gives what it hears until the end. */
  const say = async (words: string, localAddress = '127.0.0.1') => {
    const socket = connectSocket({ host: '127.0.0.1', port, localAddress });
    onTestFinished(() => void socket.destroy());
    let heard = '';
    socket.on('error', () => {});
    socket.on('data', (bytes) => {
      heard += bytes;
    });
    socket.write(words);
    await eventually(() => expect(socket.closed || heard.includes('\r\n221 ')).toBe(true));
    return heard;
  };
  return { say, peers, tls, errors };
}

const DIALOGUE = 'EHLO client.example\r\nSTARTTLS\r\nQUIT\r\n';
const HEADER = 'PROXY TCP4 192.0.2.9 192.0.2.1 1000 25\r\n';

describe('a server after what has ended TLS (`secured`)', () => {
  const secured = (session: MailSessionOptions) => serverAt({ session: { authentication: {}, ...session } });

  it('offers AUTH, with PLAIN, and no STARTTLS', async () => {
    const { say, tls } = await secured({ secured: true });
    const heard = await say(DIALOGUE);
    expect(heard).toMatch(/^250-AUTH .*\bPLAIN\b/m);
    expect(heard).not.toMatch(/-PLUS|250.STARTTLS/);
    expect(heard).toMatch(/^503 5\.5\.1 /m);
    expect(tls).toEqual([{ protocol: 'unknown', cipher: 'unknown', channelBindings: {} }]);
  });

  it('knows of TLS what it is told', async () => {
    const { say, tls } = await secured({ secured: { protocol: 'TLSv1.3', serverName: 'mail.example.com' } });
    await say('QUIT\r\n');
    expect(tls).toEqual([
      { protocol: 'TLSv1.3', cipher: 'unknown', serverName: 'mail.example.com', channelBindings: {} },
    ]);
  });

  it('is what AUTH needs there', async () => {
    await expect(secured({})).rejects.toThrow(/which has no TLS/);
  });

  it.each<[string, Partial<MailListenOptions>, RegExp]>([
    ['TLS of its own', { tls: { mode: 'startTls', context } }, /leave its tls out/],
    [
      'clients that connect directly',
      { proxied: { isTrusted: () => true, others: 'direct' } },
      /proxied\.others/,
    ],
    [
      'a misspelt name',
      { session: { secured: { protocoll: 'TLSv1.3' } as never } },
      /did you mean secured\.protocol\?/,
    ],
    ['a text', { session: { secured: 'yes' as never } }, /takes true, false, or what is known/],
  ])('is refused with %s', async (_, address, message) => {
    await expect(serverAt({ session: { secured: true }, ...address })).rejects.toThrow(message);
  });
});

describe('an address for a proxy and for clients that connect directly (`others`)', () => {
  const isTrusted = trustedPeers(['127.0.0.2']);

  it('believes the header of the proxy, and takes others without one', async () => {
    const { say, peers, errors } = await serverAt({ proxied: { isTrusted, others: 'direct' } });
    expect(await say(`${HEADER}${DIALOGUE}`, '127.0.0.2')).toMatch(/^220 /);
    expect(await say(DIALOGUE, '127.0.0.3')).toMatch(/^220 /);
    expect(peers).toEqual(['192.0.2.9', '127.0.0.3']);
    expect(errors).toEqual([]);
  });

  it('believes no header of others: it is a command that nobody knows', async () => {
    const { say, peers } = await serverAt({ proxied: { isTrusted, others: 'direct' } });
    expect(await say(`${HEADER}QUIT\r\n`, '127.0.0.3')).toMatch(/^220 .*\r\n500 5\.5\.\d .*\r\n221 /);
    expect(peers).toEqual(['127.0.0.3']);
  });

  it('refuses the proxy without a header all the same', async () => {
    const { say, peers, errors } = await serverAt({ proxied: { isTrusted, others: 'direct' } });
    expect(await say(DIALOGUE, '127.0.0.2')).toBe('');
    expect(peers).toEqual([]);
    expect(errors).toEqual([expect.stringContaining('does not begin with a PROXY header')]);
  });

  it('takes no place for others from a proxy whose header is under way', async () => {
    const address = { proxied: { isTrusted, others: 'direct' }, maximumArriving: 1 } as const;
    const { say, errors } = await serverAt(address);
    const waiting = say('', '127.0.0.2');
    for (let each = 0; each < 3; each++) expect(await say(DIALOGUE, '127.0.0.3')).toMatch(/^220 /);
    expect(errors).toEqual([]);
    void waiting.catch(() => {});
  });

  it('refuses them by default', async () => {
    const { say, errors } = await serverAt({ proxied: { isTrusted } });
    expect(await say(DIALOGUE, '127.0.0.3')).toBe('');
    expect(errors).toEqual([expect.stringContaining('not on the list')]);
  });

  it('is refused with a word that it does not know', async () => {
    const proxied = { isTrusted, others: 'allowed' as never };
    await expect(serverAt({ proxied })).rejects.toThrow('it takes refused or direct');
  });
});
