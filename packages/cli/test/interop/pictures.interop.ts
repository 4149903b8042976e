/**
 * The pictures of docs/charts in a real browser: what `getBBox()` says of their words is what the table of widths said, so that
 * no word lies on another, on a state, or on a line, in light and dark; and they are drawn without a complaint.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Browser, chromium } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeWith } from './peers.js';

const folder = fileURLToPath(new URL('../../../../docs/charts/', import.meta.url));
const pictures = readdirSync(folder).filter((name) => name.endsWith('.svg'));

/** The flags that keep the browser from speaking to anybody. */
const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

describeWith('Chromium', () => {
  let browser: Browser;

  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: FLAGS });
  });
  afterAll(() => browser?.close());

  it('are those of two sessions: overview, five phases, and the whole', () => {
    expect(pictures).toHaveLength(2 * 7);
  });

  it.each(pictures)('%s: its words lie on nothing', async (name) => {
    const page = await browser.newPage();
    const complaints: string[] = [];
    page.on('console', (message) => complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(String(error)));
    await page.setContent(readFileSync(`${folder}${name}`, 'utf8'));
    await page.addScriptTag({ path: fileURLToPath(new URL('picture-faults.js', import.meta.url)) });
    const faults = await page.evaluate('findFaults()');
    expect(faults).toEqual([]);
    expect(complaints).toEqual([]);
    await page.close();
  });

  it.each(['light', 'dark'] as const)('has its own colours for a %s screen', async (colorScheme) => {
    const page = await browser.newPage({ colorScheme });
    await page.setContent(readFileSync(`${folder}server-overview.svg`, 'utf8'));
    const fills = await page.evaluate(
      "['.paper', 'text.b'].map((selector) => getComputedStyle(document.querySelector(selector)).fill)",
    );
    expect(fills).toEqual(
      colorScheme === 'light'
        ? ['rgb(255, 255, 255)', 'rgb(22, 32, 44)']
        : ['rgb(13, 17, 23)', 'rgb(238, 242, 247)'],
    );
    await page.close();
  });
});
