/**
 * SMTP smuggling: a message holds something that some servers take for its end, and a second mail transaction
 * behind it. Only CRLF "." CRLF is the end (RFC 5321 §4.1.1.4), so that transaction must stay text.
 */
import { describe, expect, it } from 'vitest';
import { Dialogue } from './dialogue.test-support.js';

/** What might pass for the line ends around the dot. */
const lineEnds = ['\n', '\r', '\r\n', '\n\r', '\r\r\n', '\r\0\n', '\0'];

const forms = lineEnds
  .flatMap((before) => lineEnds.map((after) => [before, after] as const))
  // The true end of mail data smuggles nothing.
  .filter(([before, after]) => !(before.endsWith('\r\n') && after === '\r\n'));

const SMUGGLED = 'MAIL FROM:<evil@x>\r\nRCPT TO:<b@s>\r\nDATA\r\nevil\r\n';

/** Mail data as it should be read: lines end in CRLF, and lose the dot at their beginning. */
const withoutTransparency = (text: string) =>
  text
    .split('\r\n')
    .map((line) => (line.startsWith('.') ? line.slice(1) : line))
    .join('\r\n');

/** What becomes of these octets, in chunks, when a recipient was accepted. */
function outcomeOf(
  options: { readonly bareNewline: 'reject' | 'normalize' | 'keep'; readonly lenient: boolean },
  ...chunks: string[]
): string {
  const dialogue = new Dialogue(options).addressed();
  const asked = dialogue.asked.length;
  const replies = chunks.flatMap((chunk) => dialogue.octets(chunk));
  return JSON.stringify({
    replies: replies.map((line) => line.slice(0, 9)),
    asked: dialogue.asked.slice(asked),
    texts: dialogue.messages.map(({ text }) => text),
  });
}

/** As only a lenient server would take it. */
const loose = (text: string) => text.replaceAll(':<', ':').replaceAll('>\r\n', '\r\n');

describe.each([
  { lenient: false, SMUGGLED },
  { lenient: true, SMUGGLED: loose(SMUGGLED) },
])('a smuggled mail transaction is never executed, lenient: $lenient', ({ lenient, SMUGGLED }) => {
  it.each(forms)('behind %j "." %j, however the octets are cut', (before, after) => {
    const text = `Hello${before}.${after}${SMUGGLED}`;
    const sent = `DATA\r\n${text}.\r\nNOOP\r\n`;
    const refused = JSON.stringify({
      replies: ['354 Send ', '554 5.6.0', '250 2.0.0'],
      asked: ['data'],
      texts: [],
    });
    const kept = JSON.stringify({
      replies: ['354 Send ', '250 2.0.0', '250 2.0.0'],
      asked: ['data', 'message'],
      texts: [withoutTransparency(text)],
    });
    const normalized = JSON.stringify({
      replies: ['354 Send ', '250 2.0.0', '250 2.0.0'],
      asked: ['data', 'message'],
      // A first dot is dropped whichever line end came before it, and each line end becomes CRLF.
      texts: [text.replace(/(?<=\n)\./g, '').replace(/\r?\n/g, '\r\n')],
    });
    const outcomes = { reject: new Set<string>(), normalize: new Set<string>(), keep: new Set<string>() };
    for (const mode of ['reject', 'normalize', 'keep'] as const) {
      for (let cut = 0; cut <= sent.length; cut++) {
        outcomes[mode].add(outcomeOf({ bareNewline: mode, lenient }, sent.slice(0, cut), sent.slice(cut)));
      }
      outcomes[mode].add(outcomeOf({ bareNewline: mode, lenient }, ...sent));
    }
    expect([...outcomes.reject]).toEqual([refused]);
    expect([...outcomes.keep]).toEqual([kept]);
    expect([...outcomes.normalize]).toEqual([/\0|\r(?!\n)/.test(text) ? refused : normalized]);
  });

  const bareEnds = ['\n', '\r', '\n\r', '\n\n', '\r\r', '\r\0\n', '\0'];

  it.each(bareEnds)('behind %j in a command line, however the octets are cut', (end) => {
    const commands = ['NOOP', 'RSET', ...SMUGGLED.split('\r\n').slice(0, 2), 'NOOP'];
    const sent = `${commands.join(end)}\r\nNOOP\r\n`;
    for (const [mode, refusal] of [
      ['reject', '500 5.5.2'],
      ['keep', '501 5.5.2'],
    ] as const) {
      const outcomes = new Set<string>();
      for (let cut = 0; cut <= sent.length; cut++) {
        outcomes.add(outcomeOf({ bareNewline: mode, lenient }, sent.slice(0, cut), sent.slice(cut)));
      }
      expect([...outcomes]).toEqual([
        JSON.stringify({ replies: [refusal, '250 2.0.0'], asked: [], texts: [] }),
      ]);
    }
  });
});
