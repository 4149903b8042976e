/** Other people's servers, for `sansmtp send`: started as a test wants them, and asked what they got. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SMTPServer, type SMTPServerAuthenticationMethod, type SMTPServerSession } from 'smtp-server';
import { onTestFinished } from 'vitest';
import type { TestCertificate } from './certificates.js';
import { python } from './peers.js';
import { scratchFolder, start, until } from './processes.js';

export interface AcceptingOptions {
  readonly protocol?: 'smtp' | 'lmtp';
  /** Undefined: no TLS. */
  readonly tls?: { readonly mode: 'startTls' | 'implicit'; readonly shown: TestCertificate };
  /** Takes mail from this user only. */
  readonly user?: { readonly name: string; readonly password: string };
  /** The mechanisms to offer. */
  readonly mechanisms?: readonly SMTPServerAuthenticationMethod[];
  readonly smtpUtf8?: boolean;
}

export interface NpmSmtpServerOptions extends AcceptingOptions {
  /** Called with the session of each message; lets anybody speak for others by XCLIENT and XFORWARD. */
  readonly onSession?: (session: SMTPServerSession) => void;
}

/** A message, and how it came. */
export interface Accepted {
  readonly from: string;
  readonly to: readonly string[];
  /** The parameters of MAIL, such as `SIZE=20`, and of the RCPT commands. */
  readonly mailParameters: readonly string[];
  readonly rcptParameters: readonly string[];
  readonly secure: boolean;
  /** As whom the client authenticated, if it did. */
  readonly user: string | null;
  readonly content: string;
}

export interface AcceptingPeer {
  readonly port: number;
  received(): Promise<readonly Accepted[]>;
}

const AIOSMTPD = `
import asyncio, json, ssl, sys
from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP, AuthResult

folder, options = sys.argv[1], json.loads(sys.argv[2])
count = 0

class Keep:
    async def handle_EHLO(self, server, session, envelope, hostname, responses):
        session.host_name = hostname
        return responses

    async def handle_RCPT(self, server, session, envelope, address, rcpt_options):
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(rcpt_options)
        return '250 2.1.5 Ok'

    async def handle_DATA(self, server, session, envelope):
        global count
        count += 1
        with open(f'{folder}/{count}.json', 'w') as file:
            json.dump({
                'from': envelope.mail_from,
                'to': envelope.rcpt_tos,
                'mailParameters': envelope.mail_options,
                'rcptParameters': envelope.rcpt_options,
                'secure': session.ssl is not None or options['implicit'],
                'user': session.auth_data,
                'content': envelope.original_content.decode('latin-1'),
            }, file)
        # In LMTP, a line for each recipient.
        return '\\r\\n'.join(['250 2.0.0 Kept'] * (len(envelope.rcpt_tos) if options['lmtp'] else 1))

def authenticate(server, session, envelope, mechanism, data):
    good = [data.login.decode(), data.password.decode()] == options['user']
    return AuthResult(success=good, handled=False, auth_data=data.login.decode() if good else None)

context = None
if options['certificate']:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*options['certificate'])

def protocol():
    return (LMTP if options['lmtp'] else SMTP)(
        Keep(), hostname='peer.example', enable_SMTPUTF8=options['smtpUtf8'],
        tls_context=None if options['implicit'] else context,
        authenticator=authenticate, auth_required=options['user'] is not None,
        auth_require_tls=not options['implicit'],
    )

async def main():
    loop = asyncio.get_running_loop()
    server = await loop.create_server(protocol, '127.0.0.1', 0, ssl=context if options['implicit'] else None)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()

asyncio.run(main())
`;

export async function aiosmtpd(options: AcceptingOptions): Promise<AcceptingPeer> {
  const { tls, user } = options;
  const folder = await scratchFolder();
  const told = {
    lmtp: options.protocol === 'lmtp',
    smtpUtf8: options.smtpUtf8 === true,
    implicit: tls?.mode === 'implicit',
    certificate: tls === undefined ? null : [tls.shown.certFile, tls.shown.keyFile],
    user: user === undefined ? null : [user.name, user.password],
  };
  const server = start(python, ['-c', AIOSMTPD, folder, JSON.stringify(told)]);
  await until(() => server.stdout.includes('\n'));
  return {
    port: Number(server.stdout),
    async received() {
      const files = (await readdir(folder)).sort();
      return Promise.all(files.map(async (file) => JSON.parse(await readFile(join(folder, file), 'utf8'))));
    },
  };
}

function parameters(args: Record<string, string | true> | false): string[] {
  return Object.entries(args || {}).map(([name, value]) => (value === true ? name : `${name}=${value}`));
}

export async function npmSmtpServer(options: NpmSmtpServerOptions): Promise<AcceptingPeer> {
  const { tls, user, mechanisms, protocol, smtpUtf8, onSession } = options;
  const received: Accepted[] = [];
  const server = new SMTPServer({
    name: 'peer.example',
    logger: false,
    lmtp: protocol === 'lmtp',
    secure: tls?.mode === 'implicit',
    ...(tls && { cert: tls.shown.cert, key: tls.shown.key }),
    hideSTARTTLS: tls?.mode !== 'startTls',
    hideSMTPUTF8: smtpUtf8 !== true,
    hideDSN: false,
    useXClient: onSession !== undefined,
    useXForward: onSession !== undefined,
    authOptional: user === undefined,
    ...(mechanisms && { authMethods: [...mechanisms] }),
    disabledCommands: [
      ...(tls?.mode === 'startTls' ? [] : ['STARTTLS']),
      ...(user === undefined ? ['AUTH'] : []),
    ],
    onAuth(auth, _session, callback) {
      const right =
        auth.method === 'CRAM-MD5'
          ? auth.validatePassword(user?.password ?? '')
          : (auth.accessToken ?? auth.password) === user?.password;
      if (right && auth.username === user?.name) callback(null, { user: auth.username });
      else callback(null, { message: 'No' });
    },
    onData(stream, session, callback) {
      onSession?.(session);
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        const { mailFrom, rcptTo } = session.envelope;
        received.push({
          from: mailFrom === false ? '' : mailFrom.address,
          to: rcptTo.map(({ address }) => address),
          mailParameters: mailFrom === false ? [] : parameters(mailFrom.args),
          rcptParameters: rcptTo.flatMap(({ args }) => parameters(args)),
          secure: session.secure,
          user: session.user ?? null,
          content: Buffer.concat(chunks).toString('latin1'),
        });
        callback(null, 'Kept');
      });
    },
  });
  server.on('error', () => {});
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => new Promise<void>((resolve) => server.close(() => resolve())));
  const address = server.server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    received: async () => received,
  };
}
