import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { SMTPServerAuthentication, SMTPServerOptions } from '../src/index.js';
import { base64, Client, codes, HELLO, listening, MAIL, replies } from './conversation.js';

/** Takes testuser with testpass or testtoken, and notes what it was asked. */
function asking(asked: SMTPServerAuthentication[] = []): SMTPServerOptions {
  return {
    disabledCommands: ['STARTTLS'],
    authMethods: ['PLAIN', 'LOGIN', 'XOAUTH2', 'CRAM-MD5'],
    onAuth(auth, _session, callback) {
      asked.push(auth);
      const { method, username, password, accessToken } = auth;
      const known =
        method === 'CRAM-MD5'
          ? auth.validatePassword('testpass')
          : password === 'testpass' || accessToken === 'testtoken';
      if (username === 'testuser' && known) callback(null, { user: 'userdata' });
      else if (method === 'XOAUTH2') callback(null, { data: { status: '401', scope: 'mail' } });
      else callback(null, { message: 'Authentication failed' });
    },
  };
}

describe('AUTH', () => {
  it('by PLAIN lets in whom onAuth gives a user, and mail is taken only then', async () => {
    expect(
      await replies(
        asking(),
        HELLO,
        MAIL,
        `AUTH PLAIN ${base64('\0testuser\0wrong')}`,
        `AUTH PLAIN ${base64('\0testuser\0testpass')}`,
        MAIL,
      ),
    ).toEqual([
      expect.stringContaining('AUTH PLAIN LOGIN XOAUTH2 CRAM-MD5'),
      '530 Error: authentication Required',
      '535 Authentication failed',
      '235 Authentication successful',
      '250 Accepted',
    ]);
  });

  it('by PLAIN shows both identities, and takes the authorization identity for a user name that is missing', async () => {
    const asked: SMTPServerAuthentication[] = [];
    expect(await codes(asking(asked), HELLO, `AUTH PLAIN ${base64('admin\0testuser\0testpass')}`)).toEqual([
      250, 235,
    ]);
    expect(await codes(asking(asked), HELLO, `AUTH PLAIN ${base64('testuser\0\0testpass')}`)).toEqual([
      250, 235,
    ]);
    expect(asked).toMatchObject([
      { method: 'PLAIN', username: 'testuser', authcid: 'testuser', authzid: 'admin' },
      { method: 'PLAIN', username: 'testuser', authcid: '', authzid: 'testuser' },
    ]);
  });

  it('by LOGIN goes in steps, or with the name at once', async () => {
    const options = asking();
    expect(await codes(options, HELLO, 'AUTH LOGIN', base64('testuser'), base64('testpass'))).toEqual([
      250, 334, 334, 235,
    ]);
    expect(await codes(options, HELLO, `AUTH LOGIN ${base64('testuser')}`, base64('testpass'))).toEqual([
      250, 334, 235,
    ]);
    expect(await codes(options, HELLO, 'AUTH LOGIN', '*')).toEqual([250, 334, 501]);
  });

  it('by CRAM-MD5 checks the response against a password', async () => {
    const answer = async (password: string) => {
      const { port } = await listening(asking());
      const client = await Client.greeted(port);
      const [, challenge = ''] = await client.say(HELLO, 'AUTH CRAM-MD5');
      const text = Buffer.from(challenge.slice(4), 'base64').toString();
      const digest = createHmac('md5', password).update(text).digest('hex');
      return (await client.say(base64(`testuser ${digest}`)))[0];
    };
    expect(await answer('testpass')).toBe('235 Authentication successful');
    expect(await answer('wrong')).toBe('535 Authentication failed');
  });

  it('by XOAUTH2 tells a client whose token is refused why', async () => {
    const token = (value: string) => base64(`user=testuser\x01auth=Bearer ${value}\x01\x01`);
    expect(await codes(asking(), HELLO, `AUTH XOAUTH2 ${token('testtoken')}`)).toEqual([250, 235]);
    const [, why, refused] = await replies(asking(), HELLO, `AUTH XOAUTH2 ${token('old')}`, '');
    expect(JSON.parse(Buffer.from(why?.slice(4) ?? '', 'base64').toString())).toEqual({
      status: '401',
      scope: 'mail',
    });
    expect(refused).toBe('535 Error: Username and Password not accepted');
  });

  it('never asks about a name with control characters in it', async () => {
    const asked: SMTPServerAuthentication[] = [];
    const evil = 'attacker\r\nReceived: evil';
    expect(
      await replies(asking(asked), HELLO, `AUTH PLAIN ${base64(`${evil}\0\0p`)}`, 'AUTH LOGIN', base64(evil)),
    ).toEqual([
      expect.any(String),
      '501 Error: invalid userdata',
      expect.stringMatching(/^334 /),
      '501 Error: invalid userdata',
    ]);
    expect(asked).toEqual([]);
  });

  it('is for TLS only where STARTTLS can be had, unless allowInsecureAuth says otherwise', async () => {
    const command = `AUTH PLAIN ${base64('\0testuser\0testpass')}`;
    const options = { ...asking(), disabledCommands: [] };
    expect(await codes(options, HELLO, command)).toEqual([250, 538]);
    expect(
      await codes({ ...options, disabledCommands: [], allowInsecureAuth: true }, HELLO, command),
    ).toEqual([250, 235]);
  });

  it('is optional with authOptional, and is refused twice, unknown or before EHLO', async () => {
    const command = `AUTH PLAIN ${base64('\0testuser\0testpass')}`;
    expect(await codes({ ...asking(), authOptional: true }, HELLO, MAIL)).toEqual([250, 250]);
    expect(await codes(asking(), command, HELLO, 'AUTH FOO', command, command)).toEqual([
      503, 250, 504, 235, 503,
    ]);
  });

  it('hides itself once it has succeeded', async () => {
    const [before, , after] = await replies(
      asking(),
      HELLO,
      `AUTH PLAIN ${base64('\0testuser\0testpass')}`,
      HELLO,
    );
    expect(before).toContain('AUTH');
    expect(after).not.toContain('AUTH');
  });

  it('refuses by the error of onAuth', async () => {
    const failing: SMTPServerOptions = {
      disabledCommands: ['STARTTLS'],
      onAuth: (_auth, _session, callback) =>
        callback(Object.assign(new Error('Later'), { responseCode: 454 })),
    };
    expect((await replies(failing, HELLO, `AUTH PLAIN ${base64('\0a\0b')}`))[1]).toBe('454 Later');
  });
});
