/** A real browser, and the built page in it, served as `sansmtp play` serves it. */
import { existsSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import axe from 'axe-core';
import { type Browser, chromium, type Page } from 'playwright-core';

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

const PAGE = join(import.meta.dirname, '../../dist');

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
};

let browser: Promise<Browser> | undefined;
let server: Promise<Server> | undefined;

export function theBrowser(): Promise<Browser> {
  browser ??= chromium.launch({ executablePath: '/usr/bin/chromium', args: FLAGS });
  return browser;
}

async function servePage(): Promise<Server> {
  const serving = createServer((request, response) => {
    const path = (request.url ?? '/').split('?')[0] ?? '/';
    const file = join(PAGE, path === '/' ? 'index.html' : path);
    if (!file.startsWith(PAGE) || !existsSync(file)) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, {
      'content-type': TYPES[extname(file)] ?? 'application/octet-stream',
      'content-security-policy': "default-src 'self'",
    });
    response.end(readFileSync(file));
  });
  await new Promise<void>((resolve) => serving.listen(0, '127.0.0.1', resolve));
  serving.unref();
  return serving;
}

/** The page, and what was wrong on it. */
export interface Opened {
  readonly page: Page;
  /** Errors in the console, and those that nobody caught. Always to be empty. */
  readonly errors: readonly string[];
}

export interface Opening {
  readonly url?: string;
  readonly width?: number;
  readonly height?: number;
  readonly colorScheme?: 'light' | 'dark';
}

let tab: Promise<Page> | undefined;
let errors: string[] = [];

/** One tab for all tests: a new one takes longer than most of them. */
async function theTab(): Promise<Page> {
  const page = await (await theBrowser()).newPage();
  page.setDefaultTimeout(30_000);
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') errors.push(message.text());
  });
  page.on('pageerror', (error) => errors.push(error.message));
  return page;
}

/**
 * Opens the page anew.
 * @param hash without its `#`
 */
export async function openPage(hash = '', opening: Opening = {}): Promise<Opened> {
  server ??= servePage();
  tab ??= theTab();
  const { port } = (await server).address() as AddressInfo;
  const { url = `http://127.0.0.1:${port}/`, width = 1440, height = 900, colorScheme = 'light' } = opening;
  const page = await tab;
  await page.goto('about:blank');
  await page.setViewportSize({ width, height });
  await page.emulateMedia({ colorScheme, media: null });
  errors = [];
  await page.goto(hash === '' ? url : `${url}#${hash}`);
  await page.locator('.standing').waitFor();
  return { page, errors };
}

/** What axe-core finds that is serious or worse: one text for each. */
export async function seriousViolations(page: Page): Promise<readonly string[]> {
  await page.evaluate(axe.source);
  const found = await page.evaluate<Pick<axe.AxeResults, 'violations'>>('axe.run()');
  return found.violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 160)).join(' | ')}`);
}

/** All that is to be read on the page. */
export function textOf(page: Page): Promise<string> {
  return page.locator('main').innerText();
}

/** `[step, of]`, counted from 1. */
export async function stepOf(page: Page): Promise<readonly [number, number]> {
  const text = await page.locator('.standing .count').innerText();
  const [, step, last] = /step (\d+) of (\d+)/.exec(text) ?? [];
  return [Number(step), Number(last)];
}

/** What stands in a part of a drawing, in which nothing has an inner text. */
export async function textIn(page: Page, selector: string): Promise<string> {
  return (await page.locator(selector).textContent()) ?? '';
}

/** The active state of each end's map. */
export async function statesOf(page: Page): Promise<Readonly<Record<'client' | 'server', string>>> {
  const nameAt = (end: string): Promise<string> => textIn(page, `.map-${end} .place.active text`);
  return { client: await nameAt('client'), server: await nameAt('server') };
}

/** Presses a key so many times, and tells after each where both ends stand. All within the page: that is much faster. */
export function press(page: Page, key: string, times: number): Promise<readonly string[]> {
  return page.evaluate(`(async () => {
    const told = [];
    for (let count = 0; count < ${times}; count += 1) {
      document.body.dispatchEvent(new KeyboardEvent('keydown', { key: ${JSON.stringify(key)}, bubbles: true }));
      await new Promise((resolve) => setTimeout(resolve));
      told.push([...document.querySelectorAll('.place.active text')].map((text) => text.textContent).join(' '));
    }
    return told;
  })()`);
}
