import { createSecureContext } from 'node:tls';
import type { TlsContextSource } from '@sansmtp/transport-node';
import { describe, expect, it } from 'vitest';
import {
  type ListeningOptions,
  type ListeningSurroundings,
  listeningLines,
  listenings,
} from './listening.js';

const context: TlsContextSource = { secureContext: createSecureContext() };
const onError = () => {};
const plain: ListeningSurroundings = {
  context: undefined,
  authentication: undefined,
  proxied: undefined,
  onError,
};
const all: ListeningOptions = {
  host: '127.0.0.1',
  port: 25,
  tlsPort: 465,
  submissionPort: 587,
  lmtpPort: 24,
  unix: '/run/socket',
};

describe('where serve listens', () => {
  it('is TCP, whatever else', () => {
    expect(listenings({ host: '127.0.0.1', port: 25 }, plain)).toEqual([
      { kind: 'smtp', options: { label: 'smtp', host: '127.0.0.1', port: 25, onError } },
    ]);
  });

  it('has an order: smtp, smtps, submission, lmtp, unix', () => {
    const places = listenings(all, { ...plain, context });
    expect(places.map(({ kind }) => kind)).toEqual(['smtp', 'smtps', 'submission', 'lmtp', 'unix']);
  });

  it('has TLS from the start on one port, and STARTTLS on all others', () => {
    const modes = listenings(all, { ...plain, context }).map(({ kind, options }) => [
      kind,
      options.tls?.mode,
    ]);
    expect(Object.fromEntries(modes)).toEqual({
      smtp: 'startTls',
      smtps: 'implicit',
      submission: 'startTls',
      lmtp: 'startTls',
      unix: 'startTls',
    });
    for (const { options } of listenings({ host: '::', port: 0, lmtpPort: 0 }, plain))
      expect(options).not.toHaveProperty('tls');
  });

  it('takes mail for submission after AUTH only (RFC 6409 §4.3), also where nobody can authenticate', () => {
    const submission = (authentication: ListeningSurroundings['authentication']) =>
      listenings(all, { ...plain, authentication }).find(({ kind }) => kind === 'submission')?.options
        .session;
    expect(submission({ allowInsecure: true })).toEqual({
      authentication: { allowInsecure: true, required: true },
    });
    expect(submission(undefined)).toEqual({ authentication: { mechanisms: [], required: true } });
  });

  it('speaks LMTP on its port, and nowhere else (RFC 2033)', () => {
    const speaking = listenings(all, plain).filter(({ options }) => options.session?.protocol === 'lmtp');
    expect(speaking.map(({ kind }) => kind)).toEqual(['lmtp']);
  });

  it('is behind a proxy everywhere, or nowhere', () => {
    const proxied = { isTrusted: () => true };
    for (const { options } of listenings(all, { ...plain, context, proxied }))
      expect(options.proxied).toBe(proxied);
    for (const { options } of listenings(all, { ...plain, context }))
      expect(options).not.toHaveProperty('proxied');
  });
});

describe('a port that is known', () => {
  it('stands in the place of any free one', () => {
    const ports = { smtp: 2525, lmtp: 2424 };
    const found = listenings(all, plain, ports).map(({ kind, options }) => [
      kind,
      'port' in options && options.port,
    ]);
    expect(Object.fromEntries(found)).toMatchObject(ports);
  });
});

describe('the line for a script', () => {
  it.each([
    {
      kind: 'smtp',
      address: { kind: 'tcp', host: '127.0.0.1', port: 2525 },
      line: 'listening smtp 127.0.0.1:2525\n',
    },
    { kind: 'smtps', address: { kind: 'tcp', host: '::1', port: 465 }, line: 'listening smtps [::1]:465\n' },
    { kind: 'unix', address: { kind: 'unix', path: '/run/a b' }, line: 'listening unix /run/a b\n' },
  ] as const)('is $line', ({ kind, address, line }) => {
    expect(listeningLines([{ kind, address }])).toBe(line);
  });
});
