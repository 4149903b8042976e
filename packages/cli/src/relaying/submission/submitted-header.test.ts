import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { completeHeader } from './submitted-header.js';

const COMPLETION = { date: 'Mon, 30 Nov 2026 12:00:00 +0000', messageId: '<1@mx.example>' };
const DATE = 'Date: Mon, 30 Nov 2026 12:00:00 +0000\r\n';
const ID = 'Message-ID: <1@mx.example>\r\n';

async function passed(text: string, octetsAtOnce = Number.POSITIVE_INFINITY): Promise<string> {
  const octets = Buffer.from(text);
  async function* chunks() {
    for (let i = 0; i < octets.length; i += octetsAtOnce) yield octets.subarray(i, i + octetsAtOnce);
  }
  const out: Uint8Array[] = [];
  for await (const chunk of completeHeader(chunks(), COMPLETION)) out.push(chunk);
  return Buffer.concat(out).toString();
}

describe('a message that is submitted (RFC 6409 §8)', () => {
  it.each([
    ['without both', 'Subject: a\r\n\r\ntext\r\n', `Subject: a\r\n${DATE}${ID}\r\ntext\r\n`],
    ['without a Date', `Subject: a\r\n${ID}\r\ntext\r\n`, `Subject: a\r\n${ID}${DATE}\r\ntext\r\n`],
    ['with both', `${ID}${DATE}\r\ntext\r\n`, `${ID}${DATE}\r\ntext\r\n`],
    [
      'with both, in other letters',
      'DATE : x\r\nmessage-id:\r\n <a@b>\r\n\r\n',
      'DATE : x\r\nmessage-id:\r\n <a@b>\r\n\r\n',
    ],
    [
      'whose text only has them',
      `Subject: a\r\n\r\n${DATE}${ID}`,
      `Subject: a\r\n${DATE}${ID}\r\n${DATE}${ID}`,
    ],
    ['with a Bcc', `Bcc: eve@example.org,\r\n\tbob@example.org\r\n${DATE}${ID}\r\na`, `${DATE}${ID}\r\na`],
    ['with more of it', `${DATE}bcc :a\r\nX: b\r\nBCC: c\r\n ${DATE}${ID}\r\n`, `${DATE}X: b\r\n${ID}\r\n`],
    [
      'that was sent again',
      `Resent-To: a\r\nResent-Bcc: eve@example.org,\r\n bob@example.org\r\n${DATE}${ID}\r\na`,
      `Resent-To: a\r\n${DATE}${ID}\r\na`,
    ],
    ['with a Bcc at the end', `${DATE}${ID}Bcc: a\r\n`, `${DATE}${ID}`],
    ['with Bcc in the text', `${DATE}${ID}\r\nBcc: a\r\n`, `${DATE}${ID}\r\nBcc: a\r\n`],
    [
      'with a field of such a beginning',
      `${DATE}${ID}Bccc: a\r\nBc: b\r\n\r\n`,
      `${DATE}${ID}Bccc: a\r\nBc: b\r\n\r\n`,
    ],
    ['without a header', 'Hello world\r\n', `${DATE}${ID}\r\nHello world\r\n`],
    ['that begins with an empty line', '\r\ntext\r\n', `${DATE}${ID}\r\ntext\r\n`],
    ['that begins with a blank', ' a\r\n', `${DATE}${ID}\r\n a\r\n`],
    ['that is empty', '', DATE + ID],
    ['that is header alone', 'Subject: a\r\n', `Subject: a\r\n${DATE}${ID}`],
    [
      'from a mailbox file',
      `From ann Mon Nov\r\nBcc: a\r\n${DATE}\r\n`,
      `From ann Mon Nov\r\n${DATE}${ID}\r\n`,
    ],
    ['whose header ends without an empty line', `${DATE}no field\r\n`, `${DATE}${ID}\r\nno field\r\n`],
  ])('%s', async (_, text, expected) => {
    expect(await passed(text)).toBe(expected);
    expect(await passed(text, 1)).toBe(expected);
  });
});

const line = fc
  .tuple(
    fc.constantFrom(
      'Bcc',
      'bcc ',
      'Resent-Bcc',
      'Date',
      'Message-ID',
      'Subject',
      'Received',
      ' folded',
      '\tfolded',
      'no field',
      '',
    ),
    fc.constantFrom(':', ': a', '', ' b:c'),
  )
  .map((parts) => `${parts.join('')}\r\n`);
const message = fc.array(line, { maxLength: 12 }).map((lines) => lines.join(''));

describe('any message', () => {
  it('passes alike however it is cut', async () => {
    await fc.assert(
      fc.asyncProperty(message, fc.integer({ min: 1, max: 9 }), async (text, size) => {
        expect(await passed(text, size)).toBe(await passed(text));
      }),
    );
  });

  it('that was completed is complete, and only fields were added and Bcc taken out', async () => {
    await fc.assert(
      fc.asyncProperty(message, async (text) => {
        const once = await passed(text);
        expect(await passed(once)).toBe(once);
      }),
    );
  });
});

it('holds no more than a line of the header, however long that is', async () => {
  const long = `X: ${'x'.repeat(3_000_000)}\r\n`;
  expect(await passed(`${long}\r\n`)).toBe(`${long}${DATE}${ID}\r\n`);
  expect(await passed('x'.repeat(2000), 7)).toBe(`${DATE}${ID}\r\n${'x'.repeat(2000)}`);
});
