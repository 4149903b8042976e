/**
 * SMTP smuggling: whatever resembles the end of a message, and is none (RFC 5321 §4.1.1.4, §2.3.8; published by SEC
 * Consult in December 2023; CVE-2023-51764, CVE-2023-51765, CVE-2023-51766). A server that ends the message there takes what
 * follows for commands, and so for mail of whoever the attacker likes.
 */
import type { CaseGroup, ConformanceCase } from '../../contract/case.js';
import { testMessage } from '../../contract/message.js';
import type { Dialogue } from '../../dialogue/dialogue.js';
import { CannotJudge, Deviation } from '../../dialogue/findings.js';
import { announcesLimit, shown } from '../../dialogue/seen-reply.js';
import { octets } from '../judging.js';

/** What may stand before or after the dot instead of CRLF. */
const PIECES: Readonly<Record<string, string>> = {
  crlf: '\r\n',
  lf: '\n',
  cr: '\r',
  lfcr: '\n\r',
  crcr: '\r\r',
  'crlf-nul': '\r\n\0',
  nul: '\0',
};

const AFTER: Readonly<Record<string, string>> = {
  crlf: '\r\n',
  lf: '\n',
  cr: '\r',
  lfcr: '\n\r',
  crcrlf: '\r\r\n',
  'nul-crlf': '\0\r\n',
  nul: '\0',
  'space-lf': ' \n',
};

const spelled = (text: string): string =>
  text.replaceAll('\r', '<CR>').replaceAll('\n', '<LF>').replaceAll('\0', '<NUL>').replaceAll(' ', '<SP>');

/**
 * Judges that the message has not ended, neither by itself nor with a command behind it, which comes later: a server that
 * offers no PIPELINING refuses what comes at once. A server may refuse what is in the message, at once or at the end; then it
 * either ends the connection, or goes on reading the message.
 */
async function hasNotEnded(dialogue: Dialogue, sequence: string): Promise<void> {
  const replies = [...(await dialogue.rest())];
  if (replies.length === 0 && !dialogue.isEnded) {
    dialogue.send('NOOP\r\n');
    replies.push(...(await dialogue.rest()));
  }
  const accepting = replies.find(({ code }) => code < 400);
  if (accepting !== undefined)
    throw new Deviation(`${spelled(sequence)} ended the message: ${shown(accepting)}`);
  if (dialogue.isEnded || replies.some((reply) => announcesLimit(reply))) return;
  dialogue.send('.\r\n');
  if (replies.length === 0) await dialogue.reply('any');
  const [another] = await dialogue.untilQuit();
  if (another !== undefined)
    throw new Deviation(`the end of the message got one reply more: ${shown(another)}`);
}

function noEnd(name: string, before: string, after: string, isFirst = false): ConformanceCase {
  const sequence = `${before}.${after}`;
  const isPublished = ['\n.\n', '\n.\r\n', '\r\n.\n', '\r\n.\r', '\r.\r', '\r.\r\n', '\r\n\0.\r\n'].includes(
    sequence,
  );
  return {
    id: `smuggling/${name}`,
    section: 'RFC 5321 §4.1.1.4',
    level: 'SECURITY',
    rationale: `The sequence ${spelled(sequence)}${isFirst ? ' right after DATA' : ''} does not end a message.${isPublished ? ' This one is among the published attacks.' : ''}`,
    needs: ['mail'],
    async run(target) {
      const dialogue = await target.receiving();
      dialogue.send(octets(`${isFirst ? '' : `${testMessage(target)}text`}${sequence}`));
      await hasNotEnded(dialogue, sequence);
    },
  };
}

const mixtures: ConformanceCase[] = Object.entries(PIECES).flatMap(([before, first]) =>
  Object.entries(AFTER)
    .filter(([after]) => !(before === 'crlf' && after === 'crlf'))
    .map(([after, second]) => noEnd(`${before}-dot-${after}`, first, second)),
);

const rightAfterData: ConformanceCase[] = Object.entries(AFTER)
  .filter(([after]) => after !== 'crlf')
  .map(([after, second]) => noEnd(`first-dot-${after}`, '', second, true));

