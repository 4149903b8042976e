/** A server that says nothing more: the client gives up in the end, and knows what it does not know. */
import type { Script } from '@sansmtp/testing';
import { type ClientCaseGroup, clientCase } from '../client-case.js';
import { reportsDelivery, reportsTemporaryFailure } from '../judging.js';

const FOR_EVER = 3_600_000;
const silentAt = (moment: keyof Script, reply: string): Script => ({ [moment]: { reply, wait: FOR_EVER } });

const MOMENTS: readonly (readonly [name: string, moment: keyof Script, reply: string, section: string])[] = [
  ['greeting', 'greeting', '220 script.test ESMTP', 'RFC 5321 §4.5.3.2.1'],
  ['ehlo', 'EHLO', '250 script.test', 'RFC 5321 §4.5.3.2'],
  ['mail', 'MAIL', '250 2.1.0 OK', 'RFC 5321 §4.5.3.2.2'],
  ['rcpt', 'RCPT', '250 2.1.5 OK', 'RFC 5321 §4.5.3.2.3'],
  ['data', 'DATA', '354 Go on', 'RFC 5321 §4.5.3.2.4'],
  ['message', 'message', '250 2.0.0 Stored', 'RFC 5321 §4.5.3.2.6'],
];

export const silence: ClientCaseGroup = {
  name: 'client-silence',
  title: 'A server that falls silent',
  introduction: 'Every wait has its end. Nothing was refused by silence, and nothing delivered.',
  remedy:
    'Give each wait a time-out of its own (RFC 5321 §4.5.3.2), and leave the message for later after it.',
  cases: [
    ...MOMENTS.map(([name, moment, reply, section]) =>
      clientCase(
        [`client-silence/${name}`, section, 'MUST'],
        'A client gives up on a server that says nothing, and leaves the message for later.',
        silentAt(moment, reply),
        reportsTemporaryFailure,
        { stalls: true },
      ),
    ),
    clientCase(
      ['client-silence/within-a-line', 'RFC 5321 §4.5.3.2', 'MUST'],
      'A reply that stops within a line is no reply.',
      { message: { reply: '250 2.0.0 Stored', stall: { after: 6, for: FOR_EVER } } },
      reportsTemporaryFailure,
      { stalls: true },
    ),
    clientCase(
      ['client-silence/between-lines', 'RFC 5321 §4.5.3.2', 'MUST'],
      'A reply that stops between its lines is no reply.',
      { message: { reply: '250-2.0.0 Stored\n250 2.0.0 OK', stall: { after: 18, for: FOR_EVER } } },
      reportsTemporaryFailure,
      { stalls: true },
    ),
    clientCase(
      ['client-silence/quit', 'RFC 5321 §4.1.1.10', 'MUST'],
      'A server that falls silent at QUIT has taken the message all the same.',
      silentAt('QUIT', '221 2.0.0 Bye'),
      reportsDelivery,
      { stalls: true },
    ),
  ],
};
