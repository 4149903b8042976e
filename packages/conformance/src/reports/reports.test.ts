import { describe, expect, it } from 'vitest';
import type { Verdict } from '../contract/outcome.js';
import { htmlReport } from './html.js';
import { junitXml } from './junit.js';
import { judgementOf, readKnownDeviations } from './known-deviations.js';
import { findingLine, jsonLine } from './lines.js';

const verdict = (id: string, level: Verdict['level'], outcome: Verdict['outcome']): Verdict => ({
  id,
  level,
  section: 'RFC 5321 §4.1.4',
  rationale: 'It is so.',
  outcome,
  dialogue: outcome.result === 'skipped' ? [] : ['S: 220 <mail> & co', 'C: RCPT', 'S: 250 \\x1b'],
  milliseconds: 12,
});

const verdicts = [
  verdict('sequence/a', 'MUST', { result: 'passed' }),
  verdict('sequence/b', 'MUST', { result: 'failed', seen: 'it said <b>250</b>' }),
  verdict('sequence/c', 'INTEROP', { result: 'failed', seen: 'it said 250' }),
  verdict('size/d', 'SHOULD', { result: 'skipped', reason: 'SIZE is not offered' }),
];

describe('judgementOf', () => {
  it('counts, and takes MUST and SECURITY for serious', () => {
    const { passed, failed, skipped, serious } = judgementOf(verdicts);
    expect({ passed, failed, skipped }).toEqual({ passed: 1, failed: 2, skipped: 1 });
    expect(serious.map(({ id }) => id)).toEqual(['sequence/b']);
  });

  it('lets known deviations count no more, and tells which are healed', () => {
    const known = readKnownDeviations('# ours\nsequence/a\n\nsequence/b # till next month\r\nsize/d\n');
    const { serious, healed } = judgementOf(verdicts, known);
    expect(serious).toEqual([]);
    expect(healed).toEqual(['sequence/a']);
  });
});

describe('lines', () => {
  it('have what was seen at their end', () => {
    expect(verdicts.slice(1, 3).map((each) => findingLine(each))).toEqual([
      'sequence/b MUST RFC 5321 §4.1.4 it said <b>250</b>',
      'sequence/c INTEROP RFC 5321 §4.1.4 it said 250',
    ]);
  });

  it('are NDJSON with the reason of what was skipped', () => {
    expect(verdicts.slice(3).map((each) => JSON.parse(jsonLine(each)))).toEqual([
      {
        id: 'size/d',
        level: 'SHOULD',
        section: 'RFC 5321 §4.1.4',
        result: 'skipped',
        seen: 'SIZE is not offered',
        dialogue: [],
      },
    ]);
  });
});

describe('junitXml', () => {
  it('fails where the exit code does, and shows lesser deviations', () => {
    const xml = junitXml(verdicts, { target: 'mail:25' });
    expect(xml).toContain('tests="4" failures="1" errors="0" skipped="1"');
    expect(xml).toContain('<failure type="MUST" message="it said &#60;b&#62;250&#60;/b&#62;">');
    expect(xml).toContain('<system-out>sequence/c INTEROP');
    expect(xml).toContain('<skipped message="SIZE is not offered"/>');
    expect(junitXml(verdicts, { target: 'mail:25', known: new Set(['sequence/b']) })).toContain(
      'failures="0"',
    );
  });
});

describe('htmlReport', () => {
  const report = htmlReport(verdicts, { target: 'mail:25', groups: [], date: 'today' });

  it('has the worst first, with its dialogue and its page', () => {
    expect(report.indexOf('id="sequence/b"')).toBeLessThan(report.indexOf('id="sequence/c"'));
    expect(report).toContain('<li class="client"><span class="who">C</span><code>RCPT</code></li>');
    expect(report).toContain('docs/conformance/sequence.md#b');
    expect(report).toContain('https://www.rfc-editor.org/rfc/rfc5321#section-4.1.4');
  });

  it('fetches nothing, and takes nothing that a server said for markup', () => {
    expect(report).not.toMatch(/<script|<link|<img|url\(/);
    expect(report).not.toContain('<b>250</b>');
    expect(report).not.toContain('<mail>');
  });
});