/** Whole attacks: a second message in the first one, in one packet. */
const attacks: ConformanceCase[] = (
  [
    ['lf-dot-lf', '\n.\n'],
    ['lf-dot-crlf', '\n.\r\n'],
    ['crlf-dot-cr', '\r\n.\r'],
    ['cr-dot-cr', '\r.\r'],
    ['crlf-dot-lf', '\r\n.\n'],
  ] as const
).map(([name, sequence]) => ({
  id: `smuggling/second-message-after-${name}`,
  section: 'RFC 5321 §4.1.1.4',
  level: 'SECURITY',
  rationale: `A second message that follows ${spelled(sequence)} within the first one is text, and is not accepted.`,
  needs: ['mail'],
  async run(target) {
    const dialogue = await target.receiving();
    const second = `${target.mail()}\r\n${target.rcpt()}\r\nDATA\r\n${testMessage(target)}.\r\n`;
    dialogue.send(octets(`${testMessage(target)}text${sequence}${second}`));
    await dialogue.endOrMore();
    const replies = await dialogue.untilQuit();
    const accepted = replies.filter(({ code }) => code < 400);
    if (accepted.length > 1) {
      throw new Deviation(
        `the second message was taken: ${accepted.map((reply) => shown(reply)).join('; ')}`,
      );
    }
  },
}));

/** Line ends in commands (RFC 5321 §2.3.8). */
const commands: ConformanceCase[] = (
  [
    ['noop-lf', 'NOOP\n', 'A command does not end in a bare LF.', 0],
    ['noop-cr', 'NOOP\r', 'A command does not end in a bare CR.', 0],
    ['noop-lf-noop', 'NOOP\nNOOP\r\n', 'A bare LF does not make two commands of one line.', 1],
    ['noop-cr-noop', 'NOOP\rNOOP\r\n', 'A bare CR does not make two commands of one line.', 1],
    ['noop-lfcr-noop', 'NOOP\n\rNOOP\r\n', 'LF CR does not make two commands of one line.', 1],
    ['noop-nul-noop', 'NOOP\0NOOP\r\n', 'NUL does not make two commands of one line.', 1],
    ['ehlo-lf-noop', 'EHLO a.invalid\nNOOP\r\n', 'The argument of EHLO does not end in a bare LF.', 1],
    ['crcrlf', 'NOOP\r\r\n', 'CR CR LF ends one line, and not two.', 1],
  ] as const
).map(([name, line, rationale, atMost]) => ({
  id: `smuggling/command-${name}`,
  section: 'RFC 5321 §2.3.8',
  level: 'MUST',
  rationale,
  async run(target) {
    const dialogue = await target.hello();
    dialogue.send(octets(line.replace('EHLO', target.helloLine.slice(0, 4))));
    // Where the line has ended, all has been said before the reply to QUIT.
    const replies = [
      ...(await dialogue.rest()),
      ...(line.endsWith('\r\n') ? await dialogue.untilQuit() : []),
    ];
    const limit = replies.find(announcesLimit);
    if (limit !== undefined) throw new CannotJudge(`the server announced a limit: ${shown(limit)}`);
    const taken = replies.filter(({ code }) => code < 400);
    if (taken.length > atMost) {
      throw new Deviation(
        `${spelled(line)} was taken as ${taken.length} command${taken.length === 1 ? '' : 's'}`,
      );
    }
  },
}));

/** A recipient or a command that a path would carry along, if a bare CR or LF ended it. */
const injected: ConformanceCase[] = (
  [
    ['lf', '\n'],
    ['cr', '\r'],
  ] as const
).map(([name, end]) => ({
  id: `smuggling/recipient-after-${name}-in-mail`,
  section: 'RFC 5321 §2.3.8',
  level: 'SECURITY',
  rationale: `A RCPT that follows a bare ${name.toUpperCase()} in the line of MAIL names no recipient.`,
  needs: ['mail'],
  async run(target) {
    const dialogue = await target.ready();
    dialogue.send(octets(`${target.mail()}${end}${target.rcpt()}\r\n`));
    const replies = [...(await dialogue.rest()), ...(await dialogue.untilQuit())];
    if (replies.filter(({ code }) => code < 400).length < 2) return;
    throw new Deviation(
      `one line was taken as two commands: ${replies.map((reply) => shown(reply)).join('; ')}`,
    );
  },
}));

export const smuggling: CaseGroup = {
  name: 'smuggling',
  title: 'Smuggling',
  introduction:
    'Every mixture of bare CR, bare LF and NUL around the dot. Only CRLF.CRLF ends a message; a server may refuse a message with such octets, but must not find another end in it.',
  remedy:
    'Take CRLF alone for the end of a line. Refuse bare CR, bare LF and NUL, or carry them along as text; never let one end a message.',
  cases: [...mixtures, ...rightAfterData, ...attacks, ...commands, ...injected],
};
