import { describe, expect, it } from 'vitest';
import { openPage, statesOf, stepOf, textOf } from './browser.js';

const hashOf = (url: string): string => new URL(url).hash;

describe('a fork', () => {
  it('is had by a click on what is legal now, and undone', async () => {
    const { page, errors } = await openPage('s=happy&at=9');
    await page.locator('.end.server .chip', { hasText: 'RSET' }).click();
    expect(await statesOf(page)).toMatchObject({ server: 'ready' });
    await page.waitForURL(/do=10\.say\.client\.RSET/);
    expect(await page.locator('.wire .badge').allInnerTexts()).toEqual([
      'never arrives',
      'not the client’s own',
    ]);
    // The client believes that its recipient was accepted.
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowRight');
    expect(await statesOf(page)).toMatchObject({ client: 'initiating', server: 'ready' });
    await page.locator('.choices button').click();
    await page.waitForURL((url) => !url.hash.includes('do='));
    expect(errors).toEqual([]);
  });

  it('refuses what the application is asked', async () => {
    const { page } = await openPage('s=happy&at=10');
    await page.getByRole('button', { name: 'Refuse' }).click();
    expect(await page.locator('.end.server .why').innerText()).toContain('rejected');
    expect(await textOf(page)).toContain('550 5.7.1');
  });

  it('lies: somebody says something else', async () => {
    const { page, errors } = await openPage('s=happy&at=8');
    await page.getByRole('button', { name: 'Lie…' }).click();
    await page.getByLabel('What is said in its place').fill('421 4.3.2 Nobody is here');
    await page.getByRole('button', { name: 'Have it said' }).click();
    expect((await statesOf(page)).client).toBe('closing');
    expect(errors).toEqual([]);
  });

  it('drops the connection, and lets a deadline pass', async () => {
    const { page } = await openPage('s=happy&at=12');
    await page.getByRole('button', { name: 'Drop' }).click();
    expect(await statesOf(page)).toEqual({ client: 'closed', server: 'closed' });
    await openPage('s=happy&at=9');
    await page.locator('.end.server .chip', { hasText: 'time-out: idle' }).click();
    expect((await statesOf(page)).server).toBe('closing');
  });
});

describe('a link', () => {
  it('shows the same scenario, step and choices', async () => {
    const { page } = await openPage('s=recipients&at=13');
    await page.getByRole('button', { name: 'Not now' }).click();
    await page.waitForURL(/do=/);
    const [link, text] = [hashOf(page.url()).slice(1), await textOf(page)];
    await openPage(link);
    expect(await textOf(page)).toBe(text);
  });

  it('that cannot be read shows what it can', async () => {
    const { page, errors } = await openPage('s=nothing&at=99999&do=nonsense&cut=x');
    const [step, last] = await stepOf(page);
    expect(step).toBe(last);
    expect(errors).toEqual([]);
  });
});

describe('segments', () => {
  it('are cut and dragged, and nothing changes', async () => {
    const { page, errors } = await openPage('s=happy&at=7');
    const before = await statesOf(page);
    await page.getByRole('button', { name: 'Cut it' }).click();
    const output = page.locator('.segments output');
    expect(await output.innerText()).toBe('2 segments: same replies, same states, same end');
    const cut = page.locator('.cut');
    const from = Number(await cut.getAttribute('aria-valuenow'));
    const target = await page.locator(`.cell[data-offset="${from + 6}"]`).boundingBox();
    const box = await cut.boundingBox();
    if (target === null || box === null) throw new Error('There is no cut');
    await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
    await page.mouse.down();
    await page.mouse.move(target.x, target.y + target.height / 2, { steps: 6 });
    await page.mouse.up();
    expect(Number(await cut.getAttribute('aria-valuenow'))).toBe(from + 6);
    expect(await output.innerText()).toContain('same end');
    expect(await statesOf(page)).toEqual(before);
    await page.getByLabel('each octet by itself').check();
    expect(await output.innerText()).toBe('29 segments: same replies, same states, same end');
    expect(errors).toEqual([]);
  });
});

describe('the octets', () => {
  it('have the parts that the parser found, and what they mean', async () => {
    const { page } = await openPage('s=happy&at=7');
    const octets = page.locator('.octets');
    expect(await octets.innerText()).toContain('RFC 5321 §4.1.1.2');
    expect(await octets.locator('.hex .part-path').count()).toBeGreaterThan(10);
  });

  it('of a smuggled message have the offending one marked', async () => {
    const { page } = await openPage('s=smuggling&at=17');
    expect(await page.locator('.hex-octets .offending').innerText()).toBe('0a');
    expect(await page.locator('.offence').innerText()).toContain('LF');
  });

  it('of an AUTH exchange are not shown', async () => {
    const { page } = await openPage('s=auth&at=10');
    expect(await page.locator('.octets').innerText()).toContain('not shown');
    expect(await page.content()).not.toContain('Y29ycmVjdCBob3JzZQ');
  });
});

describe('the whole chart', () => {
  it('is drawn with the active state and the step that was just taken, and closed by Escape', async () => {
    const { page, errors } = await openPage('s=happy&at=13');
    await page.locator('.end.server').getByRole('button', { name: 'Whole chart' }).click();
    await page.locator('.end.server .drawing svg').waitFor();
    expect(await page.locator('.drawing .state.active').first().getAttribute('data-state')).toContain(
      'initiating',
    );
    await page.locator('.end.server .whole').getByRole('button', { name: 'transaction' }).click();
    await page.locator('.drawing', { hasText: 'One mail transaction' }).waitFor();
    expect(await page.locator('.drawing .taken').count()).toBeGreaterThan(0);
    await page.keyboard.press('Escape');
    expect(await page.locator('.end.server .whole').isVisible()).toBe(false);
    expect(errors).toEqual([]);
  });

  it('says what the tests take of it', async () => {
    const { page } = await openPage('s=happy&at=13');
    await page.locator('.end.server').getByRole('button', { name: 'Tested' }).click();
    expect(await page.locator('.end.server .map-foot').innerText()).toMatch(
      /tests take \d+ of \d+ transitions/,
    );
    expect(await page.locator('.map-server .place.covered').count()).toBeGreaterThan(15);
  });
});
