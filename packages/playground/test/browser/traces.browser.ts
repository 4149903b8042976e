import { createTracer, type TraceRecord, traceHeader, traceLine } from '@sansmtp/charts/trace';
import { type ServerOutput, ServerSession } from '@sansmtp/core';
import { describe, expect, it } from 'vitest';
import { openPage, seriousViolations, stepOf, textIn, textOf } from './browser.js';

/** A trace of a server to which these lines were said, and whose application accepts all. */
function traceOf(lines: readonly string[], id = 'c1'): string {
  const records: TraceRecord[] = [];
  const tell = createTracer({ end: 'server', write: (record) => records.push(record), wallClock: () => 0 });
  const about = { id, peer: { address: '192.0.2.7', port: 4711 } };
  const session = new ServerSession({ hostname: 'mx.example.com', observe: true, now: 0 });
  const pump = (now: number): void => {
    for (let output: ServerOutput | undefined = session.poll(); output; output = session.poll()) {
      if (output.type === 'observed') tell(output.event, about);
      if (output.type === 'ask') session.handle({ type: 'answer', decision: 'accept', now });
    }
  };
  tell({ type: 'opened', time: 0 }, about);
  pump(0);
  for (const [index, line] of lines.entries()) {
    const bytes = new TextEncoder().encode(`${line}\r\n`);
    const now = index + 1;
    tell({ type: 'received', time: now, length: bytes.length }, about);
    session.handle({ type: 'bytes', bytes, now });
    pump(now);
  }
  return [traceHeader('server'), ...records].map(traceLine).join('');
}

async function drop(
  page: Awaited<ReturnType<typeof openPage>>['page'],
  name: string,
  text: string,
): Promise<void> {
  await page.evaluate(`{
    const data = new DataTransfer();
    data.items.add(new File([${JSON.stringify(text)}], ${JSON.stringify(name)}));
    document.body.dispatchEvent(new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true }));
  }`);
}

describe('a trace that is dropped on the page', () => {
  it('is stepped through like a scenario', async () => {
    const { page, errors } = await openPage();
    await drop(
      page,
      'mail.ndjson',
      traceOf(['EHLO client.example.org', 'MAIL FROM:<ann@example.org>', 'DATA']),
    );
    await page.locator('.middle .subtitle', { hasText: 'mail.ndjson' }).waitFor();
    expect((await stepOf(page))[0]).toBe(1);
    await page.keyboard.press('End');
    expect(await textIn(page, '.map-server .place.active text')).toBe('opened');
    expect(await textOf(page)).toContain('503 because no recipient was accepted');
    expect(await page.locator('.end.client').innerText()).toContain('was not recorded');
    expect(await page.locator('.faults').count()).toBe(0);
    expect(await seriousViolations(page)).toEqual([]);
    expect(errors).toEqual([]);
  });

  it('is text and nothing else, whatever its lines say', async () => {
    const { page, errors } = await openPage();
    const nasty = '<img src=x onerror=document.title="owned">';
    await drop(page, 'nasty.ndjson', traceOf([`EHLO ${nasty}`, `NOOP ${nasty}`], nasty));
    await page.locator('.middle .subtitle', { hasText: 'nasty.ndjson' }).waitFor();
    await page.keyboard.press('End');
    expect(await textOf(page)).toContain(`EHLO ${nasty}`);
    expect(await page.locator('main img').count()).toBe(0);
    expect(await page.title()).not.toBe('owned');
    expect(errors).toEqual([]);
  });

  it('of several sessions lets one choose', async () => {
    const { page } = await openPage();
    await drop(page, 'two.ndjson', traceOf(['NOOP'], 'c1') + traceOf(['QUIT'], 'c2'));
    await page.locator('.sessions button', { hasText: 'c2' }).click();
    await page.locator('.middle .subtitle', { hasText: 'session c2' }).waitFor();
    await page.keyboard.press('End');
    expect(await textIn(page, '.map-server .place.active text')).toBe('closing');
  });

  it('that is torn is shown as far as it goes, and one that is none is said to be none', async () => {
    const { page, errors } = await openPage();
    await drop(page, 'torn.ndjson', traceOf(['EHLO a.example', 'QUIT']).slice(0, -40));
    await page.locator('.middle .subtitle', { hasText: 'torn.ndjson' }).waitFor();
    await drop(page, 'notes.txt', 'Dear diary,\ntoday nobody wrote.\n');
    expect(await page.locator('.message').innerText()).toContain('notes.txt holds no session');
    expect(errors).toEqual([]);
  });

  it('can be chosen as a file as well', async () => {
    const { page } = await openPage();
    const buffer = Buffer.from(traceOf(['QUIT']));
    await page
      .locator('input[type=file]')
      .setInputFiles({ name: 'chosen.ndjson', mimeType: 'text/plain', buffer });
    await page.locator('.middle .subtitle', { hasText: 'chosen.ndjson' }).waitFor();
  });
});
