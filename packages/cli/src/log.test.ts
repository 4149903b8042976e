import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { createLog } from './log.js';

function logged(json: boolean): string {
  let text = '';
  const stream = new Writable({
    write(chunk, _encoding, done) {
      text += chunk;
      done();
    },
  });
  const log = createLog(stream, json);
  log.info({ id: 'M1' }, 'message stored');
  log.error({ err: new Error('disk full') }, 'message not stored');
  return text;
}

describe('the log', () => {
  it('has a line for each event, for people', () => {
    expect(logged(false)).toMatch(
      /^\[\d\d:\d\d:\d\d\] INFO: message stored \{"id":"M1"\}\n\[\d\d:\d\d:\d\d\] ERROR: message not stored[\s\S]*disk full/,
    );
  });

  it('has a JSON record on each line, for programs', () => {
    const records = logged(true)
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(records).toEqual([
      { level: 30, time: expect.any(Number), id: 'M1', msg: 'message stored' },
      expect.objectContaining({ level: 50, err: expect.objectContaining({ message: 'disk full' }) }),
    ]);
  });
});
