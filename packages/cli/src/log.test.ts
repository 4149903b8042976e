import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { createLog } from './log.js';

/** What is written of these. */
function logged(json: boolean, ...records: readonly (readonly [object, string])[]): string {
  let text = '';
  const stream = new Writable({
    write(chunk, _encoding, done) {
      text += chunk;
      done();
    },
  });
  const log = createLog(stream, json);
  for (const [about, message] of records) log.info(about, message);
  return text;
}

const stored = [{ id: 'M1' }, 'message stored'] as const;
const notStored = [{ err: new Error('disk full') }, 'message not stored'] as const;

/** What could steer a terminal, or pass for the end of a line. */
const HOSTILE = `a\u001b[2J\r\n[12:00:00] INFO: \t\0\u007f\u0085\u009b1m\u2028\u2029\u202e\u2066z`;

describe('the log', () => {
  it('has a line for each event, for people', () => {
    expect(logged(false, stored, notStored)).toMatch(
      /^\[\d\d:\d\d:\d\d\] INFO: message stored \{"id":"M1"\}\n\[\d\d:\d\d:\d\d\] INFO: message not stored[\s\S]*disk full/,
    );
  });

  it('has a JSON record on each line, for programs', () => {
    const records = logged(true, stored, notStored)
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(records).toEqual([
      { level: 30, time: expect.any(Number), id: 'M1', msg: 'message stored' },
      expect.objectContaining({ err: expect.objectContaining({ message: 'disk full' }) }),
    ]);
  });

  it.each([true, false])('holds no control character that a peer has sent (--json: %s)', (json) => {
    const about = { from: HOSTILE, to: [HOSTILE], [HOSTILE]: 1, err: new Error(HOSTILE) };
    const text = logged(json, [about, 'words of ours']);
    expect(text).not.toMatch(/[^\P{Cc}\n]|\u2028|\u2029|\p{Bidi_Control}/u);
    expect(text.match(/^(?:\[\d\d:|\{)/gm)).toHaveLength(1);
  });

  it('says as JSON what was sent', () => {
    expect(JSON.parse(logged(true, [{ from: HOSTILE }, HOSTILE]))).toMatchObject({
      from: HOSTILE,
      msg: HOSTILE,
    });
  });
});
