import { describe, expect, it } from 'vitest';
import { openPage, seriousViolations, stepOf } from './browser.js';

describe('the page', () => {
  it.each(['light', 'dark'] as const)('has no serious fault of accessibility, %s', async (colorScheme) => {
    const { page, errors } = await openPage('s=pipelining&at=12', { colorScheme });
    expect(await seriousViolations(page)).toEqual([]);
    await page.goto(page.url().replace(/#.*/, '#s=smuggling&at=17'));
    await page.locator('.offence').waitFor();
    expect(await seriousViolations(page)).toEqual([]);
    expect(errors).toEqual([]);
  });

  it('is dark where that is preferred, and light at a press', async () => {
    const { page } = await openPage('', { colorScheme: 'dark' });
    const ground = (): Promise<string> => page.evaluate('getComputedStyle(document.body).backgroundColor');
    const dark = await ground();
    await page.getByRole('button', { name: 'Light or dark' }).click();
    expect(dark).toBe('rgb(15, 20, 27)');
    expect(await ground()).toBe('rgb(243, 245, 248)');
  });

  it('fits 390 pixels, and is as accessible there', async () => {
    const { page, errors } = await openPage('s=happy&at=9', { width: 390, height: 844 });
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(390);
    expect(await seriousViolations(page)).toEqual([]);
    await page.getByRole('button', { name: 'One step on' }).click();
    expect((await stepOf(page))[0]).toBe(11);
    expect(errors).toEqual([]);
  });

  it.each([1440, 390])('has no text below 10.5 pixels at a width of %i', async (width) => {
    const { page } = await openPage('s=happy&at=9', { width });
    const smallest = await page.evaluate(`
      Math.min(...[...document.querySelectorAll('main *')]
        .filter((node) => [...node.childNodes].some((child) => child.nodeType === 3 && child.data.trim() !== ''))
        .filter((node) => node.getClientRects().length > 0 && !node.closest('.for-readers, title'))
        .map((node) => {
          const scale = node.ownerSVGElement ? node.getScreenCTM().a : 1;
          return parseFloat(getComputedStyle(node).fontSize) * scale;
        }))
    `);
    expect(smallest).toBeGreaterThanOrEqual(10.5);
  });

  it('explains itself in two sentences', async () => {
    const { page } = await openPage();
    const intro = await page.locator('.intro').innerText();
    expect(intro.match(/[.!?](?= |$)/g)).toHaveLength(2);
  });

  it('can be used by keyboard alone', async () => {
    const { page, errors } = await openPage();
    await page.locator('#scenario').focus();
    for (let presses = 0; presses < 5; presses += 1) await page.keyboard.press('ArrowDown');
    await page.waitForURL(/s=starttls/);
    // On to the buttons: forward by one of them, to the end and back by keys.
    for (let presses = 0; presses < 12; presses += 1) {
      await page.keyboard.press('Tab');
      if ((await page.evaluate('document.activeElement?.ariaLabel')) === 'One step on') break;
    }
    await page.keyboard.press('Enter');
    expect((await stepOf(page))[0]).toBe(2);
    await page.keyboard.press('End');
    const [step, last] = await stepOf(page);
    expect(step).toBe(last);
    await page.keyboard.press('Home');
    expect((await stepOf(page))[0]).toBe(1);
    // A fork: what is legal now are buttons as well.
    await page.locator('.end.server .chip:enabled').first().focus();
    await page.keyboard.press('Enter');
    await page.waitForURL(/do=/);
    expect(errors).toEqual([]);
  });

  it('is printed without its controls, and with all of the wire', async () => {
    const { page } = await openPage('s=happy&at=24');
    await page.emulateMedia({ media: 'print' });
    expect(await page.locator('.controls .buttons').isVisible()).toBe(false);
    expect(await page.evaluate('getComputedStyle(document.querySelector(".wire")).overflowY')).toBe(
      'visible',
    );
  });
});
