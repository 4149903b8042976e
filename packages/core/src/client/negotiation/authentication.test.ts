import { describe, expect, it } from 'vitest';
import type { ClientMechanism, ClientStep } from '../../sasl/exchange/exchange.js';
import { octets, passwordOf } from '../../sasl/running.test-support.js';
import { Secret } from '../../secret.js';
import { textOf } from '../dialogue.test-support.js';
import { Authentication } from './authentication.js';

const reply = (...lines: string[]) => ({ code: 334, lines });

/** A mechanism that takes these steps, and keeps what it was resumed with. */
function scripted(...steps: (ClientStep | string)[]) {
  const resumed: (Uint8Array | undefined)[] = [];
  const mechanism: ClientMechanism = {
    name: 'PLAIN',
    fits: () => true,
    *begin() {
      for (const step of steps) {
        if (typeof step === 'string') return step;
        resumed.push(yield step);
      }
      return 'The script is over';
    },
  };
  const channel = {
    tls: undefined,
    offered: new Set<string>(),
    host: undefined,
    port: undefined,
    maximumIterations: 1,
  };
  return { resumed, authentication: new Authentication(mechanism, passwordOf('u', 'p'), channel) };
}

const respond = (data: string | undefined, mayEnd = false): ClientStep => ({
  type: 'respond',
  data: data === undefined ? undefined : new Secret(data),
  mayEnd,
});
const compute: ClientStep = { type: 'compute', computation: { kind: 'random', octets: 1 } };

describe('Authentication', () => {
  it('takes a mechanism from computations to responses and back', () => {
    const { authentication, resumed } = scripted(compute, respond('a'), compute, respond('b', true));
    expect(authentication.prepare()).toEqual(compute);
    expect(authentication.computing).toBe(true);
    authentication.computed(octets('1'));
    expect(authentication.computing).toBe(false);
    expect(authentication.prepare()).toEqual({ type: 'respond' });
    expect(textOf(authentication.nextLine().bytes)).toBe('AUTH PLAIN YQ==\r\n');
    expect(authentication.accepted()).toBe('unproven');
    expect(authentication.challenge(reply('Yw=='))).toBeUndefined();
    expect(authentication.prepare()).toEqual(compute);
    authentication.computed(octets('2'));
    authentication.prepare();
    expect(textOf(authentication.nextLine().bytes)).toBe('Yg==\r\n');
    expect(authentication.accepted()).toBeUndefined();
    expect(resumed).toEqual([octets('1'), octets('c'), octets('2')]);
  });

  it('writes an empty response as an empty line, but as "=" in the command (RFC 4954 §4)', () => {
    const { authentication } = scripted(respond(''), respond(''));
    authentication.prepare();
    expect(textOf(authentication.nextLine().bytes)).toBe('AUTH PLAIN =\r\n');
    authentication.challenge(reply(''));
    authentication.prepare();
    expect(textOf(authentication.nextLine().bytes)).toBe('\r\n');
  });

  it('says whether AUTH was sent when the mechanism gives up', () => {
    const early = scripted('No').authentication;
    expect(early.prepare()).toEqual({ type: 'cancel', reason: 'No', begun: false });
    const late = scripted(respond(undefined), 'No').authentication;
    late.prepare();
    expect(late.nextLine()).toEqual({ bytes: octets('AUTH PLAIN\r\n') });
    late.challenge(reply(''));
    expect(late.prepare()).toEqual({ type: 'cancel', reason: 'No', begun: true });
  });

  it('sends no line of more than 12288 octets (RFC 4954 §4)', () => {
    // 12284 octets of base64 and CRLF fit; the next length of base64 is 12288.
    for (const [length, type] of [
      [9_213, 'respond'],
      [9_214, 'cancel'],
    ] as const) {
      const { authentication } = scripted(respond(undefined), respond('x'.repeat(length)));
      authentication.prepare();
      authentication.nextLine();
      authentication.challenge(reply(''));
      expect(authentication.prepare().type).toBe(type);
    }
  });
});
