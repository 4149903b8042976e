import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InboundBuffer } from '../../wire/inbound.js';
import { encodeText } from '../../wire/octets.js';
import { unknownClient } from '../client/client-identity.js';
import { resolveServerOptions } from '../contract/options.js';
import type { Envelope } from '../decisions/questions.js';
import { Introductions } from '../replying/introductions.js';
import { CommandReading, commandRules } from './command-reading.js';
import { readCommand } from './command-under-way.js';
import { ordinaryUnderWay } from './ordinary-under-way.js';

const client = unknownClient(undefined);

/** What has been offered: nothing yet, or all that the server has, SMTPUTF8 among it. */
function readingAfter(hello: 'EHLO' | undefined, lenient: boolean) {
  const options = resolveServerOptions({ lenient });
  const reading = new CommandReading(options, new Introductions(options), commandRules(options));
  if (hello !== undefined) reading.offer(reading.offerTo(hello, client, undefined));
  return { reading, options };
}

const envelope: Envelope = { reversePath: null, parameters: {}, recipients: [] };
const transactions = fc.constantFrom<Envelope | undefined>(undefined, envelope, {
  ...envelope,
  parameters: { body: 'BINARYMIME', smtpUtf8: true },
});
const address = fc.constantFrom('a@b.example', 'first.last+tag@mail.example', 'x@y');
const line = fc.oneof(
  fc.constantFrom('MAIL FROM:<>', 'DATA', 'RSET', 'QUIT'),
  address.map((each) => `MAIL FROM:<${each}>`),
  address.map((each) => `RCPT TO:<${each}>`),
);

describe('an ordinary command under way', () => {
  it('is what is made of any command, whatever was offered and whichever mail transaction is open', () => {
    fc.assert(
      fc.property(
        line,
        transactions,
        fc.constantFrom('EHLO' as const, undefined),
        fc.boolean(),
        (text, transaction, hello, lenient) => {
          const { reading, options } = readingAfter(hello, lenient);
          const chunk = encodeText(`${text}\r\n`);
          const fast = new InboundBuffer('reject');
          fast.push(chunk);
          const command = fast.nextOrdinaryCommand(512);
          if (command === undefined) expect.fail('not ordinary');
          const slow = new InboundBuffer('reject');
          slow.push(chunk);
          const octets = slow.nextLine(512);
          if (octets === undefined) expect.fail('no line');
          expect(ordinaryUnderWay(command, transaction)).toEqual(
            readCommand(octets, reading, options, client, transaction),
          );
          expect(fast.length).toBe(slow.length);
        },
      ),
      { numRuns: 200 },
    );
  });
});
