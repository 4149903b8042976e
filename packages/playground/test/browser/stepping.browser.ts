import { describe, expect, it } from 'vitest';
import { scenarios } from '../../src/scenarios/index.js';
import { openPage, press, statesOf, stepOf, textIn, textOf } from './browser.js';

describe.each(scenarios)('the scenario $id', ({ id, title }) => {
  it('is stepped to its end and back, and is then as it was', async () => {
    const { page, errors } = await openPage(`s=${id}`);
    expect(await page.locator('#scenario option:checked').innerText()).toBe(title);
    const [first, last] = await stepOf(page);
    expect(first).toBe(1);
    const before = await textOf(page);
    const forward = await press(page, 'ArrowRight', last - 1);
    expect(await stepOf(page)).toEqual([last, last]);
    expect(await statesOf(page)).toEqual({ client: 'closed', server: 'closed' });
    const back = await press(page, 'ArrowLeft', last - 1);
    expect(back.slice(0, -1).toReversed()).toEqual(forward.slice(0, -1));
    expect(await textOf(page)).toBe(before);
    expect(errors).toEqual([]);
  });
});

describe('stepping', () => {
  it('fills the active states, and makes the edge that was just taken bold', async () => {
    const { page } = await openPage('s=happy&at=7');
    expect(await statesOf(page)).toEqual({ client: 'mailing', server: 'opening' });
    expect(await page.locator('.map-server .edge.taken.last').count()).toBe(1);
    expect(await textIn(page, '.map-server .edge-label')).toBe('MAIL');
  });

  it('never moves the map, nor its scale', async () => {
    const { page } = await openPage('s=starttls');
    const place = () => page.locator('.map-server .place[data-states="session.ready"]').boundingBox();
    const before = await place();
    await press(page, 'ArrowRight', 20);
    expect(await place()).toEqual(before);
  });

  it('plays by itself, and stops at a key', async () => {
    const { page } = await openPage('s=happy');
    await page.keyboard.press('Space');
    await page.locator('.standing .count', { hasText: 'step 3 of' }).waitFor();
    await page.keyboard.press('Space');
    expect(await page.getByRole('button', { name: 'Play' }).isVisible()).toBe(true);
  });

  it('is told aloud, and as a transcript', async () => {
    const { page } = await openPage('s=happy&at=9');
    expect(await page.locator('.standing output').innerText()).toBe('The client reads 250.');
    await page.locator('.transcript summary').click();
    expect(await page.locator('.transcript').innerText()).toContain(
      'The client says: MAIL FROM:<ann@example.org>. The server is then in opening.',
    );
  });
});
