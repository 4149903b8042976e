import type { Envelope, Hello, Mailbox } from '@sansmtp/core';
import { type ServerSessionInformation, withoutSession } from '@sansmtp/transport';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { deliveryHeader, receivedField } from './trace-header.js';

const joe: Mailbox = { localPart: 'joe', domain: 'example.com' };
const ann: Mailbox = { localPart: 'ann b', domain: '[192.0.2.9]' };

function envelope(reversePath: Mailbox | null, ...recipients: Mailbox[]): Envelope {
  return {
    reversePath,
    parameters: {},
    recipients: recipients.map((forwardPath) => ({ forwardPath, parameters: {} })),
  };
}

function session(name: string, address?: string, verb: Hello['verb'] = 'EHLO'): ServerSessionInformation {
  return {
    ...withoutSession({ id: 'a-1', peer: address === undefined ? {} : { address, port: 1 } }),
    hello: { verb, name },
  };
}

function header(envelope: Envelope, session: ServerSessionInformation): string {
  const date = new Date(Date.UTC(2026, 0, 2, 3, 4, 5));
  const receipt = { envelope, session, hostname: 'mx.example', id: 'M1', date };
  return deliveryHeader(envelope) + receivedField(receipt);
}

describe('the trace header', () => {
  it('says whom it is from, each recipient, and how it came (RFC 5321 §4.4)', () => {
    expect(header(envelope(joe, ann, joe), session('client.example', '192.0.2.1'))).toBe(
      'Return-Path: <joe@example.com>\r\n' +
        'Delivered-To: "ann b"@[192.0.2.9]\r\n' +
        'Delivered-To: joe@example.com\r\n' +
        'Received: from client.example ([192.0.2.1])\r\n' +
        '\tby mx.example with ESMTP id M1;\r\n' +
        '\tFri, 02 Jan 2026 03:04:05 +0000\r\n',
    );
  });

  it('keeps the null reverse-path', () => {
    expect(header(envelope(null, joe), session('client.example'))).toMatch(/^Return-Path: <>\r\n/);
  });

  it('names the protocol SMTP after HELO (RFC 3848)', () => {
    expect(header(envelope(null, joe), session('a', '192.0.2.1', 'HELO'))).toContain(' with SMTP id ');
  });

  it('names it SMTP, and the client unknown, where none was said', () => {
    const silent = { ...session('a', '192.0.2.1'), hello: undefined };
    expect(header(envelope(null, joe), silent)).toContain(
      'Received: from unknown ([192.0.2.1])\r\n\tby mx.example with SMTP id ',
    );
  });

  it.each([
    ['EHLO', false, false, false, 'ESMTP id M1'],
    ['EHLO', true, false, false, 'ESMTPS id M1 tls TLS_AES_128_GCM_SHA256'],
    ['EHLO', true, true, false, 'ESMTPSA id M1 tls TLS_AES_128_GCM_SHA256'],
    ['EHLO', false, true, false, 'ESMTPA id M1'],
    ['EHLO', true, true, true, 'UTF8SMTPSA id M1 tls TLS_AES_128_GCM_SHA256'],
    ['LHLO', false, false, false, 'LMTP id M1'],
    ['LHLO', true, true, false, 'LMTPSA id M1 tls TLS_AES_128_GCM_SHA256'],
    ['LHLO', false, false, true, 'UTF8LMTP id M1'],
    ['HELO', true, false, false, 'SMTP id M1 tls TLS_AES_128_GCM_SHA256'],
  ] as const)(
    'names the protocol after %s, TLS %s, AUTH %s, SMTPUTF8 %s: %s (RFC 3848, RFC 6531 §4.3, RFC 8314 §4.3)',
    (verb, secured, authenticated, smtpUtf8, words) => {
      const tls = { protocol: 'TLSv1.3', cipher: 'TLS_AES_128_GCM_SHA256', channelBindings: {} };
      const how = header(
        { ...envelope(null, joe), parameters: smtpUtf8 ? { smtpUtf8 } : {} },
        {
          ...session('a', '192.0.2.1', verb),
          tls: secured ? tls : undefined,
          identity: authenticated
            ? { mechanism: 'PLAIN', authenticatedAs: 'joe', username: 'joe' }
            : undefined,
        },
      );
      expect(how).toContain(` with ${words};`);
    },
  );

  it('tags IPv6 addresses (RFC 5321 §4.1.3)', () => {
    expect(header(envelope(null, joe), session('a', '2001:db8::1'))).toContain(
      'from a ([IPv6:2001:db8::1])\r\n',
    );
  });

  it('leaves the address out when there is none', () => {
    expect(header(envelope(null, joe), session('[127.0.0.1]'))).toContain('from [127.0.0.1]\r\n');
  });

  it('has the same lines whatever the client calls itself', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.nat(0xffff).map((code) => String.fromCharCode(code)), minLength: 1 }),
        (name) => {
          const lines = header(envelope(joe, joe), session(name, '192.0.2.1')).split('\r\n');
          expect(lines).toHaveLength(6);
          expect(lines[2]).toMatch(/^Received: from [\w.:[\]+-]+ \(\[192\.0\.2\.1\]\)$/);
        },
      ),
    );
  });
});
